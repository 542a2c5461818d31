// What the tenant's people and the popup's one person wrote to each other, the newest
// at the bottom.
import { Refused, call, newest, path } from './api.js';
import { badge, h, icon, link, note, page, t, timeTag } from './dom.js';

const ADDRESS = '/embed/api/conversation';
const REFRESH = 1500;
const REFRESH_HIDDEN = 15_000;
const NEAR_END = 24; // pixels

const TONE = { delivered: 'good', failed: 'bad', undelivered: 'bad', uncertain: 'warn' };

/** Fills root and keeps it current. There is nothing to see until somebody has texted. */
export function conversation(root) {
  const items = new Map(); // by id
  const ask = newest();
  let older = null; // the cursor of the next page
  let reachedStart = false;
  let drawn = '';
  const list = h('ol');
  const frame = h('div', { class: 'talk', tabindex: '0', role: 'log', 'aria-label': t('talk.title') }, list);
  const more = h('div');
  const which = h('div');
  root.replaceChildren(which, more, frame);

  async function refresh() {
    const isNewest = ask();
    try {
      const answer = await call('GET', ADDRESS);
      if (isNewest()) show(answer);
    } catch (refusal) {
      if (!(refusal instanceof Refused)) throw refusal;
      if (refusal.code === 'session_over') return; // the popup says so when it is used
    }
    setTimeout(refresh, document.hidden ? REFRESH_HIDDEN : REFRESH);
  }

  function show({ items: page, contacts, next }) {
    if (!items.size) older = next;
    for (const one of page) items.set(one.id, one);
    which.replaceChildren(contacts > 1 ? note('', t('talk.contacts', { n: contacts })) : '');
    draw();
  }

  async function showOlder(event) {
    const pressed = event.currentTarget;
    pressed.disabled = true;
    try {
      const { items: page, next } = await call('GET', path(ADDRESS, { cursor: older }));
      for (const one of page) items.set(one.id, one);
      older = next;
      reachedStart = !next;
      const before = frame.scrollHeight;
      draw();
      frame.scrollTop += frame.scrollHeight - before; // what was being read stays where it was
      frame.focus();
    } catch (refusal) {
      more.replaceChildren(note('bad', refusal.message, ' ', link(t('page.retry'), showOlder)));
    }
  }

  function draw() {
    const sorted = [...items.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    const now = JSON.stringify(sorted);
    if (now === drawn) return;
    const atEnd = frame.scrollHeight - frame.scrollTop - frame.clientHeight < NEAR_END;
    drawn = now;
    root.hidden = !sorted.length;
    list.replaceChildren(...sorted.map(bubble));
    more.replaceChildren(older && !reachedStart ? link(t('talk.older'), showOlder) : '');
    if (atEnd) frame.scrollTop = frame.scrollHeight;
  }

  refresh();
}

function bubble(item) {
  const { direction, text, picture, state, error_text: reason, at } = item;
  const isAnswer = direction === 'inbound';
  const missing = isAnswer && !text;
  const words = missing ? t(picture ? 'talk.picture' : 'talk.unread') : text;
  return h(
    'li',
    { class: isAnswer ? 'in' : 'out' },
    h('p', { class: missing ? 'bubble soft' : 'bubble' }, words, picture && text ? h('small', {}, ' ', t('talk.with_picture')) : ''),
    h('small', {}, isAnswer ? '' : `${byWords(item)} · `, timeTag(at, page.user.time_zone), isAnswer ? '' : stateBadge(state, reason)),
  );
}

const byWords = ({ mine, by }) => (mine ? t('talk.you') : by);

function stateBadge(state, reason) {
  const tone = TONE[state];
  return [' ', badge(tone, tone === 'bad' ? icon('alert') : '', t(`state.tab.${state}`)), tone === 'bad' && reason ? ` ${reason}` : ''];
}
