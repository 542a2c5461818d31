// A batch of many on its way: counts that add up, time left, pause and cancel.
import { call } from './api.js';
import { count, h, icon, note, say, t, tn, when } from './dom.js';
import { post } from './host.js';
import { poll } from './poll.js';

export const STATES = [
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
const TONE = { delivered: 'good', sent: '', failed: 'bad', undelivered: 'bad', uncertain: 'warn' };

/** How many are to get it: those left out never were. */
export const meant = (counts) => counts.total - counts.skipped;

/** The bar: delivered, sent, gone wrong; what is left stays empty. */
export function meter(counts) {
  const bar = h('div', { class: 'meter', 'aria-hidden': 'true' });
  for (const state of Object.keys(TONE)) {
    if (!counts[state]) continue;
    const part = h('i', { class: TONE[state] });
    part.style.width = `${(100 * counts[state]) / Math.max(1, meant(counts))}%`;
    bar.append(part);
  }
  return bar;
}

/** Whom a batch is for, in words: the person, or how many contacts or deals. */
export const whom = ({ to, counts, module }) =>
  to ? to.name || to.display : tn(`bulk.count.${module || 'contact'}`, counts.total);

/** How many of these are through. */
export const through = (counts) =>
  meant(counts) - counts.queued - counts.sending - counts.held - counts.cancelled;

/** "12 of 16" */
export const progressOf = (counts) =>
  t('progress.of', { done: count(through(counts)), total: count(meant(counts)) });

/** Badges that add up to the total. */
export function tally(counts) {
  return h(
    'ul',
    { class: 'tally' },
    STATES.filter((state) => counts[state]).map((state) =>
      h('li', { class: `badge num ${badge(state)}` }, `${count(counts[state])} ${t(`tally.${state}`)}`),
    ),
  );
}

export const badge = (state) =>
  ({ delivered: 'good', sent: 'accent', failed: 'bad', undelivered: 'bad', uncertain: 'warn', held: 'warn' })[
    state
  ] || '';

/** The state people see: what is made ready before its time waits for it all the same. */
export const seen = ({ state, send_at: at }) =>
  ['preparing', 'sending'].includes(state) && at && Date.parse(at) > Date.now() ? 'scheduled' : state;

const BATCH_TONE = {
  sending: 'accent',
  preparing: 'accent',
  scheduled: 'accent',
  held: 'warn',
  paused: 'warn',
};

/** How a batch stands; of one text that is through, what became of it. */
export function stateBadge(batch) {
  const { counts, warning } = batch;
  const state = seen(batch);
  const one =
    counts.total === 1 && ['done', 'cancelled'].includes(state) && STATES.find((name) => counts[name]);
  const tone = one ? badge(one) : warning ? 'warn' : BATCH_TONE[state] || '';
  return h('span', { class: `badge ${tone}` }, t(one ? `state.message.${one}` : `batch.state.${state}`));
}

export function bar(batch) {
  const { counts } = batch;
  const root = h('div', {
    role: 'progressbar',
    'aria-label': t('progress.label'),
    'aria-valuemin': '0',
    'aria-valuemax': String(meant(counts)),
    'aria-valuenow': String(through(counts)),
    'aria-valuetext': progressOf(counts),
  });
  root.append(meter(counts));
  return root;
}

export function timeLeft(batch) {
  const { eta, send_at: at } = batch;
  const state = seen(batch);
  if (state === 'scheduled') return at ? t('progress.starts', { time: when(at) }) : '';
  if (!eta || state !== 'sending') return '';
  const minutes = Math.round((Date.parse(eta) - Date.now()) / 60_000);
  return minutes < 1 ? t('progress.soon') : tn('progress.left', minutes, { time: when(eta) });
}

const gone = ({ failed, undelivered }) => failed + undelivered;

const HOW = { done: 'over', cancelled: 'over', paused: 'waiting', held: 'held' };

/** The popup's own view of a bulk after Send. */
export function followMany(root, { batch: first, onSettled, onNew, onBack }) {
  let heard = '';
  let asking = false; // whether to cancel
  let latest = first;
  onSettled();
  let drawn = ''; // which buttons
  const body = h('div', { class: 'stack' });
  const foot = h('div', { class: 'foot' });
  const offline = h('div', { class: 'stack' });
  const trouble = h('div', { class: 'stack', role: 'alert' }); // what a button was refused, until the next one
  root.replaceChildren(body, foot, offline, trouble);
  const watcher = poll(first.id, first, look, (refused) =>
    offline.replaceChildren(
      ...(refused ? [note('warn', refused.code === 'network' ? t('follow.offline') : refused.message)] : []),
    ),
  );

  function look(batch) {
    latest = batch;
    body.replaceChildren(
      h('h2', {}, t(`batch.state.${seen(batch)}`)),
      bar(batch),
      h('p', { class: 'num' }, progressOf(batch.counts), ' ', h('small', {}, timeLeft(batch))),
      tally(batch.counts),
      batch.reason ? note('warn', batch.reason) : '',
      batch.counts.uncertain ? note('warn', tn('progress.uncertain', batch.counts.uncertain)) : '',
      gone(batch.counts) ? note('bad', tn('progress.failed', gone(batch.counts))) : '',
      h('p', { class: 'soft' }, t(`progress.how.${HOW[batch.state] || 'going'}`)),
    );
    drawFoot(batch);
    const over = ['done', 'cancelled'].includes(batch.state);
    root.dataset.state = batch.state;
    root.dataset.over = over ? 'yes' : '';
    if (seen(batch) !== heard) say(t(`batch.state.${seen(batch)}`));
    heard = seen(batch);
    return over && !batch.counts.sent;
  }

  // A button stays itself while the counts move: else the click that falls on such a moment is lost.
  function drawFoot(batch) {
    const now = `${batch.state} ${asking}`;
    if (now === drawn) {
      if (asking && foot.querySelector('.full'))
        foot.querySelector('.full .note > div').textContent = rest(batch);
      return;
    }
    drawn = now;
    const keep = foot.contains(document.activeElement) && document.activeElement.dataset.act;
    foot.replaceChildren(...buttons(batch));
    if (keep) (foot.querySelector(`[data-act=${keep}]`) || foot.querySelector('button')).focus();
  }

  const rest = ({ counts }) => tn('sure.cancel.what', counts.queued + counts.held);

  function buttons(batch) {
    const { id, state } = batch;
    if (asking && !['done', 'cancelled'].includes(state)) return sure(batch);
    const act = (name, pic, cls = '') =>
      h(
        'button',
        {
          type: 'button',
          class: cls,
          'data-act': name,
          onclick: (event) => run(event.currentTarget, id, name),
        },
        pic ? icon(pic) : null,
        t(`progress.${name}`),
      );
    const close = h(
      'button',
      { type: 'button', class: 'primary', 'data-act': 'close', onclick: () => post('close') },
      t('follow.close'),
    );
    const another = () =>
      h(
        'button',
        {
          type: 'button',
          'data-act': 'new',
          onclick: () => {
            watcher.stop();
            onNew();
          },
        },
        t('follow.new'),
      );
    const last = onBack
      ? h(
          'button',
          {
            type: 'button',
            class: 'primary',
            'data-act': 'back',
            onclick: () => {
              watcher.stop();
              onBack();
            },
          },
          t('progress.back'),
        )
      : close;
    if (state === 'done' || state === 'cancelled') return onBack ? [last] : [another(), close];
    const pause =
      state === 'paused' || state === 'held'
        ? [act('resume', 'play')]
        : ['sending', 'preparing'].includes(state)
          ? [act('pause', 'pause')]
          : [];
    const stop = h(
      'button',
      { type: 'button', class: 'danger', 'data-act': 'cancel', onclick: () => ask(true, 'keep') },
      t('progress.cancel'),
    );
    return [stop, ...pause, ...(state === 'scheduled' && onNew ? [another()] : []), last];
  }

  // What can't be taken back is asked first, here: the popup has no room for a dialog.
  function sure(batch) {
    return [
      h('div', { class: 'grow full' }, note('warn', rest(batch))),
      h(
        'button',
        { type: 'button', 'data-act': 'keep', onclick: () => ask(false, 'cancel') },
        t('sure.cancel.no'),
      ),
      h(
        'button',
        {
          type: 'button',
          class: 'danger',
          'data-act': 'cancel-sure',
          onclick: (event) => run(event.currentTarget, batch.id, 'cancel'),
        },
        t('sure.cancel.yes'),
      ),
    ];
  }

  function ask(on, next) {
    asking = on;
    look(latest);
    foot.querySelector(`[data-act=${next}]`)?.focus();
    if (on) say(rest(latest));
  }

  async function run(button, id, name) {
    const held = button === document.activeElement;
    button.disabled = true;
    trouble.replaceChildren();
    try {
      look((await call('POST', `/embed/api/batches/${id}/${name}`, { body: {} })).batch);
      watcher.now();
    } catch (refused) {
      trouble.replaceChildren(note('bad', refused.message));
    }
    button.disabled = false;
    // Never to a button that ends things: whoever pressed Pause presses once more.
    if (held && !foot.contains(document.activeElement))
      (button.isConnected
        ? button
        : foot.querySelector('[data-act=resume], [data-act=pause]') || foot.querySelector('button.primary')
      ).focus();
  }
}
