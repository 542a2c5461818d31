// Who will get a bulk text, by name, and leaving single people out.
import { fold } from './checks.js';
import { button, count, formatNumber, h, t } from './dom.js';
import { recordLink } from './bulk_excluded.js';

const MANY = 8; // from here on there is a field to search in
const SHOWN = 100;

/** @param leaveOut leaves somebody out, by record id */
export function peoplePanel({ module, leaveOut }) {
  const find = h('input', {
    type: 'search',
    'aria-label': t('bulk.people.find'),
    placeholder: t('bulk.people.find'),
    autocomplete: 'off',
    oninput: () => drawList(),
  });
  const list = h('ul', { class: 'plainlist' });
  const remark = h('small', { role: 'status' });
  const root = h(
    'div',
    { class: 'panel scroll', id: 'will-get', tabindex: '-1', role: 'group', 'aria-label': t('bulk.people'), hidden: true },
    find,
    list,
    remark,
  );
  let people = [];
  let isWhole = true;

  function draw({ samples, will, complete }) {
    people = samples;
    isWhole = complete && samples.length >= will;
    find.hidden = people.length < MANY;
    drawList();
    if (!people.length) root.hidden = true;
  }

  function drawList() {
    const wanted = fold(find.value.trim());
    const found = people.filter(({ name, deal, to }) => fold(`${name} ${deal || ''} ${to}`).includes(wanted));
    list.replaceChildren(...found.slice(0, SHOWN).map(row));
    if (!found.length) remark.textContent = t('bulk.people.none');
    else if (found.length > SHOWN) remark.textContent = t('bulk.people.first', { n: count(SHOWN) });
    else remark.textContent = isWhole ? '' : t('bulk.people.first', { n: count(people.length) });
  }

  function row(one) {
    const props = {
      class: 'link',
      'data-act': `out-${one.record_id}`,
      'aria-label': t('batch.leave_out_of', { name: one.name }),
      onclick: () => leaveOut(one.record_id),
    };
    const details = [one.deal, formatNumber(one.to)].filter(Boolean).map((words) => ` · ${words}`);
    return h('li', {}, recordLink(module, one), h('small', { class: 'num' }, details), ' ', button(t('batch.leave_out'), props));
  }

  return { root, draw };
}
