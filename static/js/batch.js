// One batch in the outbox: its text, its people, and what can be done about it.
import { call } from './api.js';
import { cancelBatch, pauseBatch, resendFailed, resendUncertain, resumeBatch } from './batch_actions.js';
import {
  batchBadge,
  countBadges,
  heldWords,
  progressBar,
  progressWords,
  recipientWords,
  sourceWords,
  timeLeft,
  waitNote,
} from './batch_parts.js';
import { peopleTable } from './batch_people.js';
import { MESSAGE_STATES, isHeldBeforeStart, isOver, isRunning, isStopped, shownState, waiting } from './batch_state.js';
import { foldEmail } from './checks.js';
import { downloadReport } from './csv.js';
import { confirmDialog } from './dialogs.js';
import { duplicateDialog } from './duplicate.js';
import {
  $,
  announce,
  badge,
  button,
  count,
  h,
  has,
  icon,
  keepFocus,
  link,
  note,
  page,
  refusalNote,
  t,
  timeTag,
  timeline,
  tn,
  when,
} from './dom.js';
import { editDialog } from './edit.js';
import { poll } from './poll.js';
import { readable } from './readable.js';

/**
 * Shows a batch and keeps it current. Returns a function that ends it.
 * @param open shows another batch, by its id · @param back the link to the list
 */
export function showBatch({ id, root, actions, open, back }) {
  let watcher = null;
  let ended = false;
  let shownCounts = '';
  let drawnActions = ''; // which buttons are on the screen
  let latest = null;
  const head = h('section', { class: 'card stack' });
  const people = h('section', { class: 'card stack', hidden: true });
  const events = h('section', { class: 'card stack', hidden: true });
  const offline = h('div', { class: 'stack' });
  const problem = h('div', { class: 'stack', role: 'alert' });
  const table = peopleTable({ root: people, id, problem, changed: (batch) => updateWithPeople(batch) });
  const bones = [h('div', { class: 'bone half' }), h('div', { class: 'bone' })];
  root.replaceChildren(h('div', {}, back), problem, h('div', { class: 'card stack' }, bones));
  load();

  async function load() {
    try {
      const { batch } = await call('GET', `/embed/api/batches/${id}`);
      if (ended) return;
      root.replaceChildren(h('div', {}, back), offline, problem, head, people, events);
      watcher = poll(batch, update, (refusal) => {
        offline.replaceChildren(...(refusal ? [note('warn', refusal.message)] : []));
      });
    } catch (refusal) {
      if (!ended) root.replaceChildren(h('div', {}, back), refusalNote(refusal));
    }
  }

  function update(batch) {
    if (ended) return true;
    latest = batch;
    $('#title').textContent = document.title = recipientWords(batch);
    head.replaceChildren(...headOf(batch, () => edit(batch)));
    drawActions(batch);
    drawEvents(batch);
    const counts = JSON.stringify([batch.counts, batch.answers]);
    if (counts !== shownCounts) {
      shownCounts = counts;
      table.update(batch);
    }
    return false; // somebody may still answer
  }

  // Redraws the people even when the counts are the same.
  function updateWithPeople(batch) {
    shownCounts = '';
    return update(batch);
  }

  function drawEvents(batch) {
    const list = batch.timeline || [];
    events.hidden = !list.length;
    const said = list.map((moment) => ({ at: moment.at, text: momentWords(moment, batch) }));
    if (!events.hidden) events.replaceChildren(h('h2', {}, t('batch.timeline')), timeline(said));
  }

  // A button is not replaced while only the counts move: a click that begins on one
  // element and ends on another is lost.
  function drawActions(batch) {
    const { state, resendable } = batch;
    const wanted = JSON.stringify([state, resendable, isHeldBeforeStart(batch)]);
    if (wanted === drawnActions) return;
    drawnActions = wanted;
    keepFocus(
      actions,
      () => actions.replaceChildren(...buttons(batch)),
      () => $('button', actions) || $('#title'),
    );
  }

  function buttons(batch) {
    const { state, resendable } = batch;
    const act = (name, onclick, cls = '', values = {}) =>
      button(t(`batch.${name}`, values), { class: cls, 'data-act': name, onclick });
    const list = [];
    if (isStopped(batch)) list.push(act('resume', attempt(resume), 'primary'));
    if (state === 'scheduled' || isHeldBeforeStart(batch)) {
      list.push(act('edit', () => edit(latest), state === 'held' ? '' : 'primary'));
    }
    if (isRunning(batch))
      list.push(
        act(
          'pause',
          attempt(() => run(pauseBatch)),
        ),
      );
    if (resendable.failed && batch.counts.total === 1) {
      list.push(
        button(t('batch.resend_one'), { 'data-act': 'resend', onclick: attempt(() => run(resendFailed)) }),
      );
    } else if (resendable.failed) {
      list.push(
        act(
          'resend',
          attempt(() => run(resendFailed)),
          '',
          { n: count(resendable.failed) },
        ),
      );
    }
    if (resendable.uncertain) {
      const ask = () => confirm('unknown', resendable.uncertain, () => run(resendUncertain));
      list.push(act('resend_unknown', ask, '', { n: count(resendable.uncertain) }));
    }
    if (!isOver(batch)) {
      const ask = () => confirm('cancel', waiting(latest.counts), () => run(cancelBatch));
      list.push(act('cancel', ask, 'danger'));
    }
    if (batch.source !== 'automation' && batch.source !== 'test' && batch.text) {
      list.push(act('duplicate', () => duplicateDialog($('#edit'), latest, (made) => open(made.id)), 'quiet'));
    }
    if (state !== 'scheduled') list.push(act('csv', attempt(saveReport), 'quiet'));
    return list;
  }

  async function run(action) {
    const batch = await action(latest);
    problem.replaceChildren();
    if (batch.id !== id) {
      open(batch.id);
      return;
    }
    announce(t(`batch.state.${batch.state}`));
    if (updateWithPeople(batch) === false) watcher.now();
  }

  // What is past its time goes out the moment it is resumed.
  function resume() {
    if (!isHeldBeforeStart(latest) || Date.parse(latest.send_at) > Date.now()) return run(resumeBatch);
    return confirm('resume', latest.counts.held, () => run(resumeBatch));
  }

  const saveReport = () => downloadReport(`/embed/api/batches/${id}/messages`, `texts-${id}.csv`, 'csv.texts');

  /** A handler that runs an action with its button disabled and shows a refusal. */
  const attempt = (action) => async (event) => {
    const pressed = event.currentTarget;
    pressed.disabled = true; // which takes the focus from it
    try {
      await action();
    } catch (refusal) {
      problem.replaceChildren(refusalNote(refusal));
    } finally {
      pressed.disabled = false;
    }
    if (document.activeElement !== document.body) return;
    (pressed.isConnected ? pressed : $('button', actions) || $('#title')).focus();
  };

  function edit(batch) {
    editDialog($('#edit'), batch, (saved) => {
      updateWithPeople(saved);
      announce(t('edit.saved'));
    });
  }

  // What can't be taken back is asked first.
  function confirm(what, n, action) {
    confirmDialog($('#confirm'), {
      title: t(`sure.${what}.title`),
      lines: [tn(`sure.${what}.what`, n)],
      yes: t(`sure.${what}.yes`),
      no: t(`sure.${what}.no`),
      run: action,
    });
  }

  return () => {
    ended = true;
    if (watcher) watcher.stop();
    table.stop();
  };
}

function headOf(batch, edit) {
  const { counts, warning, reason, text } = batch;
  const content = [h('div', { class: 'row' }, batchBadge(batch), h('small', {}, facts(batch)))];
  if (warning) {
    const other = page.user.role === 'admin' ? link(t('batch.other_sender'), edit) : '';
    content.push(note('warn', warning, ' ', other));
  }
  if (reason) content.push(note(batch.state === 'cancelled' ? '' : 'warn', reasonWords(batch)));
  content.push(dueLine(batch), waitNote(batch), h('p', { class: 'quote' }, readable(text || '')));
  if (counts.total > 1) {
    const left = h('small', {}, timeLeft(batch));
    content.push(progressBar(batch), h('p', { class: 'num' }, progressWords(counts), ' ', left));
    if (shownState(batch) !== 'scheduled') content.push(countBadges(counts));
    if (batch.replied) content.push(h('p', {}, badge('accent', icon('reply'), tn('progress.replied', batch.replied))));
  }
  return content;
}

/** Who asked for it, for whom, from whose number, and when. */
function facts(batch) {
  const { by, to, sender_email: sender, created_at: at } = batch;
  const otherSender = by && sender && sender !== foldEmail(by.email);
  return [
    to && to.deal,
    by && t('batch.by', { name: by.name }),
    otherSender && t('batch.from', { email: sender }),
    sourceWords(batch),
    when(at),
  ]
    .filter(Boolean)
    .join(' · ');
}

/** What happened, who did it and why. */
function momentWords({ what, text, by, reason, send_at: time }, { counts }) {
  const key = by && has(`moment.${what}_by`) ? `moment.${what}_by` : `moment.${what}`;
  const states = MESSAGE_STATES.filter((state) => counts[state]);
  const tally = states.map((state) => `${count(counts[state])} ${t(`tally.${state}`)}`);
  const outcome = counts.total === 1 ? t(`state.message.${states[0]}`) : tally.join(', ');
  const words = has(key) ? t(key, { by, time: time && when(time), outcome }) : text;
  return reason && has(key) ? `${words}: ${reason}` : words;
}

// A held batch can be resumed or given another time, unless Dialpad has to be
// connected first.
function reasonWords(batch) {
  const { state, reason, held_code: code } = batch;
  if (state !== 'held') return reason;
  if (code === 'connection_broken') return heldWords(batch);
  return `${heldWords(batch).replace(/\.?$/, '.')} ${t('batch.held_how')}`;
}

function dueLine(batch) {
  const { state, send_at: due, schedule } = batch;
  if (!due || (shownState(batch) !== 'scheduled' && state !== 'held')) return '';
  const planned = state === 'held' ? `${t('batch.due')} ` : '';
  const elsewhere = schedule && schedule.time_zone !== page.user.time_zone;
  const there = elsewhere ? h('small', {}, ` (${when(due, schedule.time_zone)})`) : '';
  return h('p', {}, icon('clock'), ' ', planned, timeTag(due), there);
}
