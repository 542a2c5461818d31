import assert from 'node:assert/strict';
import { test } from 'node:test';

import { dialpadBlocks, momentOf, offerOf } from '../js/consent_state.js';

const contact = (...sources) => ({ opted_out: sources.length > 0, sources: sources.map((source) => ({ source })) });

test('a number is offered what can be recorded', () => {
  assert.equal(offerOf(contact()), 'opt_out');
  assert.equal(offerOf(contact('reply')), 'opt_in');
  assert.equal(offerOf(contact('reply', 'dialpad')), 'opt_in');
  assert.equal(offerOf(contact('dialpad')), null);
});

test("only Dialpad's list alone blocks", () => {
  assert.equal(dialpadBlocks(contact('dialpad')), true);
  assert.equal(dialpadBlocks(contact('dialpad', 'crm')), false);
  assert.equal(dialpadBlocks(contact()), false);
});

test('consent of today was given now, of a past day at its end', () => {
  assert.equal(momentOf('2026-11-30', '2026-11-30'), null);
  assert.equal(momentOf('2026-12-01', '2026-11-30'), null);
  assert.equal(momentOf('', '2026-11-30'), null);
  assert.equal(momentOf('2026-11-29', '2026-11-30'), new Date('2026-11-29T23:59:59').toISOString());
});
