import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isKnownZone, knownZone } from '../js/zone_names.js';
import { standFor } from './page.js';

const ODD = [
  undefined,
  null,
  '',
  ' ',
  'null',
  'Etc/Unknown',
  'Eastern Standard Time',
  'America/New_York ',
  'EDT?',
  7,
  {},
];

/** Loads a fresh copy of the scripts for a page with this user. */
let copies = 0;
async function load(user) {
  standFor(user);
  copies += 1;
  return import(`../js/dom.js?copy=${copies}`);
}

describe('a zone that is unknown', () => {
  test('is never used', () => {
    for (const zone of ODD) {
      assert.equal(isKnownZone(zone), false, String(zone));
      assert.equal(knownZone(zone, 'Asia/Tokyo'), 'Asia/Tokyo');
      assert.equal(knownZone(zone, zone), 'UTC');
    }
    assert.equal(knownZone('Europe/Paris', 'Asia/Tokyo'), 'Europe/Paris');
  });

  test('of the user does not keep the page from loading', async () => {
    for (const zone of ODD) {
      const { page, when, dateIn, cityOf } = await load({ time_zone: zone });
      assert.equal(page.user.time_zone, 'UTC');
      assert.equal(typeof page.user.unknown_time_zone, 'string');
      assert.match(when('2020-03-01T12:00:00Z'), /12:00/);
      assert.match(when('2020-03-01T12:00:00Z', zone), /12:00/);
      assert.equal(dateIn(new Date('2020-03-01T12:00:00Z'), zone), '2020-03-01');
      assert.equal(typeof cityOf(typeof zone === 'string' ? zone : ''), 'string');
    }
  });

  test("is named where the server put the tenant's in its place", async () => {
    const { page } = await load({ time_zone: 'America/New_York', unknown_time_zone: 'Etc/Unknown' });
    assert.equal(page.user.time_zone, 'America/New_York');
    assert.equal(page.user.unknown_time_zone, 'Etc/Unknown');
  });

  test('a known one is not remarked on', async () => {
    const { page, zoneNote } = await load({ time_zone: 'America/New_York', unknown_time_zone: null });
    assert.equal(page.user.unknown_time_zone, null);
    assert.equal(zoneNote(), null);
  });
});

test('the schedule panel reckons with a zone that is known', async () => {
  await load({ time_zone: 'America/New_York' });
  const { instants, inWords, localTime, offsetOf } = await import('../js/zones.js');
  const at = new Date('2030-07-01T13:00:00Z');
  for (const zone of ODD) {
    assert.match(localTime(at, zone), /^2030-07-01T\d\d:00$/);
    assert.match(offsetOf(at, zone), /^[+-]\d\d:\d\d$/);
    assert.equal(instants('2030-07-01T09:00', zone).length, 1);
    assert.match(inWords(at, zone, [{ zone, who: 'Bob' }]), /:00/);
  }
  assert.deepEqual(instants('2030-07-01T09:00', 'America/New_York'), [at]);
});
