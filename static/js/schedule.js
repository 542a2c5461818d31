// The schedule panel: date, time, zone, and the instant in words.
import { announce, cityOf, field, h, link, note, options, page, t, zoneNote } from './dom.js';
import { isKnownZone, knownZone } from './zone_names.js';
import { afterQuiet, inWords, instants, localTime, offsetOf } from './zones.js';

const DAY = 86_400_000;
const LATE_AFTER = 60; // minutes after its time when the late rule applies
let panels = 0; // for ids

/**
 * Fills root with a panel.
 * @param {object} options
 *   context  {time_zone, to, quiet_hours, mode}
 *   changed  called at each change
 *   start    {local, time_zone, offset} of a batch that is being rescheduled
 *   late     its late rule
 */
export function schedulePanel({ root, context, changed = () => {}, start, late }) {
  const id = `when-${(panels += 1)}`;
  const recipient = context.to || {};
  const own = knownZone(context.time_zone, page.user.time_zone);
  const date = h('input', { type: 'datetime-local', id, step: '60', 'aria-describedby': `${id}-words` });
  const zone = zoneSelect(`${id}-zone`, [own, recipient.time_zone, start && start.time_zone]);
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
      field(`${id}-zone`, t('schedule.zone'), zone),
    ),
    zoneNote() || '',
    words,
    question,
    quietNote,
    field(`${id}-late`, t('late.label'), lateRule),
  );
  fill();
  date.addEventListener('input', edited);
  zone.addEventListener('change', edited);

  function fill() {
    const tomorrow = localTime(new Date(Date.now() + DAY), own).slice(0, 11);
    date.value = (start && start.local) || `${tomorrow}09:00`;
    zone.value = knownZone(start && start.time_zone, own);
    if (late && late.do) lateRule.value = late.do;
    if (!start) return;
    const hasOffset = (instant) => offsetOf(instant, zone.value) === start.offset;
    const instant = instants(start.local, zone.value).find(hasOffset);
    if (instant) chosen = { at: instant, offset: start.offset };
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
    quietNote.replaceChildren(...(isClear && !isPast() ? quietWarning() : []));
    changed();
  }

  const isPast = () => Boolean(at) && at.getTime() < Date.now();

  function others() {
    const { time_zone: there, name } = recipient;
    return isKnownZone(there) && there !== own ? [{ zone: there, who: name || t('when.them') }] : [];
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
    const sentence = t('schedule.quiet', { ...hours, place: cityOf(there) });
    return [note('warn', sentence, ' ', link(t('schedule.morning', { to: hours.to }), move))];
  }

  /**
   * Puts the server's question about a time that exists twice or never to the person.
   */
  function ask({ message, details }) {
    const choices = details.choices || [];
    words.textContent = '';
    question.replaceChildren(choices.length ? choiceFields(message, choices) : note('bad', message));
    announce(message);
    (question.querySelector('input') || date).focus();
  }

  function choiceFields(message, choices) {
    const choiceField = (choice, index) => {
      const choose = () => {
        date.value = choice.local;
        chosen = choice;
        read();
      };
      const props = { type: 'radio', name: `${id}-choice`, onchange: choose, id: `${id}-choice-${index}` };
      const label = choice.label || inWords(new Date(choice.at), choice.time_zone || zone.value);
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

/** All time zones, the given ones first. */
function zoneSelect(id, suggested) {
  const label = (name) => name.replaceAll('_', ' ');
  const first = [...new Set(suggested.filter(isKnownZone))];
  const others = Intl.supportedValuesOf('timeZone').filter((name) => !first.includes(name));
  return h(
    'select',
    { id },
    h('optgroup', { label: t('schedule.near') }, options(first, label)),
    h('optgroup', { label: t('schedule.all') }, options(others, label)),
  );
}
