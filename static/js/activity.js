// What people did, for admins: the audit log with its search and its file.
import { call, newest, path } from './api.js';
import { downloadReport } from './csv.js';
import { $, button, h, headings, refusalNote, t, timeTag } from './dom.js';

const TYPING_PAUSE = 250;
const ADDRESS = '/apps/dialpad/activity';
const ask = newest();

/** Shows the log, with its search. */
export function showActivity() {
  const input = $('#activity-q');
  const search = () => load(input.value.trim());
  let timer = 0;
  input.oninput = () => {
    clearTimeout(timer);
    timer = setTimeout(search, TYPING_PAUSE);
  };
  const save = (event) => saveFile(event.currentTarget, input.value.trim());
  $('#activity-actions').replaceChildren(button(t('activity.csv'), { id: 'activity-csv', onclick: save }));
  $('#activity-card').hidden = false;
  search();
}

async function saveFile(pressed, q) {
  pressed.disabled = true;
  try {
    await downloadReport(path(ADDRESS, { q }), 'activity.csv', 'csv.activity');
  } catch (refusal) {
    $('#activity').prepend(refusalNote(refusal));
  } finally {
    pressed.disabled = false;
  }
}

/** Loads the first page, or with a cursor the next one into the body of the table. */
async function load(q, cursor, body) {
  const root = $('#activity');
  const isNewest = ask();
  try {
    const { entries, next } = await call('GET', path(ADDRESS, { q, cursor }));
    if (!isNewest()) return;
    const target = body || h('tbody');
    target.append(...entries.map(row));
    if (!body) root.replaceChildren(entries.length ? table(target) : nothing(q));
    $('.more', root)?.remove();
    if (next) root.append(button(t('page.more'), { class: 'more', onclick: () => load(q, next, target) }));
  } catch (refusal) {
    if (isNewest()) root.replaceChildren(refusalNote(refusal, () => load(q)));
  }
}

const nothing = (q) => h('p', { class: 'soft', role: 'status' }, t(q ? 'activity.none' : 'activity.empty'));

function table(body) {
  const head = headings('activity.what', 'activity.who', 'activity.when', 'activity.detail');
  return h('table', { class: 'cards' }, h('thead', {}, h('tr', {}, head)), body);
}

function row({ at, by, what, detail, batch_id: batch }) {
  const soft = (words) => h('span', { class: 'soft' }, words);
  const link = batch && h('a', { href: `/texts?batch=${encodeURIComponent(batch)}` }, t('activity.batch'));
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, what),
    h('td', {}, by || soft(t('activity.automatic'))),
    h('td', {}, timeTag(at)),
    h('td', {}, detail, detail && link ? ' ' : '', link || (detail ? '' : soft('—'))),
  );
}
