// The schedule panel: date, time, zone, and the instant in words.
import { announce, button, cityOf, dateIn, field, h, link, locale, note, options, page, t, zoneNote } from './dom.js';
import { capital, clockRange, wallClock } from './times.js';
import { isKnownZone, knownZone } from './zone_names.js';
import { zonePicker } from './zone_picker.js';
import { afterQuiet, inWords, instants, localTime, offsetOf } from './zones.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MORNING = '09:00';
const LATE_AFTER = 60; // minutes after its time when the late rule applies
let panels = 0; // for ids

/**
 * Fills root with a panel.
 * @param {object} options
 *   context  {time_zone, to, quiet_hours, mode}
 *   changed  called at each change
 *   start    {local, time_zone, offset} of a batch that is being rescheduled
 *   late     its late rule
 *   warn     shows warnings elsewhere than in the panel
 */
export function schedulePanel({ root, context, changed = () => {}, start, late, warn }) {
  const id = `when-${(panels += 1)}`;
  const recipient = context.to || {};
  const own = knownZone(context.time_zone, page.user.time_zone);
  const date = h('input', { type: 'datetime-local', id, step: '60', 'aria-describedby': `${id}-words` });
  const suggested = [start && start.time_zone, own, context.tenant_time_zone, recipient.time_zone, 'UTC'];
  const zone = zonePicker({ id: `${id}-zone`, suggested: suggested.filter(isKnownZone), changed: edited });
  const words = h('p', { id: `${id}-words`, role: 'status' });
  const question = h('div', { class: 'stack' });
  const quietNote = h('div', { class: 'stack' });
  const rules = options(['hold', 'send', 'drop'], (rule) => t(`late.${rule}`));
  const lateRule = h('select', { id: `${id}-late` }, rules);
  let chosen = null; // {at, offset}, where a local time is ambiguous
  let at = null; // the instant

  root.replaceChildren(
    h(
      'div',
      { class: 'pair' },
      field(id, t('schedule.when'), date),
      field(`${id}-zone`, t('schedule.zone'), zone.root),
    ),
    h('div', { class: 'row', role: 'group', 'aria-label': t('schedule.shortcuts') }, shortcuts()),
    zoneNote() || '',
    words,
    question,
    quietNote,
    field(`${id}-late`, t('late.label'), lateRule),
  );
  fill();
  date.addEventListener('input', edited);

  function fill() {
    zone.set(knownZone(start && start.time_zone, own));
    date.value = (start && start.local) || dayAhead(1);
    if (late && late.do) lateRule.value = late.do;
    if (!start) return;
    const hasOffset = (instant) => offsetOf(instant, zone.value) === start.offset;
    const instant = instants(start.local, zone.value).find(hasOffset);
    if (instant) chosen = { at: instant, offset: start.offset };
  }

  /** Nine in the morning some days ahead, in the chosen zone. */
  function dayAhead(days) {
    const noon = Date.parse(`${dateIn(new Date(), zone.value)}T12:00:00Z`);
    return `${dateIn(new Date(noon + days * DAY), 'UTC')}T${MORNING}`;
  }

  function shortcuts() {
    const choose = (local) => {
      date.value = local;
      edited();
    };
    const shortcut = (name, label, local) =>
      button(label, { class: 'shortcut', 'data-act': `shortcut-${name}`, onclick: () => choose(local()) });
    const time = wallClock(MORNING);
    const soon = () => localTime(new Date(Date.now() + HOUR), zone.value);
    const today = new Date(`${dateIn(new Date(), zone.value)}T12:00:00Z`).getUTCDay();
    const toMonday = (8 - today) % 7 || 7;
    const monday = capital(new Intl.DateTimeFormat(locale, { weekday: 'long', timeZone: 'UTC' }).format(Date.UTC(2024, 0, 1)));
    return [
      shortcut('hour', t('schedule.in_hour'), soon),
      shortcut('tomorrow', t('schedule.tomorrow', { time }), () => dayAhead(1)),
      toMonday > 1 ? shortcut('monday', t('schedule.weekday', { day: monday, time }), () => dayAhead(toMonday)) : '',
    ];
  }

  function edited() {
    chosen = null;
    question.replaceChildren();
    read();
  }

  function read() {
    const found = instants(date.value, zone.value);
    at = chosen ? new Date(chosen.at) : found[0] || null;
    const isClear = Boolean(chosen) || found.length === 1;
    date.setAttribute('aria-invalid', String(!date.value || isPast()));
    if (!date.value) words.textContent = t('schedule.empty');
    else if (isPast()) words.textContent = t('schedule.past');
    else if (isClear) words.textContent = inWords(at, zone.value, others());
    else words.textContent = t(found.length ? 'schedule.twice' : 'schedule.never');
    const warnings = isClear && !isPast() ? quietWarning() : [];
    if (warn) warn(...warnings);
    else quietNote.replaceChildren(...warnings);
    changed();
  }

  const isPast = () => Boolean(at) && at.getTime() < Date.now();

  function others() {
    const { time_zone: there, name } = recipient;
    return isKnownZone(there) && there !== own ? [{ zone: there, who: name?.split(' ')[0] || t('when.them') }] : [];
  }

  // Of many people each has another clock: there the preview counts them.
  function quietWarning() {
    const hours = context.quiet_hours;
    const there = knownZone(recipient.time_zone, zone.value);
    const morning = context.mode === 'bulk' ? null : afterQuiet(at, there, hours);
    if (!morning) return [];
    const move = () => {
      date.value = localTime(morning, zone.value);
      edited();
      date.focus();
    };
    const sentence = t('schedule.quiet', { hours: clockRange(hours), place: cityOf(there) });
    return [note('warn', sentence, ' ', link(t('schedule.morning', { to: wallClock(hours.to) }), move))];
  }

  /**
   * Puts the server's question about a time that exists twice or never to the person.
   */
  function ask({ code, message, details }) {
    const choices = details.choices || [];
    const time = wallClock(date.value.slice(11, 16));
    const isTwice = code === 'time_ambiguous';
    const sentence = choices.length ? t(isTwice ? 'schedule.ask_twice' : 'schedule.ask_never', { time }) : message;
    words.textContent = '';
    question.replaceChildren(choices.length ? choiceFields(sentence, choices, isTwice) : note('bad', sentence));
    announce(sentence);
    (question.querySelector('input') || date).focus();
  }

  function choiceFields(message, choices, isTwice) {
    const choiceField = (choice, index) => {
      const choose = () => {
        date.value = choice.local;
        chosen = choice;
        read();
      };
      const props = { type: 'radio', name: `${id}-choice`, onchange: choose, id: `${id}-choice-${index}` };
      const there = choice.time_zone || zone.value;
      const zoneName = { timeZone: there, timeZoneName: 'short', hour: 'numeric', minute: '2-digit' };
      const time = new Intl.DateTimeFormat(locale, zoneName).format(new Date(choice.at));
      const label = isTwice ? t(index ? 'schedule.after' : 'schedule.before', { time }) : time;
      return h('label', { class: 'check' }, h('input', props), label);
    };
    return h('fieldset', { class: 'stack' }, h('legend', {}, message), choices.map(choiceField));
  }

  const panel = {
    open: !root.hidden,
    toggle() {
      root.hidden = !root.hidden;
      panel.open = !root.hidden;
      if (!panel.open) return;
      read();
      date.focus();
    },
    /** The instant in words: "Tomorrow, 9:00 AM in New York". */
    words: () => words.textContent,
    ok: () => Boolean(date.value) && !isPast(),
    ask,
    /** Shows what is wrong with the time. */
    show() {
      read();
      date.focus();
      announce(words.textContent);
    },
    /** The schedule and late rule of POST /embed/api/batches. */
    value() {
      const schedule = { local: date.value, time_zone: zone.value };
      if (chosen) schedule.offset = chosen.offset;
      return { schedule, late: { after_minutes: LATE_AFTER, do: lateRule.value } };
    },
  };
  read();
  return panel;
}
