// The popup's view of a bulk text after Send: counts that add up, time left, pause
// and cancel.
import { cancelBatch, pauseBatch, resumeBatch } from './batch_actions.js';
import { countBadges, progressBar, progressWords, timeLeft, waitNote } from './batch_parts.js';
import { isOver, isRunning, isStopped, lost, processed, shownState, undoableUntil, waiting } from './batch_state.js';
import { $, announce, badge, button, h, icon, keepFocus, note, refusalNote, t, tn } from './dom.js';
import { post } from './host.js';
import { poll } from './poll.js';

// Which sentence explains how it goes on; every other state is "going".
const HOW = { done: 'over', cancelled: 'over', paused: 'waiting', held: 'held' };

const SECOND = 1000;
const ACTIONS = { pause: pauseBatch, resume: resumeBatch, cancel: cancelBatch };

/** Options and result: see follow. */
export function followBulk(root, { batch: first, onProgress, onNew, onUndone, onBack }) {
  let announced = ''; // the state that was last read out
  let asking = false; // whether to cancel
  let latest = first;
  let drawnFoot = ''; // which buttons are on the screen
  const countdown = { until: undoableUntil(first), timer: 0 };
  const body = h('div', { class: 'stack' });
  const foot = h('div', { class: 'foot' });
  const offline = h('div', { class: 'stack' });
  const problem = h('div', { class: 'stack', role: 'alert' }); // the last refusal of a button
  root.replaceChildren(body, foot, offline, problem);
  const watcher = poll(first, update, (refusal) => {
    const words = refusal && (refusal.code === 'network' ? t('follow.offline') : refusal.message);
    offline.replaceChildren(...(words ? [note('warn', words)] : []));
  });

  function update(batch) {
    latest = batch;
    clearTimeout(countdown.timer);
    if (isUndoable(batch)) {
      drawUndo(batch);
      return false;
    }
    const { state, counts, reason } = batch;
    const shown = shownState(batch);
    body.replaceChildren(
      h('h2', {}, t(`batch.state.${shown}`)),
      progressBar(batch),
      h('p', { class: 'num' }, progressWords(counts), ' ', h('small', {}, timeLeft(batch))),
      countBadges(counts),
      batch.replied ? h('p', {}, badge('accent', icon('reply'), tn('progress.replied', batch.replied))) : '',
      waitNote(batch),
      reason ? note('warn', reason) : '',
      counts.uncertain ? note('warn', tn('progress.uncertain', counts.uncertain)) : '',
      lost(counts) ? note('bad', tn('progress.failed', lost(counts))) : '',
      h('p', { class: 'soft' }, t(`progress.how.${HOW[state] || 'going'}`)),
    );
    drawFoot(batch);
    root.dataset.state = state;
    onProgress(state);
    if (shown !== announced) announce(t(`batch.state.${shown}`));
    announced = shown;
    return isOver(batch) && !counts.sent;
  }

  function isUndoable(batch) {
    return isRunning(batch) && Date.now() < countdown.until;
  }

  // The first text has not left yet.
  function drawUndo(batch) {
    const left = countdown.until - Date.now();
    const seconds = Math.ceil(left / SECOND);
    body.replaceChildren(
      h('h2', { class: 'num' }, t('undo.title', { n: seconds })),
      progressBar(batch),
      h('p', { class: 'soft' }, t('undo.what')),
    );
    drawFoot(batch, 'undo');
    root.dataset.state = 'undo';
    onProgress('undo');
    if (announced !== 'undo') announce(t('undo.title.said'));
    announced = 'undo';
    countdown.timer = setTimeout(() => {
      update(latest);
      if (!isUndoable(latest)) watcher.now();
    }, left % SECOND || SECOND);
  }

  function undoButtons() {
    const undo = async (event) => {
      const pressed = event.currentTarget;
      pressed.disabled = true;
      try {
        const now = await cancelBatch(latest);
        if (onUndone && now.state === 'cancelled' && !processed(now.counts)) onUndone(now.text);
        else update(now);
      } catch (refusal) {
        problem.replaceChildren(refusalNote(refusal));
        pressed.disabled = false;
        watcher.now();
      }
    };
    return [
      button(t('follow.close'), { 'data-act': 'close', onclick: () => post('close') }),
      button(t('undo.undo'), { class: 'primary', 'data-act': 'undo', onclick: undo }),
    ];
  }

  // A button is not replaced while only the counts move: a click that begins on one
  // element and ends on another is lost.
  function drawFoot(batch, mode = '') {
    const wanted = `${batch.state} ${asking} ${mode} ${processed(batch.counts) > 0}`;
    const question = $('.full .note > div', foot);
    if (wanted === drawnFoot) {
      if (asking && question) question.textContent = cancelWords(batch);
      return;
    }
    drawnFoot = wanted;
    keepFocus(
      foot,
      () => foot.replaceChildren(...(mode === 'undo' ? undoButtons() : buttons(batch))),
      () => $('button', foot),
    );
  }

  const cancelWords = ({ counts }) => tn('sure.cancel.what', waiting(counts));

  function buttons(batch) {
    if (asking && !isOver(batch)) return cancelQuestion(batch);
    const act = (name, words, onclick, cls = '') =>
      button(words, { class: cls, 'data-act': name, onclick: () => onclick() });
    const last = onBack
      ? act('back', t('progress.back'), onBack, 'primary')
      : act('close', t('follow.close'), () => post('close'), 'primary');
    const another = onNew ? [act('new', t('follow.new'), onNew)] : [];
    if (isOver(batch)) return [...another, last];
    const cancel = act('cancel', t(processed(batch.counts) ? 'progress.cancel' : 'progress.cancel_all'), () => ask(true, 'keep'), 'danger');
    const more = batch.state === 'scheduled' ? another : [];
    return [cancel, ...pauseOrResume(batch), ...more, last];
  }

  function pauseOrResume(batch) {
    const act = (name, pic) => {
      const onclick = (event) => run(event.currentTarget, name);
      return h('button', { type: 'button', 'data-act': name, onclick }, icon(pic), t(`progress.${name}`));
    };
    if (isStopped(batch)) return [act('resume', 'play')];
    return isRunning(batch) ? [act('pause', 'pause')] : [];
  }

  // What can't be taken back is asked first, here: the popup has no room for a
  // dialog.
  function cancelQuestion(batch) {
    const keep = { 'data-act': 'keep', onclick: () => ask(false, 'cancel') };
    const yes = {
      class: 'danger',
      'data-act': 'cancel-sure',
      onclick: (event) => run(event.currentTarget, 'cancel'),
    };
    return [
      h('div', { class: 'grow full' }, note('warn', cancelWords(batch))),
      button(t('sure.cancel.no'), keep),
      button(t('sure.cancel.yes'), yes),
    ];
  }

  function ask(on, focusOn) {
    asking = on;
    update(latest);
    $(`[data-act=${focusOn}]`, foot)?.focus();
    if (on) announce(cancelWords(latest));
  }

  async function run(pressed, name) {
    const hadFocus = pressed === document.activeElement;
    pressed.disabled = true;
    problem.replaceChildren();
    try {
      update(await ACTIONS[name](latest));
      watcher.now();
    } catch (refusal) {
      problem.replaceChildren(refusalNote(refusal));
    }
    pressed.disabled = false;
    if (hadFocus && !foot.contains(document.activeElement)) successorOf(pressed).focus();
  }

  // Never a button that ends things: whoever pressed Pause may press once more.
  const successorOf = (pressed) =>
    pressed.isConnected
      ? pressed
      : $('[data-act=resume], [data-act=pause]', foot) || $('button.primary', foot);

  return () => {
    clearTimeout(countdown.timer);
    watcher.stop();
  };
}
