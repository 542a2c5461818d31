// The state of the connection at a glance.
import { badge, count, fact, h, icon, note, t, timeTag, tn } from './dom.js';

/** The texts that wait and those of the last hour. */
export function drawFigures(root, { queue = {} }) {
  const figure = (key, value = 0, state = '', isBad = false) => {
    const label = isBad && value ? badge('bad', icon('alert'), t(key)) : h('span', { class: 'soft' }, t(key));
    const words = state && value ? h('a', { href: `/texts?state=${state}` }, label) : label;
    return h('div', { class: 'figure' }, h('strong', {}, count(value)), words);
  };
  root.replaceChildren(
    figure('queue.waiting', queue.waiting, 'sending'),
    figure('queue.scheduled', queue.scheduled, 'scheduled'),
    figure('queue.sent', queue.sent_last_hour),
    figure('queue.failed', queue.failed_last_hour, 'failed', true),
    figure('queue.uncertain', queue.uncertain, 'unknown', true),
  );
}

/** Which schedules will fail, with a link to them. */
export function drawWarnings(root, { warnings = [] }) {
  const link = () => h('a', { href: '/texts?state=scheduled' }, t('app.warning.scheduled'));
  root.replaceChildren(...warnings.map((words) => note('warn', words, ' ', link())));
}

export function drawHealth(root, { connection }) {
  const { connected_at: since, limited_at: limited, subscriptions = {} } = connection;
  const time = (iso, none) => (iso ? timeTag(iso) : t(none));
  const subscribed = [
    subscription('sms', subscriptions.sms),
    subscription('log', subscriptions.change_log),
  ];
  const limitedWords = h('small', {}, ` ${connection.limited_words || ''}`);
  const facts = [
    fact('health.company', h('strong', {}, connection.company)),
    fact('health.by', connection.connected_by || '—', h('small', {}, ' ', since ? timeTag(since) : '')),
    rateFact(connection),
    fact('health.event', time(connection.last_event_at, 'health.no_event')),
    fact('health.check', time(connection.directory_at, 'health.never')),
    limited ? fact('health.limited', timeTag(limited), limitedWords) : null,
    fact('health.token', time(connection.token_expires_at, 'health.token_static')),
    fact('health.subs', h('span', { class: 'row' }, subscribed)),
  ];
  root.replaceChildren(
    h('dl', { class: 'facts' }, facts),
    subscriptions.note ? note('warn', subscriptions.note) : '',
  );
  root.className = 'stack';
}

const subscription = (name, on) =>
  badge(on ? 'good' : 'warn', icon(on ? 'check' : 'alert'), t(on ? `health.sub.${name}` : `health.sub.${name}.off`));

function rateFact({ rate_per_minute: all, reserve = 0, used_last_minute: used = 0 }) {
  const bar = h('i', {});
  bar.style.width = `${Math.min(100, (100 * used) / Math.max(1, all))}%`;
  const rate = fact(
    'health.rate',
    t('health.rate_of', { used: count(used), all: count(all) }),
    reserve ? h('small', {}, ` ${tn('health.reserve', reserve)}`) : null,
    h('div', { class: 'meter', 'aria-hidden': 'true' }, bar),
  );
  rate.className = 'rate';
  return rate;
}
