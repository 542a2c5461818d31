// Everything known about one text.
import { call } from './api.js';
import { showDialog } from './dialogs.js';
import { $, dialpadsWord, h, link, note, page, place, pretty, save, t, tn, timeTag, whyOf } from './dom.js';
import { badge } from './progress.js';

export async function receiptDialog(dialog, id) {
  const body = h('div', { class: 'stack' }, h('div', { class: 'bone' }), h('div', { class: 'bone half' }));
  $('div', dialog).replaceChildren(
    h('h2', { id: 'receipt-title' }, t('receipt.title')),
    body,
    h(
      'div',
      { class: 'row end' },
      h('button', { type: 'button', 'data-first': '', onclick: () => dialog.close() }, t('page.close')),
    ),
  );
  showDialog(dialog);
  try {
    body.replaceChildren(...content(await call('GET', `/embed/api/messages/${id}/receipt`)));
  } catch (refused) {
    body.replaceChildren(note('bad', refused.message));
  }
}

const moment = (at) => timeTag(at, page.user.time_zone, { second: '2-digit' });

function content(receipt) {
  const { message, request = {}, timeline = [] } = receipt;
  const { text, state } = message;
  const why = whyOf(message);
  const fact = (key, value) =>
    value === null || value === undefined || value === ''
      ? null
      : h('div', {}, h('dt', {}, t(key)), h('dd', { class: 'num' }, value));
  const parts = message.segments
    ? `${tn('counter.segments', message.segments)} · ${message.encoding || ''}`
    : null;
  return [
    h('p', { class: 'quote' }, text || ''),
    request.text && request.text !== text
      ? h('p', { class: 'soft' }, t('receipt.made_of'), ' ', h('span', { class: 'say' }, request.text))
      : '',
    h('p', {}, h('span', { class: `badge ${badge(state)}` }, t(`state.tab.${state}`))),
    why ? note(state === 'uncertain' ? 'warn' : 'bad', why, dialpadsWord(message)) : '',
    h(
      'dl',
      { class: 'facts' },
      fact(
        'receipt.to',
        h(
          'span',
          {},
          message.name ? `${message.name} · ` : '',
          h('span', { class: 'nowrap' }, message.display || message.to || ''),
        ),
      ),
      fact('receipt.from', [pretty(message.from), request.sender].filter(Boolean).join(' · ')),
      fact('receipt.asked', request.by && request.by.name),
      fact('receipt.field', request.to_field),
      fact(
        'receipt.time',
        request.schedule
          ? `${request.schedule.local.replace('T', ' ')} ${place(request.schedule.time_zone)}`
          : null,
      ),
      fact('receipt.cost', parts),
      fact('receipt.sent', message.sent_at ? moment(message.sent_at) : null),
      fact('receipt.dialpad', message.dialpad_id),
      fact('receipt.matched', message.matched_by === 'number' ? t('receipt.by_number') : null),
    ),
    timeline.length
      ? h(
          'ol',
          { class: 'line' },
          timeline.map((one) => h('li', {}, one.text, ' ', moment(one.at))),
        )
      : '',
    h(
      'p',
      {},
      link(t('receipt.json'), () =>
        save(
          `receipt-${message.id}.json`,
          new Blob([JSON.stringify(receipt, null, 2)], { type: 'application/json' }),
        ),
      ),
    ),
  ];
}
