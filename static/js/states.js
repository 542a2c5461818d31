// Why a text can't be written now: a picture, the sentence, the way on.
import { h, has, page, picture, say, t } from './dom.js';
import { framed, post, upgrade } from './host.js';

const PICTURES = {
  plan_required: 'connect',
  not_installed: 'connect',
  not_connected: 'connect',
  no_accounts: 'connect',
  no_account: 'nobody',
  no_number: 'number',
  invalid_number: 'number',
  opted_out: 'unsubscribed',
  dialpad_unreachable: 'down',
  session_over: 'clock',
  network: 'offline',
};

// Where our own words say it all, the message would say it twice.
const SAID = new Set(['opted_out', 'no_number', 'session_over', 'network']);

/** @param state {code, message, link} of the server, a Refused, or a code of our own */
export function showState(root, state, { context, again }) {
  const { code } = state;
  const title = titleOf(code, state.message);
  root.replaceChildren(
    picture(PICTURES[code] || 'stop'),
    title ? h('h2', {}, title) : '',
    ...sentences(state, title, context),
    h('div', { class: 'row' }, actions(code, state, again)),
  );
  root.dataset.code = code;
  say(root.querySelector('p, h2').textContent);
  root.focus({ preventScroll: true });
}

function titleOf(code, message) {
  if (code === 'no_account') return message || t('state.no_account.title');
  return has(`state.${code}.title`) ? t(`state.${code}.title`) : '';
}

function sentences(state, title, context) {
  const to = (context && context.to) || {};
  const values = {
    email: page.user.email,
    reason: state.reason || '',
    name: to.name || to.display || '',
    number: to.display || to.number || '',
  };
  // An account that is there but can't text is told so; one that is not has our own words.
  const close = state.code === 'no_account' && state.reason && state.reason !== title;
  const what = `state.${state.code}.${close ? 'close' : 'what'}`;
  const list = [];
  const message = state.message || (title ? '' : t('error.unknown'));
  if (message && message !== title && !SAID.has(state.code))
    list.push(h('p', {}, linked(message, state.link || ownLink(state.code))));
  if (has(what)) list.push(h('p', { class: 'soft' }, t(what, values)));
  return list;
}

const DETAIL = new Set(['plan_required', 'not_installed', 'not_connected', 'no_accounts']);
const ownLink = (code) => (DETAIL.has(code) ? { text: t('state.click_here'), url: page.app_page_url } : null);

// "… Click here to connect.": those words inside the sentence become the link.
function linked(message, target) {
  if (!target || !target.url) return message;
  const anchor = h(
    'a',
    { href: target.url, target: '_top', onclick: () => post('open_detail') },
    target.text,
  );
  const at = message.indexOf(target.text);
  if (at < 0) return [`${message} `, anchor];
  return [message.slice(0, at), anchor, message.slice(at + target.text.length)];
}

function actions(code, state, again) {
  const list = [];
  if (code === 'plan_required' && (framed || page.upgrade_url)) {
    list.push(
      h(
        'button',
        { type: 'button', onclick: () => upgrade((state.details && state.details.plans) || []) },
        t('state.see_plans'),
      ),
    );
  }
  if (code !== 'opted_out' && code !== 'invalid_number')
    list.push(
      h(
        'button',
        { type: 'button', class: DETAIL.has(code) ? '' : 'primary', onclick: again },
        t(DETAIL.has(code) ? 'state.check_again' : 'state.try_again'),
      ),
    );
  return list;
}
