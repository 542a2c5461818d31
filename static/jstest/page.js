// What the scripts find in a page: its data, and the words of its language.
import { readFileSync } from 'node:fs';
import { words } from '../js/catalogue.js';

/** Stands for the page of a user. */
export function standFor(user = {}, language = 'en') {
  const catalogue = new URL(`../words/${language}.json`, import.meta.url);
  Object.assign(words, JSON.parse(readFileSync(catalogue, 'utf8')));
  const person = { locale: 'en-US', time_zone: 'America/New_York', ...user };
  const data = JSON.stringify({ tenant: { id: 't' }, user: person, language });
  globalThis.document = { getElementById: () => ({ textContent: data }) };
}
