import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standFor } from './page.js';

standFor();
const { inWords, plannedAt } = await import('../js/zones.js');
const plain = (words) => words.replace(/[\u00a0\u202f]/g, ' ');
const zone = 'America/New_York';

test('a planned time is that of its zone', () => {
  assert.equal(plannedAt({ local: '2031-11-24T09:00', time_zone: zone }).toISOString(), '2031-11-24T14:00:00.000Z');
  assert.equal(plannedAt({ local: '2031-03-09T02:30', time_zone: zone }), null);
});

test('a time that exists twice is the one that was chosen', () => {
  for (const [offset, instant] of [
    ['-04:00', '2031-11-02T05:30:00.000Z'],
    ['-05:00', '2031-11-02T06:30:00.000Z'],
  ]) {
    assert.equal(plannedAt({ local: '2031-11-02T01:30', time_zone: zone, offset }).toISOString(), instant);
  }
});

test('a planned time names its place, and the time here', () => {
  const at = plannedAt({ local: '2031-11-24T09:00', time_zone: 'Asia/Kolkata' });
  assert.equal(plain(inWords(at, 'Asia/Kolkata')), 'Mon, Nov 24, 2031, 9:00 AM in Kolkata (Sun, Nov 23, 2031, 10:30 PM for you)');
});
