// What a person has written, kept until it has surely left. A browser may forbid
// storage in a frame: then it lives as long as the page does.
import { page } from './dom.js';

const PREFIX = `dialpad-texting:${page.tenant.id}:${page.user.id}:`;
const RECENT_TEMPLATES = 'recent-templates';
const MAX_RECENT = 5;
const memory = new Map();

function read(storage, name) {
  try {
    return JSON.parse(window[storage].getItem(PREFIX + name));
  } catch {
    return memory.get(name) ?? null;
  }
}

function write(storage, name, value) {
  memory.set(name, value);
  try {
    window[storage].setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // kept in memory
  }
}

/**
 * Where the draft to one number or selection is kept (its fields: popup_state.js). In
 * sessionStorage, so that no text stays on a shared machine when the tab is closed.
 */
export function draftStore(name) {
  const key = `draft:${name}`;
  return {
    read: () => read('sessionStorage', key) || {},
    write: (draft) => write('sessionStorage', key, draft),
  };
}

/** Returns the ids of the templates picked last, newest first. */
export const recentTemplates = () => read('localStorage', RECENT_TEMPLATES) || [];

export function rememberTemplate(id) {
  const others = recentTemplates().filter((other) => other !== id);
  write('localStorage', RECENT_TEMPLATES, [id, ...others].slice(0, MAX_RECENT));
}
