import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chipBook, chipsIn, fill, outsideChips, wholeChips, withoutChips } from '../js/chips.js';
import { readable } from '../js/readable.js';

const FIELDS = [
  { key: 'Contact.firstName', label: 'First name', module: 'Contact' },
  { key: 'User.firstName', label: 'First name', module: 'User' },
  { key: 'Deal.title', label: 'Deal title', module: 'Deal' },
];
const book = () => chipBook(FIELDS, (label, fallback) => `${label} or “${fallback}”`);
const seen = (text) => text.replaceAll('\u2063', '|');

describe('a field', () => {
  const texts = [
    'Hi {{Contact.firstName|there}}, about {{Deal.title}}. {{User.firstName}}',
    '{{Deal.title}}{{Deal.title}}',
    'no field, but } and {{ and {{Nobody.knows}} and {{Contact.firstName | there}}',
    '',
  ];
  test('is stored as it was written', () => {
    for (const text of texts) {
      const { show, store } = book();
      assert.equal(store(show(text)), text);
    }
  });
  test('is shown by its label', () => {
    assert.equal(seen(book().show(texts[0])), 'Hi |First name (Contact) or “there”|, about |Deal title|. |First name (User)|');
  });
  test('that nobody knows stays as it is', () => {
    assert.equal(book().show('{{Contact.fristName}}'), '{{Contact.fristName}}');
  });
  test('can be filled in', () => {
    const value = (key, fallback) => ({ 'Deal.title': 'Boat' })[key] || fallback;
    assert.equal(fill(texts[0], value), 'Hi there, about Boat. ');
  });
  test('cannot be forged by the invisible characters around it', () => {
    const { show, store } = book();
    show('{{Deal.title}}');
    assert.equal(store('\u2063Deal title'), 'Deal title');
    assert.equal(store('\u2063Something\u2063'), 'Something');
    assert.equal(seen(show('a\u2063b{{Deal.title}}')), 'ab|Deal title|');
  });
});

describe('a chip', () => {
  const shown = book().show('Hi {{Deal.title}}!');
  const [{ from, to }] = chipsIn(shown);
  test('is found', () => {
    assert.deepEqual([from, to], [3, 15]);
    assert.equal(withoutChips(shown), `Hi ${' '.repeat(12)}!`);
  });
  test('is deleted as a whole', () => {
    assert.deepEqual(wholeChips(shown, to, to, -1), [from, to]);
    assert.deepEqual(wholeChips(shown, from, from, 1), [from, to]);
    assert.deepEqual(wholeChips(shown, from + 2, from + 2, -1), [from, to]);
    assert.deepEqual(wholeChips(shown, 1, from + 2, -1), [1, to]);
    assert.deepEqual(wholeChips(shown, from, from, -1), [from, from]);
    assert.deepEqual(wholeChips(shown, 1, 1, -1), [1, 1]);
  });
  test('takes no letters', () => {
    assert.deepEqual(wholeChips(shown, from + 2, from + 2, 0), [to, to]);
    assert.deepEqual(wholeChips(shown, to, to, 0), [to, to]);
    assert.equal(outsideChips(shown, from + 1), from);
    assert.equal(outsideChips(shown, to - 1), to);
    assert.equal(outsideChips(shown, 1), 1);
  });
});

test('a text reads without values as its fields are called', () => {
  assert.equal(readable('Hi {{Contact.firstName|there}}, {{ Deal.closeDate }}?'), 'Hi there, [Close date]?');
  assert.equal(readable('no {{field'), 'no {{field');
});
