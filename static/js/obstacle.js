// Why a text can't be written now: a picture, the sentence, the way on.
import { dialpadBlocks } from './consent_state.js';
import { $, announce, button, h, has, note, page, picture, t } from './dom.js';
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

// Our own words explain these; the message would repeat them.
const WITHOUT_MESSAGE = new Set(['opted_out', 'no_number', 'session_over', 'network']);

// These are put right on the app detail page.
const ON_APP_PAGE = new Set(['plan_required', 'not_installed', 'not_connected', 'no_accounts']);

// Trying again changes nothing.
const FINAL = new Set(['opted_out', 'invalid_number']);

/**
 * Shows what stands in the way.
 * @param obstacle {code, message, link} of the server, a Refused, or a code of our own
 * @param again tries again
 */
export function showObstacle(root, refused, { context, again }) {
  const obstacle = refused.no_number ? { code: 'no_number' } : refused;
  const { code } = obstacle;
  const title = titleOf(obstacle);
  root.replaceChildren(
    picture(PICTURES[code] || 'stop'),
    title ? h('h2', {}, title) : '',
    ...sentences(obstacle, title, context),
    h('div', { class: 'row' }, actions(obstacle, again)),
    ...consentParts(obstacle, context, again),
  );
  root.dataset.code = code;
  announce($('p, h2', root).textContent);
  root.focus({ preventScroll: true });
}

function titleOf({ code, message }) {
  if (code === 'no_account') return message || t('state.no_account.title');
  return has(`state.${code}.title`) ? t(`state.${code}.title`) : '';
}

function sentences(obstacle, title, context) {
  const { code, reason, link } = obstacle;
  const message = obstacle.message || (title ? '' : t('error.unknown'));
  const list = [];
  if (message && message !== title && !WITHOUT_MESSAGE.has(code)) {
    list.push(h('p', {}, linked(message, link || appPageLink(code))));
  }
  // An account that exists but can't text has a reason; one that does not has our own
  // words.
  const hasReason = code === 'no_account' && reason && reason !== title;
  const key = `state.${code}.${hasReason ? 'close' : 'what'}`;
  if (has(key)) list.push(h('p', { class: 'soft' }, t(key, values(obstacle, context))));
  return list;
}

function values({ reason = '' }, context) {
  const { name, display, number } = (context && context.to) || {};
  return { email: page.user.email, reason, name: name || display || '', number: display || number || '' };
}

const appPageLink = (code) =>
  ON_APP_PAGE.has(code) ? { text: t('state.click_here'), url: page.app_page_url } : null;

// "… Click here to connect.": those words inside the sentence become the link.
function linked(message, target) {
  if (!target || !target.url) return message;
  const { text, url } = target;
  const anchor = h('a', { href: url, target: '_top', onclick: () => post('open_detail') }, text);
  const at = message.indexOf(text);
  if (at < 0) return [`${message} `, anchor];
  return [message.slice(0, at), anchor, message.slice(at + text.length)];
}

// Somebody who opted out may have given consent anew.
function consentParts({ code }, context, again) {
  const { number } = (context && context.to) || {};
  if (code !== 'opted_out' || !number) return [];
  const place = h('div', { class: 'anew' });
  const show = async () => {
    const { consentForm } = await import('./consent.js');
    const done = (contact) => {
      if (!contact.opted_out) again();
      else place.replaceChildren(note('warn', t(dialpadBlocks(contact) ? 'consent.dialpad' : 'consent.still')));
    };
    place.replaceChildren(consentForm({ action: 'opt_in', target: () => ({ number }), done, cancel: hide }));
    $('input', place).focus();
  };
  const hide = () => place.replaceChildren(button(t('consent.opt_in'), { id: 'anew', onclick: show }));
  hide();
  return [place];
}

function actions({ code, details = {} }, again) {
  const list = [];
  if (code === 'plan_required' && (framed || page.upgrade_url)) {
    list.push(button(t('state.see_plans'), { onclick: () => upgrade(details.plans || []) }));
  }
  if (FINAL.has(code)) return list;
  const [key, cls] = ON_APP_PAGE.has(code) ? ['state.check_again', ''] : ['state.try_again', 'primary'];
  return [...list, button(t(key), { class: cls, onclick: again })];
}
