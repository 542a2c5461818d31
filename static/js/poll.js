// Asks how far a batch is: often while a person waits, then seldom.
import { call, newest } from './api.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/**
 * Calls update(batch) with the first batch and after each answer, until it returns
 * true. onRefusal gets each refusal, and null when an answer came again. A batch that
 * is gone and a session that is over end it. now() asks at once.
 */
export function poll(first, update, onRefusal) {
  const begun = Date.now();
  const ask = newest();
  let stopped = false;
  let timer = 0;
  let batch = first;

  async function round() {
    const isNewest = ask();
    try {
      const answer = await call('GET', `/embed/api/batches/${first.id}`);
      if (!isNewest()) return; // now() has asked again: this answer is older than what somebody just did
      batch = answer.batch;
      if (!stopped && update(batch)) return;
      onRefusal(null);
    } catch (refusal) {
      if (!isNewest()) return;
      onRefusal(refusal);
      if (refusal.code === 'session_over' || refusal.status === 404) return;
    }
    schedule();
  }

  function schedule() {
    if (stopped) return;
    clearTimeout(timer); // now() may have asked during a round: only one of them goes on
    timer = setTimeout(round, delay(batch, Date.now() - begun));
  }

  if (!update(first)) schedule();
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

/**
 * How long to wait until the next question, in milliseconds; age is how long somebody
 * has been waiting.
 */
function delay(batch, age) {
  const due = batch.send_at ? Date.parse(batch.send_at) - Date.now() : Infinity;
  if (batch.state === 'scheduled' && due > MINUTE) return 15 * SECOND;
  const usual = document.hidden ? 5 * SECOND : delayByAge(age);
  return Math.abs(due) < MINUTE ? Math.min(usual, 1.5 * SECOND) : usual;
}

function delayByAge(age) {
  if (age < 5 * SECOND) return 0.5 * SECOND;
  if (age < MINUTE) return 1.5 * SECOND;
  return age < 10 * MINUTE ? 5 * SECOND : 30 * SECOND;
}
