// Connecting: Dialpad's consent has a window of its own; this page polls how far it
// is.
import { call, newest } from './api.js';
import { $, announce, button, h, icon, note, t } from './dom.js';

const STEPS = ['waiting', 'confirm', 'exchanging', 'directory', 'subscriptions'];
const POLL_INTERVAL = 1500;
const CLOSE_DELAY = 2500; // lets a person read that it worked
const follow = newest(); // a newer one ends an older one

/**
 * Opens the window at once (later, a browser would block it) and sends it to Dialpad.
 * Returns {view, url}, or {refusal}.
 */
export async function startConnect() {
  const view = window.open('', 'dialpad-connect', 'popup,width=560,height=720');
  try {
    const { url } = await call('POST', '/apps/dialpad/connect', { body: {} });
    if (view) view.location.replace(url);
    return { view, url };
  } catch (refusal) {
    if (view) view.close();
    if (refusal.code === 'plan_required') throw refusal;
    return { refusal };
  }
}

/**
 * Shows each step until the tenant is connected or the attempt has failed; then calls
 * done(status).
 */
export function followConnect(root, { opened: { view, url }, again, done }) {
  const isNewest = follow();
  const title = t('connect.title');
  const list = h('ol', { class: 'route' });
  const aside = h('div', { class: 'stack' });
  let drawnStep = '';
  let drawnWindow = ''; // what is known of the window; what has the focus stays
  root.replaceChildren(
    h('section', { class: 'card stack', 'aria-label': title }, h('h2', {}, title), list, aside),
  );

  async function round() {
    if (!isNewest()) return;
    try {
      const status = await call('GET', '/apps/dialpad/status');
      if (!isNewest()) return;
      const step = stepOf(status);
      if (step === 'done' || step === 'failed') {
        finish(status, step);
        return;
      }
      draw(step);
    } catch (refusal) {
      aside.replaceChildren(note('warn', refusal.message));
      drawnWindow = '';
      if (refusal.code === 'session_over') return;
    }
    setTimeout(round, POLL_INTERVAL);
  }

  function finish(status, step) {
    if (view && !view.closed && step === 'done') setTimeout(() => view.close(), CLOSE_DELAY);
    if (step === 'failed' && !status.attempt) {
      status.attempt = { step: 'failed', message: t('connect.expired') };
    }
    done(status);
  }

  function draw(step) {
    if (step !== drawnStep) {
      drawnStep = step;
      list.replaceChildren(...stepItems(step));
      announce(t(`connect.${step}`));
    }
    const state = windowState(step);
    if (state === drawnWindow && aside.firstChild) return;
    drawnWindow = state;
    const hadFocus = aside.contains(document.activeElement);
    aside.replaceChildren(...windowActions(state));
    if (hadFocus) $('.primary', aside)?.focus();
  }

  function windowState(step) {
    if (step !== 'waiting' && step !== 'confirm') return 'done';
    if (url && !view) return 'blocked';
    return !view || view.closed ? 'closed' : 'open';
  }

  // The head of the page has no button meanwhile: the one right next step is here.
  function windowActions(state) {
    const retry = (cls) => button(t('connect.again'), { class: cls, onclick: again });
    if (state === 'blocked') {
      const props = { class: 'button primary', href: url, target: '_blank', rel: 'opener' };
      return [note('warn', t('connect.blocked')), h('p', {}, h('a', props, t('connect.open')))];
    }
    if (state === 'closed') return [note('warn', t('connect.closed')), h('p', {}, retry('primary'))];
    if (state !== 'open') return [];
    const show = button(t('connect.show'), { class: 'primary', onclick: () => view.focus() });
    return [h('p', { class: 'row' }, show, retry('link'))];
  }

  draw('waiting');
  setTimeout(round, 600);
}

function stepOf({ connected, attempt }) {
  if (connected && (!attempt || attempt.step === 'done')) return 'done';
  return attempt ? attempt.step : 'failed';
}

function stepItems(step) {
  const steps = STEPS.filter((name) => name !== 'confirm' || step === 'confirm');
  const at = steps.indexOf(step);
  return steps.map((name, index) => {
    const [cls, pic] = index < at ? ['past', 'check'] : index === at ? ['now', 'wait'] : ['', 'ring'];
    const props = { class: cls, 'aria-current': index === at ? 'step' : null };
    return h('li', props, icon(pic), h('span', {}, t(`connect.${name}`)));
  });
}
