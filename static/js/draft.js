// What a person has written, kept until it has surely left, and which templates they
// used. Where the browser forbids storage in a frame, the server keeps the draft.
import { call } from './api.js';
import { page } from './dom.js';

const PREFIX = `dialpad-texting:${page.tenant.id}:${page.user.id}:`;
const MAX_RECENT = 5;
const PAUSE = 700; // after the last letter
const memory = new Map();
let remote = null; // the draft at the server, once it is needed
let preferences = { recent_templates: [], favourite_templates: [] };

/** The browser's storage of this tab, or null where a frame has none. */
function storage() {
  try {
    const place = window.sessionStorage;
    place.setItem(PREFIX, '');
    return place;
  } catch {
    return null;
  }
}

/**
 * Where the draft to one number or selection is kept (its fields: popup_state.js). In
 * sessionStorage, so that no text stays on a shared machine when the tab is closed; where
 * there is none, at the server for a week. context holds what was kept there.
 */
export function draftStore(name, context) {
  const key = `draft:${name}`;
  const place = storage();
  preferences = context.preferences || preferences;
  if (!memory.has(key)) memory.set(key, place ? parse(place.getItem(PREFIX + key)) : context.draft);
  return {
    read: () => memory.get(key) || {},
    write(draft) {
      memory.set(key, draft);
      if (!place || !store(place, key, draft)) writeRemote(draft);
    },
  };
}

/** Reports whether the browser kept a draft: its storage may be full, or forbidden meanwhile. */
function store(place, key, draft) {
  try {
    place.setItem(PREFIX + key, JSON.stringify(draft));
    return true;
  } catch {
    return false;
  }
}

function writeRemote(draft) {
  remote ??= remoteDraft();
  remote.write(draft);
}

function parse(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

/** Keeps a draft at the server: what was typed after a pause, a request at once. */
function remoteDraft() {
  let timer = 0;
  let latest = null;
  let kept = ''; // the last state of what was sent
  const flush = () => {
    clearTimeout(timer);
    if (!latest) return;
    const body = Object.fromEntries(Object.entries(latest).filter(([, value]) => value));
    latest = null;
    call('PUT', '/embed/api/draft', { body, keepalive: true }).catch(() => {}); // the page still has it
  };
  document.addEventListener('visibilitychange', flush);
  window.addEventListener('pagehide', flush);
  return {
    write(draft) {
      latest = draft;
      clearTimeout(timer);
      const state = `${draft.key} ${Boolean(draft.unanswered)} ${draft.batch}`;
      if (state === kept) timer = setTimeout(flush, PAUSE);
      else flush();
      kept = state;
    },
  };
}

/** The ids of the templates picked last, newest first, and of the favourites. */
export const recentTemplates = () => preferences.recent_templates;
export const favouriteTemplates = () => preferences.favourite_templates;

const first = (id, list) => [id, ...list.filter((other) => other !== id)];

export function rememberTemplate(id) {
  keep({ recent_templates: first(id, recentTemplates()).slice(0, MAX_RECENT) });
}

/** Makes a template a favourite, or no longer. */
export function toggleFavourite(id) {
  const list = favouriteTemplates();
  keep({ favourite_templates: list.includes(id) ? list.filter((other) => other !== id) : first(id, list) });
}

/** The number that tests go to, as the person typed it; "" for none yet. */
export const testNumber = () => preferences.test_number || '';
export const rememberTestNumber = (number) => keep({ test_number: number });

function keep(changes) {
  preferences = { ...preferences, ...changes };
  call('PUT', '/embed/api/preferences', { body: preferences }).catch(() => {}); // a convenience alone
}
