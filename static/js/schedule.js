// The schedule panel: date, time, zone, and the instant in words.
import { h, link, note, page, place, say, t } from './dom.js';
import { afterQuiet, instants, inWords, offsetOf, wall } from './zones.js';

let serial = 0;

/** @param start {local, time_zone} of a batch that is being moved · @param changed told at each change */
export function schedulePanel({ root, context = {}, changed = () => {}, start, late }) {
  const id = `when-${(serial += 1)}`;
  const to = context.to || {};
  const mine = context.time_zone || page.user.time_zone;
  const date = h('input', { type: 'datetime-local', id, step: '60', 'aria-describedby': `${id}-words` });
  const zone = zoneSelect(`${id}-zone`, [mine, to.time_zone, start && start.time_zone]);
  const words = h('p', { id: `${id}-words`, role: 'status' });
  const remarks = h('div', { class: 'stack' });
  const night = h('div', { class: 'stack' });
  const rule = h(
    'select',
    { id: `${id}-late` },
    ['hold', 'send', 'drop'].map((what) => h('option', { value: what }, t(`late.${what}`))),
  );
  let chosen = null; // the offset picked where a wall time is ambiguous
  let at = null;

  root.replaceChildren(
    h('div', { class: 'pair' }, field(id, 'schedule.when', date), field(`${id}-zone`, 'schedule.zone', zone)),
    words,
    remarks,
    night,
    field(`${id}-late`, 'late.label', rule),
  );
  date.value = (start && start.local) || wall(new Date(Date.now() + 86_400_000), mine).slice(0, 11) + '09:00';
  zone.value = (start && start.time_zone) || mine;
  const meant =
    start && instants(start.local, zone.value).find((one) => offsetOf(one, zone.value) === start.offset);
  if (meant) chosen = { at: meant, offset: start.offset };
  if (late && late.do) rule.value = late.do;
  date.addEventListener('input', update);
  zone.addEventListener('change', update);

  const others = () =>
    to.time_zone && to.time_zone !== mine ? [{ zone: to.time_zone, who: to.name || t('when.them') }] : [];

  function update() {
    chosen = null;
    remarks.replaceChildren();
    read();
  }

  function read() {
    const found = instants(date.value, zone.value);
    at = chosen ? new Date(chosen.at) : found[0] || null;
    const past = at && at.getTime() < Date.now();
    date.setAttribute('aria-invalid', String(Boolean(!date.value || past)));
    if (!date.value) words.textContent = t('schedule.empty');
    else if (past) words.textContent = t('schedule.past');
    else if (found.length === 1 || chosen) words.textContent = inWords(at, zone.value, others());
    else words.textContent = t(found.length ? 'schedule.twice' : 'schedule.never');
    night.replaceChildren();
    if ((found.length === 1 || chosen) && !past) quiet();
    changed();
  }

  function quiet() {
    const there = to.time_zone || zone.value;
    const morning = afterQuiet(at, there, context.quiet_hours);
    if (!morning || context.mode === 'bulk') return; // many people, many clocks: the preview counts them
    const later = () => {
      date.value = wall(morning, zone.value);
      update();
      date.focus();
    };
    night.replaceChildren(
      note(
        'warn',
        t('schedule.quiet', { ...context.quiet_hours, place: place(there) }),
        ' ',
        link(t('schedule.morning', { to: context.quiet_hours.to }), later),
      ),
    );
  }

  /** The server's question about a time that exists twice or never: shown, never guessed. */
  function ask({ message, details }) {
    const choices = details.choices || [];
    words.textContent = ''; // what was foretold there is asked now
    remarks.replaceChildren(
      h(
        'fieldset',
        { class: 'stack' },
        h('legend', {}, message),
        choices.map((choice, index) =>
          h(
            'label',
            { class: 'check' },
            h('input', {
              type: 'radio',
              name: `${id}-choice`,
              onchange: () => pick(choice),
              id: `${id}-choice-${index}`,
            }),
            choice.label || inWords(new Date(choice.at), choice.time_zone || zone.value),
          ),
        ),
      ),
    );
    if (!choices.length) remarks.replaceChildren(note('bad', message));
    say(message);
    const first = remarks.querySelector('input');
    if (first) first.focus();
    else date.focus();
  }

  function pick(choice) {
    date.value = choice.local;
    chosen = choice;
    read();
  }

  const panel = {
    open: !root.hidden,
    toggle() {
      root.hidden = !root.hidden;
      panel.open = !root.hidden;
      if (panel.open) {
        read();
        date.focus();
      }
    },
    ok: () => Boolean(date.value) && !(at && at.getTime() < Date.now()),
    ask,
    /** Says what is wrong with it. */
    show() {
      read();
      date.focus();
      say(words.textContent);
    },
    /** The schedule and late rule of POST /embed/api/batches. */
    value() {
      const schedule = { local: date.value, time_zone: zone.value };
      if (chosen) schedule.offset = chosen.offset;
      return { schedule, late: { after_minutes: 60, do: rule.value } };
    },
  };
  read();
  return panel;
}

const field = (id, key, input) => h('div', { class: 'field' }, h('label', { for: id }, t(key)), input);

function zoneSelect(id, near) {
  const option = (name) => h('option', { value: name }, name.replaceAll('_', ' '));
  const first = [...new Set(near.filter(Boolean))];
  const all = Intl.supportedValuesOf('timeZone').filter((name) => !first.includes(name));
  return h(
    'select',
    { id },
    h('optgroup', { label: t('schedule.near') }, first.map(option)),
    h('optgroup', { label: t('schedule.all') }, all.map(option)),
  );
}
