// Another sender for a schedule: for admins, among those who can text now.
import { call, path } from './api.js';
import { h, t } from './dom.js';

const PAGES = 20; // of people; who is behind them is found by no list

/** A select, and the sender_user_id of PATCH /embed/api/batches/{id} when another one was chosen. */
export function senderField({ by, sender_email: now }) {
  const select = h(
    'select',
    { id: 'edit-sender' },
    h('option', { value: '' }, now === by.email.toLowerCase() ? by.name || now : now),
  );
  fill(select, now).catch(() => {}); // without the list the sender stays who it is
  return {
    root: h('div', { class: 'field' }, h('label', { for: 'edit-sender' }, t('edit.sender')), select),
    value: () => (select.value ? { sender_user_id: select.value } : {}),
  };
}

async function fill(select, now) {
  let cursor = null;
  for (let page = 0; page < PAGES; page += 1) {
    const { people, next } = await call('GET', path('/apps/dialpad/people', { cursor }));
    const able = people.filter(
      ({ email, account, reason }) => account && !reason && email.toLowerCase() !== now,
    );
    select.append(
      ...able.map(({ user_id: id, name, email, account }) =>
        h('option', { value: id }, `${name || email} · ${account.display || account.number}`),
      ),
    );
    if (!next) return;
    cursor = next;
  }
}
