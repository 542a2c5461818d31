// The list of opt-outs for admins, with its search and its file.
import { call, newest, path } from './api.js';
import { consentForm } from './consent.js';
import { downloadReport } from './csv.js';
import { showDialog } from './dialogs.js';
import { $, button, h, headings, link, refusalNote, t, timeTag, tn } from './dom.js';

const TYPING_PAUSE = 250;
const ADDRESS = '/apps/dialpad/opt-outs';
const ask = newest();

/** Shows the list, with its search. */
export function showOptOuts() {
  const input = $('#optouts-q');
  const search = () => load(input.value.trim());
  let timer = 0;
  input.oninput = () => {
    clearTimeout(timer);
    timer = setTimeout(search, TYPING_PAUSE);
  };
  const actions = [
    button(t('optouts.add'), { id: 'optouts-add', onclick: () => addDialog(search) }),
    button(t('optouts.csv'), { id: 'optouts-csv', onclick: saveFile }),
  ];
  $('#optouts-actions').replaceChildren(...actions);
  search();
}

async function saveFile(event) {
  const pressed = event.currentTarget;
  pressed.disabled = true;
  try {
    await downloadReport(ADDRESS, 'opt-outs.csv', 'csv.optouts');
  } catch (refusal) {
    $('#optouts').prepend(refusalNote(refusal));
  } finally {
    pressed.disabled = false;
  }
}

/** Loads the first page, or with a cursor the next one into the body of the table. */
async function load(q, cursor, body) {
  const root = $('#optouts');
  const isNewest = ask();
  const reload = () => load(q);
  try {
    const { opt_outs: list, total, next } = await call('GET', path(ADDRESS, { q, cursor }));
    if (!isNewest()) return;
    const target = body || h('tbody');
    target.append(...list.map((one) => row(one, reload)));
    if (!body) root.replaceChildren(list.length ? table(target, total) : nobody(q));
    $('.more', root)?.remove();
    if (next) root.append(button(t('page.more'), { class: 'more', onclick: () => load(q, next, target) }));
  } catch (refusal) {
    if (isNewest()) root.replaceChildren(refusalNote(refusal, reload));
  }
}

const nobody = (q) => h('p', { class: 'soft', role: 'status' }, t(q ? 'optouts.none' : 'optouts.nobody'));

function table(body, total) {
  const head = headings('people.number', 'optouts.source', 'optouts.since', 'optouts.how');
  head.push(h('th', { scope: 'col' }, h('span', { class: 'vh' }, t('consent.opt_in'))));
  return h(
    'div',
    {},
    h('p', { class: 'soft' }, tn('optouts.total', total)),
    h('table', { class: 'cards' }, h('thead', {}, h('tr', {}, head)), body),
  );
}

function row({ number, display, source, said_at: at, by, how }, changed) {
  const soft = (words) => h('span', { class: 'soft' }, words);
  const anew = link(t('consent.opt_in'), () => consentDialog({ number, display, changed }));
  anew.setAttribute('aria-label', t('consent.opt_in_of', { who: display }));
  return h(
    'tr',
    {},
    h('th', { scope: 'row', class: 'num' }, display || soft(t('optouts.erased'))),
    h('td', {}, t(`consent.source.${source}`)),
    h('td', {}, timeTag(at)),
    h('td', {}, [by, how].filter(Boolean).join(' · ') || soft('—')),
    h('td', {}, number && source !== 'dialpad' ? anew : ''),
  );
}

function consentDialog({ number, display, changed }) {
  const dialog = $('#consent');
  fillDialog(dialog, t('consent.opt_in_of', { who: display }), 'opt_in', { number }, changed);
}

/** "Mark as opted out" for a number that is typed. */
function addDialog(changed) {
  const dialog = $('#consent');
  const target = { number: '' };
  const input = h('input', { id: 'consent-number', type: 'tel', autocomplete: 'off', 'data-first': '' });
  input.addEventListener('input', () => {
    target.number = input.value.trim();
  });
  fillDialog(dialog, t('consent.opt_out'), 'opt_out', target, changed);
  const number = h('div', { class: 'field' }, h('label', { for: 'consent-number' }, t('people.number')), input);
  $('.consent', dialog).prepend(number);
}

function fillDialog(dialog, title, action, target, changed) {
  const close = () => dialog.close();
  const done = () => {
    close();
    changed();
  };
  const form = consentForm({ action, target: () => target, done, cancel: close });
  $('div', dialog).replaceChildren(h('h2', { id: 'consent-title' }, title), form);
  showDialog(dialog);
}
