// The outbox: batches newest first, filters in the address, one batch at a time.
import { call, newest, path } from './api.js';
import { showAttention } from './attention.js';
import { showBatch } from './batch.js';
import { batchRow } from './batch_row.js';
import { isRunning } from './batch_state.js';
import {
  $,
  announce,
  button,
  h,
  icon,
  keepFocus,
  options,
  page,
  patchChildren,
  picture,
  placeholder,
  refusalNote,
  t,
  tn,
  zoneNote,
} from './dom.js';
import { showFigures } from './figures.js';
import { followHeight, forgetLaunch, post, postPlace } from './host.js';
import { pickField } from './pick_field.js';
import { showReviews } from './reviews.js';

const STATES = ['scheduled', 'preparing', 'sending', 'paused', 'held', 'done', 'cancelled'];
const PROBLEMS = ['failed', 'unknown', 'replied'];
const FILTERS = ['q', 'state', 'source', 'sender', 'from', 'to'];
const SOURCES = ['one', 'bulk', 'automation', 'test'];
const FAST = 4000; // between two questions while something is going out
const SLOW = 30_000;
const TYPING_PAUSE = 300;
const SOON = 60_000; // a schedule this close is watched like one that is going out

const filters = $('#filters');
const ask = newest();
let endBatch = () => {}; // ends the batch that is shown
let refreshTimer = 0;
let typingTimer = 0;
let drawnList = ''; // the answer that is on the screen
let senderField = null;

const query = () => Object.fromEntries(new URLSearchParams(window.location.search));

// --- the address

/** Changes the address: a batch is a step one can go back from, a filter is not. */
function go(values, push) {
  const address = path('/texts', values);
  window.history[push ? 'pushState' : 'replaceState'](null, '', address);
  postPlace();
  route(true);
}

function route(moved) {
  const { batch, view } = query();
  endBatch();
  endBatch = () => {};
  clearTimeout(refreshTimer);
  $('#list').hidden = Boolean(batch || view);
  $('#attention').hidden = Boolean(batch || view);
  $('#one').hidden = !(batch || view);
  $('#actions').replaceChildren();
  ask(); // a list that is still on its way comes too late
  if (batch) {
    endBatch = showBatch({
      id: batch,
      root: $('#one'),
      actions: $('#actions'),
      open: (id) => go({ ...query(), batch: id }, true),
      back: backLink(),
    });
  } else if (view) {
    $('#title').textContent = document.title = t('figures.title');
    endBatch = showFigures({ root: $('#one'), back: backLink() });
  } else {
    $('#title').textContent = document.title = t('texts.title');
    $('#actions').replaceChildren(pageLink({ view: 'figures' }, { class: 'button quiet' }, t('figures.title')));
    fillFilters();
    lookOut();
    list();
    showReviews($('#reviews'));
  }
  if (moved && (batch || view || !$('#list').contains(document.activeElement))) $('#title').focus();
}

/** A link inside this page; with a modifier key the browser opens it elsewhere. */
const pageLink = (values, props, ...content) =>
  h(
    'a',
    {
      href: path('/texts', values),
      onclick: (event) => {
        if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        go(values, true);
      },
      ...props,
    },
    ...content,
  );

function backLink() {
  const values = query();
  delete values.batch;
  delete values.view;
  return pageLink(values, { class: 'button quiet' }, icon('prev'), t('texts.back'));
}

const lookOut = () =>
  showAttention({
    anchor: (values, words) => pageLink(values, {}, words),
    changed: () => Promise.all([lookOut(), list()]),
  });

// --- the filters

function fillFilters() {
  const { q = '', state = '', source = '', sender = '', sender_name: name = '', from = '', to = '' } = query();
  fillSelect($('#f-state'), STATES, 'batch.state', 'texts.any_state', state);
  const problems = h('optgroup', { label: t('texts.problems') }, options(PROBLEMS, (one) => t(`texts.with.${one}`)));
  $('#f-state').append(problems);
  if (PROBLEMS.includes(state)) $('#f-state').value = state;
  $('#f-from').value = from;
  $('#f-to').value = to;
  senderField?.set(sender, name || sender);
  fillSelect($('#f-source'), SOURCES, 'source', 'texts.any_source', source);
  if (document.activeElement !== $('#f-q')) $('#f-q').value = q;
}

function fillSelect(select, values, prefix, any, chosen) {
  const label = (value) => t(value ? `${prefix}.${value}` : any);
  select.replaceChildren(...options(['', ...values], label));
  select.value = values.includes(chosen) ? chosen : '';
}

const isFilled = ([, value]) => Boolean(value);

function applyFilters() {
  const values = Object.fromEntries([...new FormData(filters)].map(([name, value]) => [name, value.trim()]));
  if (values.sender) values.sender_name = $('#f-sender').value;
  go(values); // path() leaves out the empty ones
}

/** The filter by sender, for those who see what others sent. */
function startSenderField() {
  if (page.user.role !== 'admin') return;
  $('#f-sender-field').hidden = false;
  senderField = pickField({
    root: $('#f-sender-pick'),
    label: t('texts.sender'),
    optional: true,
    load: async (q) => {
      const { senders } = await call('GET', path('/texts/api/senders', { q }));
      return senders.map(({ id, name, email }) => ({ id, label: name || email, hint: email }));
    },
  });
}

function clearFilters() {
  $('#f-q').value = '';
  $('#f-q').focus();
  go({});
}

// --- the list

const loadPage = (wanted, cursor) => call('GET', path('/texts/api/batches', { ...wanted, cursor }));

async function list() {
  const isNewest = ask();
  const root = $('#batches');
  root.setAttribute('aria-busy', 'true');
  if (!root.firstChild) root.replaceChildren(skeleton());
  const wanted = Object.fromEntries(Object.entries(query()).filter((one) => FILTERS.includes(one[0]) && isFilled(one)));
  try {
    const answer = await loadPage(wanted);
    if (!isNewest()) return;
    drawnList = JSON.stringify(answer);
    drawPage(answer, wanted);
    scheduleRefresh(answer, wanted);
    if (Object.keys(wanted).length) {
      announce(answer.next ? t('texts.many') : tn('texts.found', answer.batches.length));
    }
  } catch (refusal) {
    if (isNewest()) root.replaceChildren(refusalNote(refusal, list));
  } finally {
    if (isNewest()) root.setAttribute('aria-busy', 'false');
  }
}

// A list with more pages is not redrawn: somebody is reading further down.
const isLengthened = () => Boolean($('#batches .later'));

function scheduleRefresh({ batches }, wanted) {
  clearTimeout(refreshTimer);
  refreshTimer = setTimeout(() => refresh({ batches }, wanted), batches.some(isMoving) ? FAST : SLOW);
}

const isMoving = (batch) =>
  isRunning(batch) || (batch.state === 'scheduled' && Date.parse(batch.send_at) - Date.now() < SOON);

async function refresh(last, wanted) {
  if (document.hidden || isLengthened()) {
    scheduleRefresh(last, wanted);
    return;
  }
  const isNewest = ask();
  try {
    const answer = await loadPage(wanted);
    if (!isNewest()) return;
    scheduleRefresh(answer, wanted);
    if (JSON.stringify(answer) === drawnList) return;
    drawnList = JSON.stringify(answer);
    keepFocus($('#batches'), () => redrawPage(answer, wanted));
  } catch {
    if (isNewest()) scheduleRefresh({ batches: [] }, wanted);
  }
}

function drawPage(answer, wanted) {
  $('#batches').replaceChildren(answer.batches.length ? pageOf(answer, wanted) : nothingFound(wanted));
}

/** Replaces only the rows that changed, where the page is otherwise the same. */
function redrawPage(answer, wanted) {
  const rows = $('.batches', $('#batches'));
  const cursor = $('[data-more]', $('#batches'))?.dataset.more ?? null;
  if (rows && answer.batches.length && cursor === answer.next) patchChildren(rows, answer.batches.map(row));
  else drawPage(answer, wanted);
}

const skeleton = () =>
  h('div', { class: 'card stack', 'aria-hidden': 'true' }, placeholder('half', '', 'half', ''));

function nothingFound(wanted) {
  const filtered = Object.keys(wanted).length > 0;
  const [title, what] = filtered
    ? ['texts.none_found', 'texts.none_found.what']
    : ['texts.none', 'texts.none.what'];
  return h(
    'div',
    { class: 'card state' },
    picture('empty'),
    h('h2', {}, t(title)),
    h('p', { class: 'soft' }, t(what)),
    filtered ? button(t('texts.clear'), { onclick: clearFilters }) : null,
  );
}

function pageOf({ batches, next }, wanted) {
  const rows = h('ul', { class: 'batches' }, batches.map(row));
  const card = h('div', { class: 'card flush' }, rows);
  const addMore = (cursor) => {
    if (cursor) card.append(h('p', { class: 'state', 'data-more': cursor }, moreButton(cursor)));
  };
  const moreButton = (cursor) =>
    button(t('page.more'), { onclick: (event) => lengthen(event.currentTarget, cursor) });

  async function lengthen(pressed, cursor) {
    pressed.disabled = true;
    const place = pressed.parentElement;
    try {
      const answer = await loadPage(wanted, cursor);
      const added = answer.batches.map(row);
      rows.append(...added);
      rows.classList.add('later');
      place.remove();
      addMore(answer.next);
      added[0]?.querySelector('a').focus();
    } catch (refusal) {
      place.replaceChildren(refusalNote(refusal));
    }
  }

  addMore(next);
  return card;
}

const row = (batch) => batchRow(batch, pageLink({ ...query(), batch: batch.id }, { 'data-act': `batch-${batch.id}` }));

filters.addEventListener('submit', (event) => event.preventDefault());
filters.addEventListener('input', (event) => {
  clearTimeout(typingTimer);
  if (event.target.id === 'f-sender') return; // what is typed there searches for a person
  typingTimer = setTimeout(applyFilters, event.target.name === 'q' ? TYPING_PAUSE : 0);
});
filters.addEventListener('change', (event) => {
  if (event.target.name === 'sender') applyFilters();
});
window.addEventListener('popstate', () => {
  postPlace();
  route(true);
});
$('main > header').after(zoneNote() ?? '');
forgetLaunch();
followHeight($('#main'));
startSenderField();
post('ready');
route();
