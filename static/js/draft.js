// What a person has written, kept until it has surely gone. Storage may be
// forbidden in a frame: then it lives as long as the page does.
import { page } from './dom.js';

const prefix = `dialpad-texting:${page.tenant.id}:${page.user.id}:`;
const memory = new Map();

function read(store, name) {
  try {
    return JSON.parse(window[store].getItem(prefix + name));
  } catch {
    return memory.get(name) ?? null;
  }
}

function write(store, name, value) {
  memory.set(name, value);
  try {
    window[store].setItem(prefix + name, JSON.stringify(value));
  } catch {
    /* memory has it */
  }
}

/**
 * The draft to one number or selection: {text, template, key, body, batch}.
 * In sessionStorage, so that it leaves with the tab and no text stays on a shared machine.
 */
export function draft(name) {
  let value = read('sessionStorage', `draft:${name}`) || {};
  const save = (more) => {
    value = { ...value, ...more };
    write('sessionStorage', `draft:${name}`, value);
  };
  return {
    get: () => value,
    save,
    clear() {
      value = {};
      write('sessionStorage', `draft:${name}`, value);
    },
    /**
     * The Idempotency-Key of this request: one per composed text. The same body
     * again (after a lost answer, even after a reload) is the same key, so it goes out once.
     */
    key(body) {
      const written = JSON.stringify(body);
      if (!value.key || value.body !== written) save({ key: crypto.randomUUID(), body: written });
      return value.key;
    },
  };
}

const RECENT = 'recent-templates';

/** Ids of the templates picked last, newest first. */
export const recent = () => read('localStorage', RECENT) || [];

export function remember(id) {
  write('localStorage', RECENT, [id, ...recent().filter((other) => other !== id)].slice(0, 5));
}
