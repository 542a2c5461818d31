// Who a text is from and to, at the head of the popup, and what is known of that person.
import { loaded } from './api.js';
import { $, h, link, note, t } from './dom.js';
import { ago } from './times.js';

const DAY = 86_400_000;

export const firstName = ({ name, display }) => name?.split(' ')[0] || display;

export function drawAddressees({ to, from, mode }) {
  const number = (words) => h('small', { class: 'num' }, words);
  if (mode === 'bulk') {
    $('#to').hidden = $('#to-label').hidden = true;
  } else {
    const details = [to.name && to.display, to.field_label].filter(Boolean).join(' · ');
    $('#to').replaceChildren(h('span', {}, to.name || to.display), number(details));
  }
  $('#from').replaceChildren(h('span', {}, from.email), number(from.display || from.number));
}

/** Who texted this person a short while ago. */
export function lastTextNote({ to }) {
  const last = to?.last_text;
  if (!last || Date.now() - Date.parse(last.at) > DAY) return [];
  const key = last.mine ? 'last_text.mine' : 'last_text.other';
  return [note('', t(key, { by: last.by, whom: firstName(to), ago: ago(last.at) }))];
}

/**
 * Offers to mark the one person as opted out, and asks about a text that may mean it.
 * again loads the popup anew.
 */
export function drawConsent({ mode, to }, again) {
  const place = $('#consent');
  place.hidden = true;
  if (mode === 'bulk' || !to) return;
  const { number, review } = to;
  const parts = () => loaded(import('./consent.js'));
  const fill = (...content) => {
    place.hidden = content.length === 0;
    place.replaceChildren(...content);
  };
  const ask = async () => {
    const { consentForm } = await parts();
    fill(consentForm({ action: 'opt_out', target: () => ({ number }), done: again, cancel: () => fill() }));
    $('input', place).focus();
  };
  const mark = link(t('consent.opt_out'), () => ask().catch((refusal) => fill(note('bad', refusal.message))));
  mark.id = 'mark';
  $('#to').append(mark);
  if (!review) return;
  const show = ({ reviewNote }) =>
    fill(note('warn', h('strong', {}, t('review.one')), reviewNote({ review, number, done: again })));
  parts().then(show, () => {});
}
