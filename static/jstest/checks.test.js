import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fold, foldEmail, gapsIn, hasFallback, isBlank, shortenersIn, withoutGaps } from '../js/checks.js';

test('what shows nothing is blank', () => {
  const blanks = [
    '',
    ' \n\t',
    '\u200b',
    '\u2060',
    '\u3164',
    '\u2800',
    '\ufe0f',
    '\u00ad',
    '\u115f',
    '\u034f',
    '\u202e',
    '\u{e0100}',
    '\ufeff ',
  ];
  for (const text of blanks) assert.equal(isBlank(text), true, JSON.stringify(text));
  for (const text of ['a', '.', '____', '\u200bx', '😀']) assert.equal(isBlank(text), false, text);
});

describe('gaps', () => {
  test('are found with their place and name', () => {
    assert.deepEqual(gapsIn('Hi ⟦First name⟧, by ⟦Close date⟧?'), [
      { from: 3, to: 15, name: 'First name' },
      { from: 20, to: 32, name: 'Close date' },
    ]);
  });

  test('half a mark is one too', () => {
    for (const text of ['Hi ⟦First', 'Hi name⟧', '⟦⟧']) assert.equal(gapsIn(text).length, 1, text);
  });

  test("underscores are the person's own", () => {
    assert.deepEqual(gapsIn('____, any thoughts on [it]?'), []);
  });

  test('do not move what follows them', () => {
    const text = 'Hi ⟦First name⟧, “yes”';
    assert.equal(withoutGaps(text).length, text.length);
    assert.equal(withoutGaps(text).indexOf('“'), text.indexOf('“'));
    assert.equal(withoutGaps(text).includes('⟦'), false);
  });
});

test('link shorteners are found in whatever way they are written', () => {
  for (const [text, hosts] of [
    ['See https://bit.ly/3xY', ['bit.ly']],
    ['see BIT.LY/3xY and tinyurl.com/a, bit.ly/b', ['bit.ly', 'tinyurl.com']],
    ['http://www.tinyurl.com', ['tinyurl.com']],
    ['(t.co/x)', ['t.co']],
    ['https://bit.ly.', ['bit.ly']],
    ['bit.ly?x=1', ['bit.ly']],
    ['https://acme.com/bit-ly', []],
    ['habit.ly/x', []],
    ['bit.ly.acme.com', []],
    ['bit.lyon', []],
    ['ana@bit.ly', []],
    ['rabbit.ly and my-bit.ly', []],
    ['at.com, but.co', []],
  ]) {
    assert.deepEqual(shortenersIn(text), hosts, text);
  }
});

test('only a name has a fallback', () => {
  for (const key of ['Contact.firstName', 'Contact.name']) assert.equal(hasFallback(key), true, key);
  for (const key of [
    'Deal.closeDate',
    'Deal.value',
    'Contact.email',
    'Company.name',
    'Contact.mobile',
    'Deal.title',
  ])
    assert.equal(hasFallback(key), false, key);
});

test('a search knows neither case nor accents', () => {
  for (const word of ['Émile', 'EMILE', 'E\u0301mile', 'ém\u200bile']) assert.equal(fold(word), 'emile');
});

test('e-mails fold A to Z alone', () => {
  for (const [email, folded] of [
    [' Bob@ACME.com ', 'bob@acme.com'],
    ['İlker@acme.com', 'İlker@acme.com'],
    ['mi\u212ae@acme.com', 'mi\u212ae@acme.com'],
  ])
    assert.equal(foldEmail(email), folded);
});
