import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { undoableUntil } from '../js/batch_state.js';

describe('a batch that can be undone', () => {
  const created = '2026-11-30T12:00:00Z';
  const at = '2026-11-30T12:00:10Z';
  const now = Date.parse(created);
  test('waits for its first moment, by whichever clock is earlier', () => {
    assert.equal(undoableUntil({ created_at: created, send_at: at }, now), now + 10_000);
    assert.equal(undoableUntil({ created_at: created, send_at: at }, now + 4000), now + 10_000);
    assert.equal(undoableUntil({ created_at: created, send_at: at }, now - 3_600_000), now - 3_590_000);
  });
  test('is no schedule, and none that goes at once', () => {
    assert.equal(undoableUntil({ created_at: created, send_at: at, schedule: { local: '' } }, now), 0);
    assert.equal(undoableUntil({ created_at: created, send_at: null }, now), 0);
  });
});
