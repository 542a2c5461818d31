// Who wants no texts: reviews, "mark as opted out", "consent given anew".
import { call } from './api.js';
import { momentOf } from './consent_state.js';
import { announce, button, dateIn, field, h, note, page, refusalNote, t, timeTag } from './dom.js';

const ADDRESS = '/embed/api/opt-outs';

/** Sends a decision: {action, number | message_id, how, at}. Returns the contact. */
async function decide(body) {
  const { contact } = await call('POST', ADDRESS, { body });
  announce(t(`consent.done.${body.action}`));
  return contact;
}

/** What is known of the number of a message. */
export async function contactOf(messageID) {
  const { contact } = await call('GET', `${ADDRESS}?${new URLSearchParams({ message_id: messageID })}`);
  return contact;
}

/** Calls run() with the pressed button disabled and shows a refusal in place. */
async function press(pressed, place, run) {
  pressed.disabled = true;
  try {
    await run();
  } catch (refusal) {
    place.replaceChildren(refusalNote(refusal));
    pressed.disabled = false;
  }
}

/**
 * A text that may mean an opt-out, with the two ways to decide.
 * @param review {text, said_at} · @param who names the number · @param done gets the contact
 */
export function reviewNote({ review, number, who, done }) {
  const problem = h('div', { role: 'alert' });
  const act = (action) => (event) =>
    press(event.currentTarget, problem, async () => done(await decide({ action, number, at: action === 'keep' ? review.said_at : null })));
  const choice = (action, more) =>
    button(t(`review.${action}`), {
      ...more,
      'aria-label': t(`review.${action}_of`, { who: who || number }),
      'data-act': `${action}-${number}`,
      onclick: act(action),
    });
  return h(
    'div',
    { class: 'review stack' },
    h('p', {}, who ? h('strong', { class: 'num' }, `${who} `) : '', timeTag(review.said_at)),
    review.text ? h('p', { class: 'quote' }, review.text) : h('p', { class: 'soft' }, t('review.no_text')),
    h('div', { class: 'row' }, choice('opt_out', { class: 'danger' }), choice('keep')),
    problem,
  );
}

/**
 * What is filled in for "mark as opted out" (opt_out) and "consent given anew"
 * (opt_in). It is no form: in the popup it stands inside the one that sends.
 * @param target returns {number} or {message_id} · @param done gets the contact
 */
export function consentForm({ action, target, done, cancel }) {
  const isConsent = action === 'opt_in';
  const problem = h('div', { role: 'alert' });
  const how = h('input', { id: 'consent-how', maxlength: '300', autocomplete: 'off', 'data-first': '' });
  const today = dateIn(new Date(), page.user.time_zone);
  const day = h('input', { id: 'consent-day', type: 'date', max: today, value: today });
  const submit = () => {
    if (isConsent && !how.value.trim()) {
      problem.replaceChildren(note('bad', t('consent.how.missing')));
      how.focus();
      return;
    }
    const body = { action, ...target(), how: how.value.trim(), at: isConsent ? momentOf(day.value, today) : null };
    press(save, problem, async () => done(await decide(body)));
  };
  const save = button(t(`consent.save.${action}`), { class: isConsent ? 'primary' : 'danger', onclick: submit });
  const onkeydown = (event) => {
    if (event.key !== 'Enter' || event.target.tagName !== 'INPUT') return;
    event.preventDefault();
    event.stopPropagation();
    if (!save.disabled) submit();
  };
  return h(
    'div',
    { class: 'stack consent', role: 'group', 'aria-label': t(`consent.${action}`), onkeydown },
    h('p', { class: 'soft' }, t(`consent.what.${action}`)),
    field('consent-how', t(`consent.how.${action}`), how),
    isConsent ? field('consent-day', t('consent.day'), day) : '',
    problem,
    h('div', { class: 'row end' }, button(t('page.cancel'), { onclick: cancel }), save),
  );
}

/** Who opted out, by which side, when and how: one line each. */
export function consentLines({ opted_out: out, sources, history }) {
  const line = ({ source, said_at: at, by, how }, key) =>
    h('li', {}, t(key), ' ', timeTag(at), h('small', {}, ` ${[by, how].filter(Boolean).join(' · ')}`));
  const lines = out
    ? sources.map((one) => line(one, `consent.source.${one.source}`))
    : history.slice(0, 1).map((one) => line(one, one.opted_out ? 'consent.was_out' : 'consent.is_in'));
  return lines.length ? h('ul', { class: 'ticks' }, lines) : '';
}
