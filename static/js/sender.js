// Another sender for a schedule: for admins, among those who can text now.
import { call, path } from './api.js';
import { foldEmail } from './checks.js';
import { field, h, t } from './dom.js';

const MAX_PAGES = 20; // of people; nobody searches for a name in a longer list

/**
 * A select, and the sender_user_id of PATCH /embed/api/batches/{id} when another one
 * was chosen.
 */
export function senderField({ by, sender_email: current }) {
  const label = current === foldEmail(by.email) ? by.name || current : current;
  const select = h('select', { id: 'edit-sender' }, h('option', { value: '' }, label));
  addOthers(select, current).catch(() => {}); // without the list the sender stays the same
  return {
    root: field('edit-sender', t('edit.sender'), select),
    value: () => (select.value ? { sender_user_id: select.value } : {}),
  };
}

async function addOthers(select, current) {
  const canText = ({ email, account, reason }) => account && !reason && foldEmail(email) !== current;
  const option = ({ user_id: id, name, email, account }) =>
    h('option', { value: id }, `${name || email} · ${account.display || account.number}`);
  let cursor = null;
  for (let count = 0; count < MAX_PAGES; count += 1) {
    const { people, next } = await call('GET', path('/apps/dialpad/people', { cursor }));
    select.append(...people.filter(canText).map(option));
    if (!next) return;
    cursor = next;
  }
}
