// The people of a batch, by state. Before it begins, single ones can be left out.
import { call, newest, path } from './api.js';
import { messageBadge, replyLines } from './batch_parts.js';
import { MESSAGE_STATES } from './batch_state.js';
import {
  $,
  button,
  count,
  dialpadCode,
  h,
  headings,
  icon,
  keepFocus,
  patchChildren,
  reasonOf,
  refusalNote,
  t,
  timeTag,
} from './dom.js';
import { receiptDialog } from './receipt.js';

// A longer list is not redrawn while it moves: somebody is reading further down.
const MAX_REDRAWN = 100;
const TYPING_PAUSE = 250;
const SEARCHED_FROM = 10; // people; fewer are seen at once

/**
 * Fills root with the people of the batch id. update(batch) redraws them, stop()
 * ends it.
 * @param problem shows refusals · @param changed gets the batch after somebody was left out
 */
export function peopleTable({ root, id, problem, changed }) {
  let state = ''; // the tab; "" is all
  let q = ''; // the search
  let typing = 0;
  let shown = null; // the batch
  const ask = newest();
  const tabs = h('div', { class: 'tabs', role: 'group', 'aria-label': t('batch.by_state') });
  const body = h('tbody');
  const foot = h('div');
  const receipt = h('th', { scope: 'col' }, h('span', { class: 'vh' }, t('receipt.title')));
  const head = h(
    'tr',
    {},
    headings('list.person', 'people.number', 'people.state', 'texts.sent_at'),
    receipt,
  );
  const table = h('table', { class: 'cards' }, h('thead', {}, head), body);
  const input = h('input', {
    type: 'search',
    'aria-label': t('batch.search'),
    placeholder: t('batch.search'),
    oninput: () => {
      clearTimeout(typing);
      typing = setTimeout(() => {
        q = input.value.trim();
        load();
      }, TYPING_PAUSE);
    },
  });
  const search = h('div', { class: 'combo', hidden: true }, icon('search'), input);
  root.append(h('div', { class: 'row' }, h('h2', { class: 'grow' }, t('batch.people')), search), tabs, table, foot);

  async function load(cursor) {
    const isNewest = ask();
    try {
      const query = path(`/embed/api/batches/${id}/messages`, { state, q, cursor });
      const { messages, next } = await call('GET', query);
      if (!isNewest()) return;
      const rows = messages.map(row);
      keepFocus(body, () => (cursor ? body.append(...rows) : patchChildren(body, rows)));
      root.hidden = !state && !q && !body.firstChild; // a scheduled text to one person has none before it begins
      foot.replaceChildren(footOf(next));
    } catch (refusal) {
      if (isNewest()) problem.replaceChildren(refusalNote(refusal));
    }
  }

  function footOf(next) {
    if (next) return button(t('page.more'), { onclick: () => load(next) });
    return body.firstChild ? '' : h('p', { class: 'soft', role: 'status' }, t('batch.nobody'));
  }

  function drawTabs(batch) {
    const { counts, replied } = (shown = batch);
    const states = MESSAGE_STATES.filter((name) => counts[name] || state === name);
    tabs.hidden = counts.total < 2;
    search.hidden = counts.total < SEARCHED_FROM;
    const list = [
      tab('', t('batch.all'), counts.total),
      ...(replied || state === 'replied' ? [tab('replied', t('state.tab.replied'), replied)] : []),
      ...states.map((name) => tab(name, t(`state.tab.${name}`), counts[name])),
    ];
    keepFocus(tabs, () => tabs.replaceChildren(...list));
  }

  function tab(name, words, n) {
    const onclick = () => {
      state = name;
      drawTabs(shown);
      load();
    };
    const pressed = String(state === name);
    return button(`${words} ${count(n)}`, { 'aria-pressed': pressed, 'data-act': `tab-${name}`, onclick });
  }

  function row(message) {
    const { name, deal, to, display } = message;
    const reason = reasonOf(message);
    return h(
      'tr',
      {},
      h(
        'th',
        { scope: 'row' },
        name || display || to || t('list.person'),
        deal ? h('small', {}, ` ${deal}`) : '',
      ),
      h('td', { class: 'num' }, display || to || ''),
      h('td', {}, messageBadge(message.state), reason ? h('small', {}, reason, dialpadCode(message)) : '', replyLines(message)),
      h('td', {}, sentAt(message)),
      h('td', {}, message.id ? receiptLink(message) : setExcludedLink(message)),
    );
  }

  function receiptLink({ id: key, name, to }) {
    return button(t('receipt.open'), {
      class: 'link',
      'data-act': `receipt-${key}`,
      'aria-label': t('receipt.of', { name: name || to || t('list.person') }),
      onclick: () => receiptDialog($('#receipt'), key),
    });
  }

  function setExcludedLink({ state: now, record_id: record, name, to, error_code: code }) {
    if (now !== 'queued' && code !== 'left_out') return '';
    const what = code === 'left_out' ? 'take_in' : 'leave_out';
    return button(t(`batch.${what}`), {
      class: 'link',
      'data-act': `choice-${record}`,
      'aria-label': t(`batch.${what}_of`, { name: name || to || t('list.person') }),
      onclick: (event) => {
        const pressed = event.currentTarget;
        if (event.detail > 1 || pressed.getAttribute('aria-disabled')) return; // a double click is one
        setExcluded(pressed, record, what === 'leave_out');
      },
    });
  }

  async function setExcluded(pressed, record, out) {
    pressed.setAttribute('aria-disabled', 'true'); // disabled, it would lose the focus
    const others = (shown.exclude || []).filter((one) => one !== record);
    try {
      const body = { exclude: out ? [...others, record] : others };
      const { batch } = await call('PATCH', `/embed/api/batches/${id}`, { body });
      changed(batch);
      problem.replaceChildren();
    } catch (refusal) {
      problem.replaceChildren(refusalNote(refusal));
      pressed.removeAttribute('aria-disabled');
    }
  }

  return {
    update(batch) {
      drawTabs(batch);
      if (body.childElementCount <= MAX_REDRAWN) load();
    },
    stop: ask, // what is still on its way comes too late
  };
}

function sentAt({ sent_at: at, due_at: due }) {
  if (at) return timeTag(at);
  const waits = due && Date.parse(due) > Date.now();
  return h('span', { class: 'soft' }, waits ? [t('batch.waits'), ' ', timeTag(due)] : '—');
}
