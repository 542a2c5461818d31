import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as states from '../js/batch_state.js';

const inAMinute = new Date(Date.now() + 60_000).toISOString();
const aMinuteAgo = new Date(Date.now() - 60_000).toISOString();

/** Counts with the given states and their total. */
function counts(some) {
  const all = Object.fromEntries(states.MESSAGE_STATES.map((state) => [state, 0]));
  const total = Object.values(some).reduce((sum, n) => sum + n, 0);
  return { ...all, ...some, total };
}

describe('the state that people see', () => {
  for (const [name, batch, want] of [
    ['a batch prepared before its time', { state: 'preparing', send_at: inAMinute }, 'scheduled'],
    ['a batch ready before its time', { state: 'sending', send_at: inAMinute }, 'scheduled'],
    ['a batch past its time', { state: 'sending', send_at: aMinuteAgo }, 'sending'],
    ['a batch without a time', { state: 'sending', send_at: null }, 'sending'],
    ['a batch held before its time', { state: 'held', send_at: inAMinute }, 'held'],
  ]) {
    test(`${name} is ${want}`, () => assert.equal(states.shownState(batch), want));
  }
});

describe('the state of one text', () => {
  for (const state of states.MESSAGE_STATES) {
    test(`a text that is ${state}`, () => {
      assert.equal(states.textState({ state: 'sending', counts: counts({ [state]: 1 }) }), state);
    });
  }

  for (const [batch, want] of [
    [{ state: 'scheduled', counts: counts({ queued: 1 }) }, 'scheduled'],
    [{ state: 'sending', send_at: inAMinute, counts: counts({ queued: 1 }) }, 'scheduled'],
    [{ state: 'preparing', counts: counts({}) }, 'queued'],
    [{ state: 'held', counts: counts({}) }, 'held'],
    [{ state: 'cancelled', counts: counts({}) }, 'cancelled'],
  ]) {
    test(`a ${batch.state} batch with ${batch.counts.total} texts is ${want}`, () => {
      assert.equal(states.textState(batch), want);
    });
  }
});

describe('the counts', () => {
  const some = counts({
    delivered: 3,
    sent: 2,
    sending: 1,
    queued: 4,
    held: 1,
    failed: 1,
    undelivered: 1,
    skipped: 2,
  });

  test('those left out get no text', () => assert.equal(states.intended(some), 13));
  test('what waits, is on its way or was cancelled has not been dealt with', () => {
    assert.equal(states.processed(some), 7);
    assert.equal(states.processed(counts({ delivered: 1, cancelled: 5 })), 1);
  });
  test('queued and held texts can be cancelled', () => assert.equal(states.waiting(some), 5));
  test('failed and undelivered texts are lost', () => assert.equal(states.lost(some), 2));
});

describe('a held batch may be given another time', () => {
  const schedule = { local: '2026-11-24T09:00' };
  for (const [name, batch, want] of [
    ['before it began', { state: 'held', schedule, timeline: [{ what: 'created' }] }, true],
    ['not once it began', { state: 'held', schedule, timeline: [{ what: 'started' }] }, false],
    ['not without a schedule', { state: 'held', schedule: null }, false],
    ['only while it is held', { state: 'paused', schedule }, false],
  ]) {
    test(name, () => assert.equal(states.isHeldBeforeStart(batch), want));
  }
});

test('a running batch can be paused, a stopped one resumed, one that is over neither', () => {
  const can = (state) => [states.isRunning({ state }), states.isStopped({ state }), states.isOver({ state })];
  assert.deepEqual(can('preparing'), [true, false, false]);
  assert.deepEqual(can('sending'), [true, false, false]);
  assert.deepEqual(can('paused'), [false, true, false]);
  assert.deepEqual(can('held'), [false, true, false]);
  assert.deepEqual(can('done'), [false, false, true]);
  assert.deepEqual(can('cancelled'), [false, false, true]);
  assert.deepEqual(can('scheduled'), [false, false, false]);
});
