// After Send: the text's own state, moving by itself, until nothing more can happen.
import { call, callOnce } from './api.js';
import { $, dialpadsWord, h, icon, link, note, page, say, t, timeTag, whyOf } from './dom.js';
import { post } from './host.js';
import { poll } from './poll.js';
import { followMany, seen } from './progress.js';

/** @param onEdit gets the text back · @param onSettled the text has surely left · @param onNew begin another · @param onAgain it is sent again, as another batch */
export function follow(root, options) {
  if (options.context.mode === 'bulk') followMany(root, options);
  else followOne(root, options);
}

const OVER = new Set(['delivered', 'undelivered', 'failed', 'skipped', 'cancelled']);
const BAD = new Set(['failed', 'undelivered', 'skipped', 'cancelled', 'uncertain', 'held']);

function stateOf(batch) {
  const { state, counts } = batch;
  if (seen(batch) === 'scheduled') return 'scheduled';
  for (const one of [
    'delivered',
    'sent',
    'undelivered',
    'failed',
    'uncertain',
    'skipped',
    'cancelled',
    'held',
  ])
    if (counts[one]) return one;
  if (state === 'held' || state === 'cancelled') return state;
  return counts.sending ? 'sending' : 'queued';
}

function followOne(root, options) {
  const { batch: first, context, text, onSettled, onEdit, onNew, onAgain } = options;
  let shown = '';
  let waits = null; // for what
  let message = null;
  const trouble = h('div', { hidden: true }, note('warn', t('follow.offline')));
  const body = h('div', { class: 'stack' });
  root.replaceChildren(body, trouble);
  const watcher = poll(first.id, first, look, (refused) => {
    trouble.hidden = !refused;
    if (refused)
      $('div > div', trouble).textContent =
        refused.code === 'network' ? t('follow.offline') : refused.message;
  });

  function look(batch) {
    const state = stateOf(batch);
    if (state !== shown) change(batch, state);
    else if (state === 'queued' && batch.reason !== waits) draw(batch, state);
    return OVER.has(state);
  }

  async function change(batch, state) {
    shown = state;
    if (state === 'sent' || state === 'delivered') onSettled();
    draw(batch, state);
    say(t(`state.message.${state}`));
    if (!BAD.has(state) && state !== 'sent') return;
    const { messages } = await call('GET', `/embed/api/batches/${batch.id}/messages`).catch(() => ({
      messages: [],
    }));
    message = messages[0] || null;
    if (shown === state && message) draw(batch, state);
  }

  function draw(batch, state) {
    const said = (message && message.text) || batch.text || text || '';
    const held = body.contains(document.activeElement) ? document.activeElement.dataset.act : '';
    body.replaceChildren(
      h(
        'p',
        {},
        h('strong', {}, context.to.name || context.to.display),
        h('small', { class: 'num' }, ` ${context.to.name ? context.to.display : ''}`),
      ),
      h('p', { class: 'bubble' }, said),
      state === 'scheduled' ? scheduled(batch) : steps(state),
      reason(batch, state) || '',
      h('div', { class: 'foot' }, buttons(batch, state, said)),
    );
    if (held) (body.querySelector(`[data-act="${held}"]`) || body.querySelector('.foot button')).focus();
    waits = batch.reason;
    root.dataset.state = state;
    root.dataset.over = OVER.has(state) || state === 'sent' ? 'yes' : '';
  }

  function scheduled(batch) {
    return note(
      'good',
      t('follow.scheduled'),
      ' ',
      timeTag(batch.send_at, page.user.time_zone),
      '. ',
      t('follow.scheduled_how'),
    );
  }

  function reason(batch, state) {
    if (state === 'queued' && batch.reason) return note('warn', batch.reason);
    if (!BAD.has(state)) return null;
    const why = (message && whyOf(message)) || batch.reason || t(`state.message.${state}.why`);
    return note(
      state === 'uncertain' || state === 'held' ? 'warn' : 'bad',
      why,
      message ? dialpadsWord(message) : '',
    );
  }

  function buttons(batch, state, said) {
    const act = (key, onclick, cls = '') =>
      h('button', { type: 'button', class: cls, 'data-act': key, onclick }, t(key));
    const closing = act('follow.close', () => post('close'));
    const another = act('follow.new', () => {
      watcher.stop();
      onNew();
    });
    if (state === 'held')
      return [
        act('follow.cancel', () => cancel(batch, said)),
        act('progress.resume', () => resume(batch)),
        closing,
      ];
    if (state === 'scheduled' || state === 'queued')
      return [act('follow.cancel', () => cancel(batch, said)), another, closing];
    if (OVER.has(state) && BAD.has(state))
      return [
        closing,
        act(
          'follow.edit',
          () => {
            watcher.stop();
            onEdit(said);
          },
          'primary',
        ),
      ];
    if (state === 'uncertain') return [act('follow.again', () => again(batch)), another, closing];
    return [another, act('follow.close', () => post('close'), 'primary')];
  }

  async function resume(batch) {
    try {
      look((await call('POST', `/embed/api/batches/${batch.id}/resume`, { body: {} })).batch);
    } catch (refused) {
      body.append(note('bad', refused.message));
    }
  }

  async function cancel(batch, said) {
    try {
      const answer = await call('POST', `/embed/api/batches/${batch.id}/cancel`, { body: {} });
      look(answer.batch);
      if (stateOf(answer.batch) === 'cancelled') {
        watcher.stop();
        onEdit(said);
      }
    } catch (refused) {
      body.append(note('bad', refused.message));
    }
  }

  // Deliberate, and asked twice: the first one may have arrived.
  function again(batch) {
    const really = async () => {
      try {
        const answer = await callOnce('POST', `/embed/api/batches/${batch.id}/resend`, {
          states: ['uncertain'],
          confirm: true,
        });
        watcher.stop();
        onAgain(answer.batch);
        followOne(root, { ...options, batch: answer.batch });
      } catch (refused) {
        body.append(note('bad', refused.message));
      }
    };
    body.append(note('warn', t('follow.again_sure'), ' ', link(t('follow.again_yes'), really)));
    body.querySelector('.note:last-child .link').focus();
  }
}

const tone = (state) =>
  state === 'delivered'
    ? 'good'
    : state === 'uncertain' || state === 'held'
      ? 'warn'
      : BAD.has(state)
        ? 'bad'
        : '';

const STEPS = ['sending', 'sent', 'delivered'];

// queued counts as the first step: a person who pressed Send sees it sending.
function steps(state) {
  const at = {
    queued: 0,
    sending: 0,
    uncertain: 0,
    held: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
    sent: 1,
    undelivered: 2,
    delivered: 2,
  }[state];
  return h(
    'ol',
    { class: 'steps', 'aria-label': t('follow.steps') },
    STEPS.map((step, index) => {
      const now = index === at;
      const bad = now && BAD.has(state);
      const words = now ? t(`state.message.${state}`) : t(`state.message.${step}`);
      const mark =
        index < at || (now && state === 'delivered')
          ? icon('check')
          : bad
            ? icon('alert')
            : now && state === 'sent'
              ? icon('check')
              : now
                ? icon('wait', 'spin')
                : icon('ring');
      const cls = index < at ? 'past' : now ? `now ${tone(state)}` : '';
      return h('li', { class: cls, 'aria-current': now ? 'step' : null }, h('span', {}, mark, words));
    }),
  );
}
