// The server's sentences in the language of the page. Its answers are in English.
import { page } from './dom.js';

// Where sentences stand: under these names, and under these of these.
const SENTENCES = new Set(['message', 'reason', 'error_text', 'warning', 'warnings', 'note', 'limited_words', 'prepare_note']);
const PLACES = new Set(['timeline.text', 'link.text', 'entries.what']);
const PLACE = /\{(\w+)\}/g;

let sentences = null; // [{pattern, words}]

function read(list) {
  return list.map(([english, words]) => {
    const pattern = english.replace(/[.*+?^$()[\]\\|]/g, '\\$&').replace(PLACE, '(?<$1>.+)').replace(/[{}](?!\w)/g, '\\$&');
    return { pattern: new RegExp(`^${pattern}$`, 's'), words };
  });
}

// A sentence that is not known stays as it is.
function say(sentence) {
  for (const { pattern, words } of sentences) {
    const found = pattern.exec(sentence);
    if (found) return words.replace(PLACE, (whole, name) => sayPart(found.groups?.[name] ?? whole));
  }
  return sentence;
}

// A sentence inside another one has no full stop.
function sayPart(part) {
  const said = say(part);
  return said === part ? say(`${part}.`).replace(/\.$/, '') : said;
}

function translate(value, name, above) {
  if (typeof value === 'string') {
    const isSentence = SENTENCES.has(name) || PLACES.has(`${above}.${name}`);
    return isSentence ? say(value) : value;
  }
  if (Array.isArray(value)) return value.map((one) => translate(one, name, above));
  if (!value || typeof value !== 'object') return value;
  // A draft holds what a person wrote; fields of a form are named freely.
  if (name === 'draft') return value;
  const inside = (key) => (name === 'fields' && above === 'details' ? 'reason' : key);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, translate(one, inside(key), name)]));
}

const load = () => import(`../words/server.${page.language}.js`);

/** An answer of the server with its sentences in the language of the page. */
export async function translated(answer, loadSentences = load) {
  sentences ??= read((await loadSentences()).default);
  return translate(answer, '', '');
}
