import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standFor } from './page.js';

let copies = 0;
async function load(locale, language) {
  standFor({ locale }, language);
  copies += 1;
  return import(`../js/dom.js?language=${copies}`);
}

test('dates and numbers are in the language of the words, as the country writes them', async () => {
  for (const [given, language, locale] of [
    ['en-GB', 'en', 'en-GB'],
    ['es-MX', 'es', 'es-MX'],
    ['fr-FR', 'en', 'en-FR'],
    ['de', 'en', 'en-DE'],
    ['', 'en', 'en-US'],
    ['no locale', 'es', 'es'],
  ]) {
    assert.equal((await load(given, language)).locale, locale, given);
  }
});

test('a million in Spanish has the plural of two', async () => {
  const { tn } = await load('es-ES', 'es');
  assert.equal(tn('bulk.count.contact', 1), '1 contacto');
  assert.equal(tn('bulk.count.contact', 1_000_000), '1.000.000 contactos');
});
