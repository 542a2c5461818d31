import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { standFor } from './page.js';

standFor();

const plain = (words) => words.replace(/[\u00a0\u202f]/g, ' ');
const { ago, capital, clock, clockRange, dayWords, soon, wallClock } = await import('../js/times.js');

test('times of day have one style, whoever wrote them', () => {
  assert.equal(plain(wallClock('20:00')), '8:00 PM');
  assert.equal(plain(wallClock('08:05')), '8:05 AM');
  assert.equal(plain(wallClock('00:00')), '12:00 AM');
  assert.equal(wallClock(''), '');
  assert.equal(plain(clock('2026-11-24T14:00:00Z', 'America/New_York')), '9:00 AM');
  assert.equal(plain(clockRange({ from: '20:00', to: '08:00' })), '8:00 PM to 8:00 AM');
});

describe('days', () => {
  const now = Date.now();
  test('near ones have names', () => {
    assert.equal(dayWords(now, 'UTC'), 'today');
    assert.equal(dayWords(now + 86_400_000, 'UTC'), 'tomorrow');
    assert.match(dayWords('2031-11-24T12:00:00Z', 'UTC'), /Mon, Nov 24, 2031/);
    assert.match(plain(soon(now + 86_400_000, 'UTC')), /^tomorrow, \d+:\d\d [AP]M$/);
    assert.match(plain(soon(now, 'UTC')), /^\d+:\d\d [AP]M$/);
  });
});

test('what has passed is told by its size', () => {
  const now = Date.parse('2026-11-24T12:00:00Z');
  for (const [iso, words] of [
    ['2026-11-24T11:59:30Z', 'just now'],
    ['2026-11-24T12:00:10Z', 'just now'], // another clock
    ['2026-11-24T11:57:00Z', '3 minutes ago'],
    ['2026-11-24T10:00:00Z', '2 hours ago'],
    ['2026-11-23T11:00:00Z', 'yesterday'],
    ['2026-11-20T11:00:00Z', '4 days ago'],
  ]) {
    assert.equal(ago(iso, now), words, iso);
  }
});

test('a sentence begins with a capital', () => {
  assert.equal(capital('tomorrow'), 'Tomorrow');
  assert.equal(capital(''), '');
});
