// Who can text: CRM users beside their Dialpad accounts, matched by e-mail.
import { call, newest, path } from './api.js';
import { $, badge, button, h, headings, icon, refusalNote, t } from './dom.js';

const TYPING_PAUSE = 250;
const ask = newest();

/** Shows the table of people, with its search. */
export function showPeople() {
  const input = $('#people-q');
  const search = () => load(input.value.trim());
  let timer = 0;
  $('#people-search').hidden = false;
  input.oninput = () => {
    clearTimeout(timer);
    timer = setTimeout(search, TYPING_PAUSE);
  };
  search();
}

/** Loads the first page, or with a cursor the next one into the body of the table. */
async function load(q, cursor, body) {
  const root = $('#people');
  const isNewest = ask();
  try {
    const { people, next } = await call('GET', path('/apps/dialpad/people', { q, cursor }));
    if (!isNewest()) return;
    const rows = people.map(row);
    const target = body || h('tbody');
    target.append(...rows);
    if (!body) root.replaceChildren(rows.length ? table(target) : nobody());
    $('.more', root)?.remove();
    if (next) root.append(button(t('page.more'), { class: 'more', onclick: () => load(q, next, target) }));
  } catch (refusal) {
    if (isNewest()) root.replaceChildren(refusalNote(refusal, () => load(q)));
  }
}

const nobody = () => h('p', { class: 'soft', role: 'status' }, t('people.none'));

function table(body) {
  const head = headings('people.user', 'people.account', 'people.number', 'people.state');
  return h('table', { class: 'cards' }, h('thead', {}, h('tr', {}, head)), body);
}

function row({ name, email, account, reason, note }) {
  const soft = (words) => h('span', { class: 'soft' }, words);
  const number = account && (account.display || account.number);
  const able = !reason && account && account.state === 'active' && account.number;
  const words = able ? t('people.ready') : reason || t('people.cannot');
  const state = badge(`wrap ${able ? 'good' : 'warn'}`, icon(able ? 'check' : 'alert'), words);
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, name, h('small', {}, ` ${email}`)),
    h('td', {}, account ? account.email : soft(t('people.no_account'))),
    h('td', { class: 'num' }, number || soft('—')),
    h('td', {}, state, note ? h('small', {}, ` ${note}`) : null),
  );
}
