// Everything known about one text.
import { call } from './api.js';
import { messageBadge, replyLines, waitLine } from './batch_parts.js';
import { consentForm, consentLines, contactOf, reviewNote } from './consent.js';
import { dialpadBlocks, offerOf } from './consent_state.js';
import { showDialog } from './dialogs.js';
import {
  $,
  button,
  buttonRow,
  dialpadCode,
  download,
  fact,
  formatNumber,
  h,
  link,
  note,
  page,
  placeholder,
  reasonOf,
  refusalNote,
  segmentWords,
  t,
  timeTag,
  timeline,
} from './dom.js';
import { readable } from './readable.js';
import { capital } from './times.js';
import { inWords, plannedAt } from './zones.js';

/** Shows the receipt of the message id. */
export async function receiptDialog(dialog, id) {
  const body = h('div', { class: 'stack' }, placeholder('', 'half'));
  $('div', dialog).replaceChildren(
    h('h2', { id: 'receipt-title' }, t('receipt.title')),
    body,
    buttonRow(button(t('page.close'), { 'data-first': '', onclick: () => dialog.close() })),
  );
  showDialog(dialog);
  try {
    body.replaceChildren(...content(await call('GET', `/embed/api/messages/${id}/receipt`)));
    $('dl', body).after(consentOf(id));
    dialog.scrollTop = 0; // Close has the focus, below
  } catch (refusal) {
    body.replaceChildren(refusalNote(refusal));
  }
}

/** Whether the person wants texts, and the way to record it. */
function consentOf(id) {
  const place = h('div', { class: 'stack' });
  const again = async () => draw(await contactOf(id));
  const draw = (contact) => {
    const { opted_out: out, review, number } = contact;
    const action = offerOf(contact);
    const ask = () => {
      place.replaceChildren(consentForm({ action, target: () => ({ message_id: id }), done: draw, cancel: () => draw(contact) }));
      $('input', place).focus();
    };
    place.replaceChildren(
      out ? note('warn', t(dialpadBlocks(contact) ? 'consent.dialpad' : 'state.opted_out.title')) : '',
      review ? note('warn', h('strong', {}, t('review.one')), reviewNote({ review, number, done: draw })) : '',
      consentLines(contact),
      action ? h('p', {}, link(t(`consent.${action}`), ask)) : '',
    );
  };
  again().catch(() => {}); // an erased number has none
  return place;
}

const timeToTheSecond = (at) => timeTag(at, page.user.time_zone, { second: '2-digit' });

function content(receipt) {
  const { message, request = {}, timeline: events = [] } = receipt;
  const { id, text, state } = message;
  const reason = reasonOf(message);
  const template = request.text && request.text !== text ? request.text : '';
  const json = () => new Blob([JSON.stringify(receipt, null, 2)], { type: 'application/json' });
  return [
    h('p', { class: 'quote' }, text || ''),
    template
      ? h('p', { class: 'soft' }, t('receipt.made_of'), ' ', h('span', { class: 'say' }, readable(template)))
      : '',
    h('p', { class: 'row' }, messageBadge(state), waitLine(receipt)),
    reason && !receipt.wait ? note(state === 'uncertain' ? 'warn' : 'bad', reason, dialpadCode(message)) : '',
    ...replyLines(message),
    h('dl', { class: 'facts' }, facts(message, request)),
    events.length ? timeline(events, timeToTheSecond) : '',
    h(
      'p',
      {},
      link(t('receipt.json'), () => download(`receipt-${id}.json`, json())),
    ),
  ];
}

/** A planned time as it was chosen: "Tue, Nov 24, 9:00 AM in New York (3:00 PM for you)". */
function plannedWords(schedule) {
  const at = plannedAt(schedule);
  return at ? inWords(at, schedule.time_zone) : '';
}

/** Only what is known is listed. */
function facts(message, { sender, by, to_field: phoneField, to_label: phoneLabel, schedule }) {
  const { name, display, to, from, sent_at: sentAt, dialpad_id: dialpadID, matched_by: matched } = message;
  const number = h('span', { class: 'nowrap' }, display || to || '');
  const list = [
    ['receipt.to', h('span', {}, name ? `${name} · ` : '', number)],
    ['receipt.from', [formatNumber(from), sender].filter(Boolean).join(' · ')],
    ['receipt.asked', by && by.name],
    ['receipt.field', phoneLabel || (phoneField && capital(phoneField))],
    ['receipt.time', schedule && plannedWords(schedule)],
    ['receipt.cost', message.segments && segmentWords(message)],
    ['receipt.sent', sentAt && timeToTheSecond(sentAt)],
    ['receipt.dialpad', dialpadID],
    ['receipt.matched', matched === 'number' && t('receipt.by_number')],
  ];
  return list.filter(([, value]) => value).map(([key, value]) => numericFact(key, value));
}

function numericFact(key, value) {
  const element = fact(key, value);
  element.lastChild.className = 'num';
  return element;
}
