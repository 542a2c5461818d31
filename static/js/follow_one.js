// The popup's view of a text to one person after Send.
import { call } from './api.js';
import { cancelBatch, resendUncertain, resumeBatch } from './batch_actions.js';
import { waitNote } from './batch_parts.js';
import { isBad, isFinal, textState } from './batch_state.js';
import {
  $,
  announce,
  button,
  dialpadCode,
  h,
  icon,
  keepFocus,
  link,
  note,
  page,
  reasonOf,
  t,
  timeTag,
} from './dom.js';
import { post } from './host.js';
import { poll } from './poll.js';

/** Options and result: see follow. */
export function followOne(root, options) {
  const { batch: first, context, text, onProgress, onEdit, onNew, onResent } = options;
  let shown = ''; // the state on the screen
  let shownReason = null;
  let message = null; // its details, once they are of interest
  let stopped = false;
  const offline = h('div', { hidden: true }, note('warn', t('follow.offline')));
  const body = h('div', { class: 'stack' });
  root.replaceChildren(body, offline);
  const watcher = poll(first, update, (refusal) => {
    offline.hidden = !refusal;
    if (!refusal) return;
    $('div > div', offline).textContent = refusal.code === 'network' ? t('follow.offline') : refusal.message;
  });

  function update(batch) {
    const state = textState(batch);
    if (state !== shown) change(batch, state);
    else if (state === 'queued' && (batch.wait || batch.reason !== shownReason)) draw(batch, state);
    return isFinal(state);
  }

  async function change(batch, state) {
    shown = state;
    onProgress(state);
    draw(batch, state);
    announce(t(`state.message.${state}`));
    const mayWait = state === 'queued' && batch.move_quiet; // for the end of quiet hours
    if (!isBad(state) && state !== 'sent' && !mayWait) return;
    const address = `/embed/api/batches/${batch.id}/messages`;
    const { messages } = await call('GET', address).catch(() => ({ messages: [] }));
    message = messages[0] || null;
    if (!stopped && shown === state && message) draw(batch, state);
  }

  function draw(batch, state) {
    const written = (message && message.text) || batch.text || text || '';
    const { name, display } = context.to;
    const content = [
      h('p', {}, h('strong', {}, name || display), h('small', { class: 'num' }, ` ${name ? display : ''}`)),
      h('p', { class: 'bubble' }, written),
      waitingNote(state) || (state === 'scheduled' ? scheduledNote(batch) : steps(state)),
      waitNote(batch),
      reasonNote(batch, state) || '',
      h('div', { class: 'foot' }, buttons(batch, state, written)),
    ];
    keepFocus(
      body,
      () => body.replaceChildren(...content),
      () => $('.foot button', body),
    );
    shownReason = batch.reason;
    root.dataset.state = state;
  }

  function waitingNote(state) {
    if (state !== 'queued' || !message?.due_at) return null;
    return note('', t('follow.morning'), ' ', timeTag(message.due_at));
  }

  function reasonNote(batch, state) {
    if (state === 'queued' && batch.reason) return note('warn', batch.reason);
    if (!isBad(state)) return null;
    const reason = (message && reasonOf(message)) || batch.reason || t(`state.message.${state}.why`);
    const kind = state === 'uncertain' || state === 'held' ? 'warn' : 'bad';
    return note(kind, reason, message ? dialpadCode(message) : '');
  }

  function buttons(batch, state, written) {
    const act = (key, onclick, cls = '') => button(t(key), { class: cls, 'data-act': key, onclick });
    const close = (cls) => act('follow.close', () => post('close'), cls);
    const cancel = act('follow.cancel', () => attempt(() => cancelAndEdit(batch, written)));
    const another = act('follow.new', onNew);
    if (state === 'held') {
      const resume = async () => update(await resumeBatch(batch));
      return [cancel, act('progress.resume', () => attempt(resume)), close()];
    }
    if (state === 'scheduled' || state === 'queued') return [cancel, another, close()];
    if (isFinal(state) && isBad(state)) {
      return [close(), act('follow.edit', () => onEdit(written), 'primary')];
    }
    if (state === 'uncertain') return [act('follow.again', () => askToResend(batch)), another, close()];
    return [another, close('primary')];
  }

  async function attempt(action) {
    try {
      await action();
    } catch (refusal) {
      body.append(note('bad', refusal.message));
    }
  }

  async function cancelAndEdit(batch, written) {
    const now = await cancelBatch(batch);
    update(now);
    if (textState(now) === 'cancelled') onEdit(written);
  }

  // The first text may have arrived, so the person is asked once more.
  function askToResend(batch) {
    const resend = async () => onResent(await resendUncertain(batch));
    const yes = link(t('follow.again_yes'), () => attempt(resend));
    body.append(note('warn', t('follow.again_sure'), ' ', yes));
    yes.focus();
  }

  return () => {
    stopped = true;
    watcher.stop();
  };
}

function scheduledNote(batch) {
  const time = timeTag(batch.send_at, page.user.time_zone);
  return note('good', t('follow.scheduled'), ' ', time, '. ', t('follow.scheduled_how'));
}

const STEPS = ['sending', 'sent', 'delivered'];

// The step that each state stands at. A person who pressed Send sees a queued text
// sending.
const STEP_OF = {
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
};

function steps(state) {
  const at = STEP_OF[state];
  const step = (name, index) => {
    const current = index === at;
    const cls = index < at ? 'past' : current ? `now ${toneOf(state)}` : '';
    const words = h('span', {}, stepIcon(state, index, at), t(`state.message.${current ? state : name}`));
    return h('li', { class: cls, 'aria-current': current ? 'step' : null }, words);
  };
  return h('ol', { class: 'steps', 'aria-label': t('follow.steps') }, STEPS.map(step));
}

function toneOf(state) {
  if (state === 'delivered') return 'good';
  if (state === 'uncertain' || state === 'held') return 'warn';
  return isBad(state) ? 'bad' : '';
}

function stepIcon(state, index, at) {
  if (index > at) return icon('ring');
  if (index < at || state === 'delivered' || state === 'sent') return icon('check');
  return isBad(state) ? icon('alert') : icon('wait', 'spin');
}
