// The outbox: batches newest first, filters in the address, one batch at a time.
import { call, path } from './api.js';
import { showBatch } from './batch.js';
import { $, h, icon, note, patch, picture, say, t, tn, when } from './dom.js';
import { followHeight, forgetLaunch, post } from './host.js';
import { meter, progressOf, seen, stateBadge, timeLeft, whom } from './progress.js';

const STATES = ['scheduled', 'preparing', 'sending', 'paused', 'held', 'done', 'cancelled'];
const SOURCES = ['one', 'bulk', 'automation'];
const filters = $('#filters');
let asked = 0;
let leave = () => {}; // ends what the shown batch still does
let timer = 0;
let shown = ''; // the answer that is drawn

const query = () => Object.fromEntries(new URLSearchParams(window.location.search));

/** Changes the address: a batch is a step one can go back from, a filter is not. */
function go(values, push) {
  const address = path('/texts', values);
  window.history[push ? 'pushState' : 'replaceState'](null, '', address);
  route(true);
}

function route(moved) {
  const { batch } = query();
  leave();
  leave = () => {};
  clearTimeout(timer);
  $('#list').hidden = Boolean(batch);
  $('#one').hidden = !batch;
  $('#actions').replaceChildren();
  asked += 1; // what the list still waits for comes too late
  if (batch) {
    leave = showBatch({
      id: batch,
      root: $('#one'),
      actions: $('#actions'),
      open: (id) => go({ ...query(), batch: id }, true),
      back: backLink(),
    });
  } else {
    $('#title').textContent = t('texts.title');
    document.title = t('texts.title');
    fill();
    list();
  }
  if (moved && (batch || $('#list').contains(document.activeElement) === false))
    $('#title').focus({ preventScroll: false });
}

const following = (event) => event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;

function backLink() {
  const { batch: _, ...rest } = query();
  return h(
    'a',
    {
      class: 'button quiet',
      href: path('/texts', rest),
      onclick: (event) => {
        if (following(event)) {
          event.preventDefault();
          go(rest, true);
        }
      },
    },
    icon('prev'),
    t('texts.back'),
  );
}

function fill() {
  const { q = '', state = '', source = '' } = query();
  options($('#f-state'), STATES, 'batch.state', 'texts.any_state', state);
  options($('#f-source'), SOURCES, 'source', 'texts.any_source', source);
  if (document.activeElement !== $('#f-q')) $('#f-q').value = q;
}

function options(select, values, words, any, chosen) {
  select.replaceChildren(
    h('option', { value: '' }, t(any)),
    ...values.map((value) => h('option', { value }, t(`${words}.${value}`))),
  );
  select.value = values.includes(chosen) ? chosen : '';
}

async function list(quietly) {
  const mine = (asked += 1);
  const root = $('#batches');
  if (!quietly) {
    root.setAttribute('aria-busy', 'true');
    if (!root.firstChild) root.replaceChildren(skeleton());
  }
  const { q, state, source } = query();
  const wanted = Object.fromEntries(Object.entries({ q, state, source }).filter(([, value]) => value));
  try {
    const answer = await call('GET', path('/texts/api/batches', wanted));
    if (mine !== asked) return;
    again(answer.batches.some(moving) ? 4000 : 30_000);
    if (quietly && JSON.stringify(answer) === shown) return;
    shown = JSON.stringify(answer);
    const focused =
      quietly && root.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
    const rows =
      quietly && ($('[data-more]', root)?.dataset.more ?? null) === answer.next && $('.batches', root);
    if (rows && answer.batches.length) patch(rows, answer.batches.map(row));
    else root.replaceChildren(answer.batches.length ? pageOf(answer, wanted) : nothing(wanted));
    if (focused) root.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    if (!quietly && Object.keys(wanted).length)
      say(answer.next ? t('texts.many') : tn('texts.found', answer.batches.length));
  } catch (refused) {
    if (mine === asked && quietly) again(30_000);
    else if (mine === asked)
      root.replaceChildren(
        note(
          'bad',
          refused.message,
          ' ',
          h('button', { type: 'button', class: 'link', onclick: () => list() }, t('page.retry')),
        ),
      );
  } finally {
    if (mine === asked) root.setAttribute('aria-busy', 'false');
  }
}

const moving = ({ state, send_at: due }) =>
  ['preparing', 'sending'].includes(state) ||
  (state === 'scheduled' && Date.parse(due) - Date.now() < 60_000);

/** The list moves by itself: fast while something goes out, and what is scheduled begins some day. */
function again(wait) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (document.hidden || $('#batches .later')) again(wait);
    else list(true);
  }, wait);
}

const skeleton = () =>
  h(
    'div',
    { class: 'card stack', 'aria-hidden': 'true' },
    h('div', { class: 'bone half' }),
    h('div', { class: 'bone' }),
    h('div', { class: 'bone half' }),
    h('div', { class: 'bone' }),
  );

function nothing(wanted) {
  const filtered = Object.keys(wanted).length > 0;
  return h(
    'div',
    { class: 'card state' },
    picture('empty'),
    h('h2', {}, t(filtered ? 'texts.none_found' : 'texts.none')),
    h('p', { class: 'soft' }, t(filtered ? 'texts.none_found.what' : 'texts.none.what')),
    filtered
      ? h(
          'button',
          {
            type: 'button',
            onclick: () => {
              $('#f-q').value = '';
              $('#f-q').focus();
              go({});
            },
          },
          t('texts.clear'),
        )
      : null,
  );
}

function pageOf({ batches, next }, wanted) {
  const rows = h('ul', { class: 'batches' }, batches.map(row));
  const card = h('div', { class: 'card flush' }, rows);
  const more = (cursor) =>
    cursor &&
    h(
      'p',
      { class: 'state', 'data-more': cursor },
      h(
        'button',
        {
          type: 'button',
          onclick: async (event) => {
            event.currentTarget.disabled = true;
            const place = event.currentTarget.parentElement;
            try {
              const answer = await call('GET', path('/texts/api/batches', { ...wanted, cursor }));
              const added = answer.batches.map(row);
              rows.append(...added);
              rows.classList.add('later'); // a list that was lengthened by hand is not drawn anew under the reader
              place.remove();
              if (answer.next) card.append(more(answer.next));
              added[0]?.querySelector('a').focus();
            } catch (refused) {
              place.replaceChildren(note('bad', refused.message));
            }
          },
        },
        t('page.more'),
      ),
    );
  if (next) card.append(more(next));
  return card;
}

function row(batch) {
  const {
    id,
    counts,
    by,
    to,
    state,
    text,
    source,
    workflow,
    created_at: at,
    warning,
    reason,
    send_at: due,
  } = batch;
  const bad = counts.failed + counts.undelivered;
  const values = { ...query(), batch: id };
  const facts = [
    to && to.deal,
    by && by.name,
    t(`source.${source}`) + (workflow ? ` “${workflow.name}”` : ''),
    seen(batch) === 'scheduled' && due ? '' : when(at),
  ].filter(Boolean);
  return h(
    'li',
    {},
    h(
      'a',
      {
        href: path('/texts', values),
        onclick: (event) => {
          if (following(event)) {
            event.preventDefault();
            go(values, true);
          }
        },
      },
      h('strong', {}, whom(batch)),
      h(
        'span',
        { class: 'side' },
        stateBadge(batch),
        counts.total > 1 ? meter(counts) : '',
        h('small', { class: 'num' }, timeLeft(batch) || (counts.total > 1 ? progressOf(counts) : '')),
      ),
      h('span', { class: 'say' }, text),
      h(
        'span',
        { class: 'row' },
        h('small', {}, facts.join(' · ')),
        bad ? h('span', { class: 'badge bad' }, icon('alert'), tn('texts.failed', bad)) : '',
        counts.uncertain
          ? h('span', { class: 'badge warn' }, icon('alert'), tn('texts.uncertain', counts.uncertain))
          : '',
      ),
      warning || (state === 'held' && reason)
        ? h('span', { class: 'badge warn wrap' }, icon('alert'), warning || reason)
        : '',
    ),
  );
}

filters.addEventListener('submit', (event) => event.preventDefault());
let typing = 0;
filters.addEventListener('input', (event) => {
  clearTimeout(typing);
  typing = setTimeout(
    () => {
      const values = Object.fromEntries(
        [...new FormData(filters)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value),
      );
      go(values);
    },
    event.target.name === 'q' ? 300 : 0,
  );
});
window.addEventListener('popstate', () => route(true));
forgetLaunch();
followHeight($('#main'));
post('ready');
route();
