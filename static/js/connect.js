// Connecting: Dialpad's consent is in a window of its own, this page follows by asking how far it is.
import { call } from './api.js';
import { h, icon, note, say, t } from './dom.js';

const STEPS = ['waiting', 'confirm', 'exchanging', 'directory', 'subscriptions'];
let current = 0; // a newer follow ends an older one

/** Opens the window at once (later, a browser would block it) and sends it to Dialpad. */
export async function startConnect() {
  const view = window.open('', 'dialpad-connect', 'popup,width=560,height=720');
  try {
    const { url } = await call('POST', '/apps/dialpad/connect', { body: {} });
    if (view) view.location.replace(url);
    return { view, url };
  } catch (refused) {
    if (view) view.close();
    if (refused.code === 'plan_required') throw refused;
    return { failed: refused.message };
  }
}

/** Shows each step in words until it is connected or failed; done(status) then. */
export function followConnect(root, { opened: { view, url }, again, done }) {
  const mine = (current += 1);
  const list = h('ol', { class: 'route' });
  const aside = h('div', { class: 'stack' });
  let shown = '';
  let way = ''; // which ways on are drawn: what has the focus stays
  root.replaceChildren(
    h(
      'section',
      { class: 'card stack', 'aria-label': t('connect.title') },
      h('h2', {}, t('connect.title')),
      list,
      aside,
    ),
  );

  async function round() {
    if (mine !== current) return;
    try {
      const status = await call('GET', '/apps/dialpad/status');
      if (mine !== current) return;
      const step =
        status.connected && (!status.attempt || status.attempt.step === 'done')
          ? 'done'
          : status.attempt
            ? status.attempt.step
            : 'failed';
      if (step === 'done' || step === 'failed') {
        finish(status, step);
        return;
      }
      draw(step);
    } catch (refused) {
      aside.replaceChildren(note('warn', refused.message));
      way = '';
      if (refused.code === 'session_over') return;
    }
    setTimeout(round, 1500);
  }

  function finish(status, step) {
    if (view && !view.closed && step === 'done') setTimeout(() => view.close(), 2500);
    if (step === 'failed' && !status.attempt)
      status.attempt = { step: 'failed', message: t('connect.expired') };
    done(status);
  }

  function draw(step) {
    if (step !== shown) {
      shown = step;
      const steps = STEPS.filter((one) => one !== 'confirm' || step === 'confirm');
      const at = steps.indexOf(step);
      list.replaceChildren(
        ...steps.map((one, index) =>
          h(
            'li',
            {
              class: index < at ? 'past' : index === at ? 'now' : '',
              'aria-current': index === at ? 'step' : null,
            },
            icon(index < at ? 'check' : index === at ? 'wait' : 'ring'),
            h('span', {}, t(`connect.${one}`)),
          ),
        ),
      );
      say(t(`connect.${step}`));
    }
    const now = !['waiting', 'confirm'].includes(step)
      ? 'none'
      : url && !view
        ? 'blocked'
        : !view || view.closed
          ? 'closed'
          : 'open';
    if (now === way && aside.firstChild) return;
    const held = aside.contains(document.activeElement);
    way = now;
    aside.replaceChildren(...waysOn(now));
    if (held) aside.querySelector('.primary')?.focus();
  }

  // The page's header has no button meanwhile: the one right next step is here.
  function waysOn(now) {
    const button = (key, onclick, cls) => h('button', { type: 'button', class: cls, onclick }, t(key));
    if (now === 'blocked')
      return [
        note('warn', t('connect.blocked')),
        h(
          'p',
          {},
          h('a', { class: 'button primary', href: url, target: '_blank', rel: 'opener' }, t('connect.open')),
        ),
      ];
    if (now === 'closed')
      return [note('warn', t('connect.closed')), h('p', {}, button('connect.again', again, 'primary'))];
    if (now === 'open')
      return [
        h(
          'p',
          { class: 'row' },
          button('connect.show', () => view.focus(), 'primary'),
          button('connect.again', again, 'link'),
        ),
      ];
    return [];
  }

  draw('waiting');
  setTimeout(round, 600);
}
