// How the connection is doing, at a glance.
import { count, h, icon, note, t, tn, timeTag } from './dom.js';

export function numbers(root, { queue = {} }) {
  const figure = (key, value, bad) =>
    h(
      'div',
      { class: 'figure' },
      h('strong', {}, count(value || 0)),
      h('span', { class: bad && value ? 'badge bad' : 'soft' }, bad && value ? icon('alert') : null, t(key)),
    );
  root.replaceChildren(
    figure('queue.waiting', queue.waiting),
    figure('queue.scheduled', queue.scheduled),
    figure('queue.sent', queue.sent_last_hour),
    figure('queue.failed', queue.failed_last_hour, true),
    figure('queue.uncertain', queue.uncertain, true),
  );
}

/** Which schedules will fail and what is on hold, with the way to them. */
export function warnings(root, { warnings: list = [], held = [] }) {
  const look = (state) => h('a', { href: `/texts?state=${state}` }, t(`app.warning.${state}`));
  root.replaceChildren(
    ...list.map((words) => note('warn', words, ' ', look('scheduled'))),
    ...held.map((reason) =>
      note('warn', t('app.held', { reason: reason.replace(/\.$/, '') }), ' ', look('held')),
    ),
  );
}

const fact = (key, ...value) => h('div', {}, h('dt', {}, t(key)), h('dd', {}, ...value));
const time = (iso, none) => (iso ? timeTag(iso) : t(none));

export function health(root, { connection }) {
  const subs = connection.subscriptions || {};
  root.replaceChildren(
    h(
      'dl',
      { class: 'facts' },
      fact('health.company', h('strong', {}, connection.company)),
      fact(
        'health.by',
        connection.connected_by || '—',
        h('small', {}, ' ', connection.connected_at ? timeTag(connection.connected_at) : ''),
      ),
      rate(connection),
      fact('health.event', time(connection.last_event_at, 'health.no_event')),
      fact('health.check', time(connection.directory_at, 'health.never')),
      connection.limited_at
        ? fact(
            'health.limited',
            timeTag(connection.limited_at),
            h('small', {}, ` ${connection.limited_words || ''}`),
          )
        : null,
      fact('health.token', time(connection.token_expires_at, 'health.token_static')),
      fact(
        'health.subs',
        h('span', { class: 'row' }, sub('health.sub.sms', subs.sms), sub('health.sub.log', subs.change_log)),
      ),
    ),
    subs.note ? note('warn', subs.note) : '',
  );
  root.className = 'stack';
}

function sub(key, on) {
  return h(
    'span',
    { class: `badge ${on ? 'good' : 'warn'}` },
    icon(on ? 'check' : 'alert'),
    t(on ? key : `${key}.off`),
  );
}

function rate({ rate_per_minute: all, reserve = 0, used_last_minute: used = 0 }) {
  const bar = h('i', {});
  bar.style.width = `${Math.min(100, (100 * used) / Math.max(1, all))}%`;
  return h(
    'div',
    { class: 'rate' },
    h('dt', {}, t('health.rate')),
    h(
      'dd',
      {},
      t('health.rate_of', { used: count(used), all: count(all) }),
      reserve ? h('small', {}, ` ${tn('health.reserve', reserve)}`) : null,
      h('div', { class: 'meter', 'aria-hidden': 'true' }, bar),
    ),
  );
}
