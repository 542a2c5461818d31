// Asking how far a batch is: often while a person waits, then seldom.
import { call } from './api.js';

const MINUTE = 60_000;

/** Calls look(batch) at each change until it says it is over. A batch that is gone and a session that is over end it. */
export function poll(id, first, look, failed = () => {}) {
  const begun = Date.now();
  let stopped = false;
  let timer = 0;
  let asked = 0;
  let batch = first;
  async function round() {
    const mine = (asked += 1);
    try {
      const answer = await call('GET', `/embed/api/batches/${id}`);
      if (mine !== asked) return; // older than what somebody just did: now() has asked anew
      batch = answer.batch;
      if (!stopped && look(batch)) return;
      failed(null);
    } catch (refused) {
      if (mine !== asked) return;
      failed(refused);
      if (refused.code === 'session_over' || refused.status === 404) return;
    }
    plan();
  }
  function plan() {
    if (stopped) return;
    clearTimeout(timer); // now() may have asked while a round was under way: one of them goes on
    const age = Date.now() - begun;
    const due = batch && batch.send_at ? Date.parse(batch.send_at) - Date.now() : Infinity;
    const wait = document.hidden
      ? 5000
      : age < 5000
        ? 500
        : age < MINUTE
          ? 1500
          : age < 10 * MINUTE
            ? 5000
            : 30_000;
    timer = setTimeout(
      round,
      due > MINUTE && batch && batch.state === 'scheduled'
        ? 15_000
        : Math.abs(due) < MINUTE
          ? Math.min(wait, 1500)
          : wait,
    );
  }
  if (!look(first)) plan();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
    now() {
      clearTimeout(timer);
      round();
    },
  };
}
