// Who can text: CRM users beside their Dialpad accounts, matched by e-mail.
import { call, path } from './api.js';
import { $, h, icon, note, t } from './dom.js';

let asked = 0;

export function people() {
  const input = $('#people-q');
  const root = $('#people');
  $('#people-search').hidden = false;
  let timer = 0;
  input.oninput = () => {
    clearTimeout(timer);
    timer = setTimeout(() => load(root, input.value.trim()), 250);
  };
  load(root, input.value.trim());
}

async function load(root, q, cursor, body) {
  const mine = (asked += 1);
  try {
    const { people: found, next } = await call('GET', path('/apps/dialpad/people', { q, cursor }));
    if (mine !== asked) return;
    const rows = found.map(row);
    if (body) body.append(...rows);
    else if (!rows.length) root.replaceChildren(h('p', { class: 'soft', role: 'status' }, t('people.none')));
    else root.replaceChildren(table((body = h('tbody', {}, rows))));
    root.querySelector('.more')?.remove();
    if (next)
      root.append(
        h(
          'button',
          { type: 'button', class: 'more', onclick: () => load(root, q, next, body) },
          t('page.more'),
        ),
      );
  } catch (refused) {
    if (mine === asked)
      root.replaceChildren(
        note(
          'bad',
          refused.message,
          ' ',
          h('button', { type: 'button', class: 'link', onclick: () => load(root, q) }, t('page.retry')),
        ),
      );
  }
}

function table(body) {
  const head = ['people.user', 'people.account', 'people.number', 'people.state'].map((key) =>
    h('th', { scope: 'col' }, t(key)),
  );
  return h('table', { class: 'cards' }, h('thead', {}, h('tr', {}, head)), body);
}

function row({ name, email, account, reason, note }) {
  const able = !reason && account && account.state === 'active' && account.number;
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, name, h('small', {}, ` ${email}`)),
    h('td', {}, account ? account.email : h('span', { class: 'soft' }, t('people.no_account'))),
    h(
      'td',
      { class: 'num' },
      (account && (account.display || account.number)) || h('span', { class: 'soft' }, '—'),
    ),
    h(
      'td',
      {},
      h(
        'span',
        { class: `badge wrap ${able ? 'good' : 'warn'}` },
        icon(able ? 'check' : 'alert'),
        able ? t('people.ready') : reason || t('people.cannot'),
      ),
      note ? h('small', {}, ` ${note}`) : null,
    ),
  );
}
