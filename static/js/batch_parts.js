// What the popup and the outbox show of a batch: bar, counts, state, time left.
import { MESSAGE_STATES, intended, isOver, processed, shownState } from './batch_state.js';
import { badge, count, h, has, icon, t, timeTag, tn, when } from './dom.js';
import { soon } from './times.js';

// The parts of the bar, in order, and their colours; what is left stays empty.
const BAR_TONE = { delivered: 'good', sent: '', failed: 'bad', undelivered: 'bad', uncertain: 'warn' };

const BADGE_TONE = {
  delivered: 'good',
  sent: 'accent',
  failed: 'bad',
  undelivered: 'bad',
  uncertain: 'warn',
  held: 'warn',
};

const BATCH_TONE = {
  sending: 'accent',
  preparing: 'accent',
  scheduled: 'accent',
  held: 'warn',
  paused: 'warn',
};

/** A bar: delivered, sent, gone wrong. */
export function meter(counts) {
  const bar = h('div', { class: 'meter', 'aria-hidden': 'true' });
  for (const [state, tone] of Object.entries(BAR_TONE)) {
    if (!counts[state]) continue;
    const part = h('i', { class: tone });
    part.style.width = `${(100 * counts[state]) / Math.max(1, intended(counts))}%`;
    bar.append(part);
  }
  return bar;
}

/** The bar with its numbers for a screen reader. */
export function progressBar({ counts }) {
  const values = {
    role: 'progressbar',
    'aria-label': t('progress.label'),
    'aria-valuemin': '0',
    'aria-valuemax': String(intended(counts)),
    'aria-valuenow': String(processed(counts)),
    'aria-valuetext': progressWords(counts),
  };
  return h('div', values, meter(counts));
}

/** "12 of 16" */
export const progressWords = (counts) =>
  t('progress.of', { done: count(processed(counts)), total: count(intended(counts)) });

/** Whom a batch is for, in words: the person, or how many contacts or deals. */
export const recipientWords = ({ to, counts, module }) =>
  to ? to.name || to.display : tn(`bulk.count.${module || 'contact'}`, counts.total);

/** Where a batch comes from: one to one, bulk, or an automation with its name. */
export const sourceWords = ({ source, workflow }) =>
  t(`source.${source}`) + (workflow ? ` “${workflow.name}”` : '');

/** A badge for each state that occurs; they add up to the total. */
export function countBadges(counts) {
  const item = (state) =>
    h('li', { class: `badge num ${badgeTone(state)}` }, `${count(counts[state])} ${t(`tally.${state}`)}`);
  return h('ul', { class: 'tally' }, MESSAGE_STATES.filter((state) => counts[state]).map(item));
}

/** The colour of a text's state. */
const badgeTone = (state) => BADGE_TONE[state] || '';

/** The state of a text. */
export const messageBadge = (state) => badge(badgeTone(state), t(`state.tab.${state}`));

/** What a person answered to a text, a line each. */
export const replyLines = ({ replies = [] }) =>
  replies.map(({ text, picture, at }) => {
    const words = text || t(picture ? 'talk.picture' : 'talk.unread');
    return h('p', { class: 'answer' }, icon('reply'), h('span', {}, words, ' ', h('small', {}, timeTag(at))));
  });

/** The state of a batch; of a single text that is through, what became of it. */
export function batchBadge(batch) {
  const { counts, warning } = batch;
  const single = counts.total === 1 && isOver(batch) && MESSAGE_STATES.find((state) => counts[state]);
  if (single) return badge(badgeTone(single), t(`state.message.${single}`));
  const state = shownState(batch);
  return badge(warning ? 'warn' : BATCH_TONE[state], t(`batch.state.${state}`));
}

/** Why a batch is held. What stopped it may be over. */
export function heldWords({ reason, held_code: code, resumable }) {
  const gone = `held.${code}.back`;
  return resumable && has(gone) ? t(gone) : reason || '';
}

const COUNTED_DOWN = 90; // seconds

/** What texts wait for, and until when: "Dialpad asks us to wait: next try in 18 s". */
function waitWords({ code, until }) {
  const seconds = Math.max(1, Math.ceil((Date.parse(until) - Date.now()) / 1000));
  const time = seconds < COUNTED_DOWN ? t('wait.seconds', { n: seconds }) : t('wait.at', { time: soon(until) });
  return t(`wait.${code}`, { time });
}

/** The same as a paragraph of its own, or nothing. */
export const waitNote = (batch) => (batch.wait ? h('p', {}, waitLine(batch)) : '');

export const waitLine = ({ wait }) => (wait ? h('span', { class: 'wait num' }, icon('clock'), waitWords(wait)) : '');

/**
 * When a batch starts, or about how long it still takes; "" when neither is known.
 */
export function timeLeft(batch) {
  const { eta, send_at: at, wait } = batch;
  const state = shownState(batch);
  if (state === 'scheduled') return at ? t('progress.starts', { time: when(at) }) : '';
  if (!eta || wait || state !== 'sending') return '';
  const minutes = Math.round((Date.parse(eta) - Date.now()) / 60_000);
  return minutes < 1 ? t('progress.soon') : tn('progress.left', minutes, { time: when(eta) });
}
