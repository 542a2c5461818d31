// What the states of a batch and its texts mean. Pure: no page, no network.

/** The states of a text, in the order in which they are listed. */
export const MESSAGE_STATES = [
  'delivered',
  'sent',
  'sending',
  'queued',
  'held',
  'uncertain',
  'undelivered',
  'failed',
  'skipped',
  'cancelled',
];

/** Texts that went wrong, or whose outcome a person has to look at. */
const BAD = new Set(['failed', 'undelivered', 'skipped', 'cancelled', 'uncertain', 'held']);

/**
 * Nothing more can become of these, except that "sent" may still become "delivered".
 */
const FINAL = new Set(['delivered', 'undelivered', 'failed', 'skipped', 'cancelled']);

export const isBad = (state) => BAD.has(state);
export const isFinal = (state) => FINAL.has(state);

/** True when a batch sends nothing more. */
export const isOver = ({ state }) => state === 'done' || state === 'cancelled';

/** True while a batch is being prepared or sent: it can be paused. */
export const isRunning = ({ state }) => state === 'preparing' || state === 'sending';

/** True when a batch was stopped, by a person or by us: it can be resumed. */
export const isStopped = ({ state }) => state === 'paused' || state === 'held';

/**
 * The state that people see. A batch is prepared up to two minutes before its time;
 * until then it still reads "scheduled".
 */
export const shownState = (batch) =>
  isRunning(batch) && batch.send_at && Date.parse(batch.send_at) > Date.now() ? 'scheduled' : batch.state;

/**
 * Until when (milliseconds) a batch can be undone before its first text leaves: it has a
 * moment to begin, but nobody chose that as a schedule. 0 for others.
 */
export function undoableUntil({ schedule, send_at: at, created_at: created }, now = Date.now()) {
  if (schedule || !at) return 0;
  return Math.min(Date.parse(at), now + Date.parse(at) - Date.parse(created));
}

/** The state of the one text of a batch to one person. */
export function textState(batch) {
  const { state, counts } = batch;
  if (shownState(batch) === 'scheduled') return 'scheduled';
  const order = ['delivered', 'sent', 'undelivered', 'failed', 'uncertain', 'skipped', 'cancelled', 'held'];
  const counted = order.find((one) => counts[one]);
  if (counted) return counted;
  if (state === 'held' || state === 'cancelled') return state;
  return counts.sending ? 'sending' : 'queued';
}

/** How many people are to get a text: those left out are not. */
export const intended = (counts) => counts.total - counts.skipped;

/** How many texts still wait, so that they can be cancelled. */
export const waiting = (counts) => counts.queued + counts.held;

/** How many texts have been dealt with. */
export const processed = (counts) =>
  intended(counts) - counts.queued - counts.sending - counts.held - counts.cancelled;

/** How many texts surely did not arrive. */
export const lost = (counts) => counts.failed + counts.undelivered;

/** True when a batch was held before it began: it may be given another time. */
export const isHeldBeforeStart = ({ state, schedule, timeline = [] }) =>
  state === 'held' && Boolean(schedule) && !timeline.some(({ what }) => what === 'started' || what === 'prepared');
