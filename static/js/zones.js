// Local times and instants. The server decides; this says it in words before.
import { cityOf, dateIn, page, t } from './dom.js';
import { capital, clock, dayWords } from './times.js';
import { isKnownZone, knownZone } from './zone_names.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const LONG_AGO = Date.UTC(2000);

const usable = (zone) => knownZone(zone, page.user.time_zone);

/** How far a zone is ahead of UTC at an instant, in milliseconds. */
const aheadOfUTC = (at, zone) => Date.parse(`${localTime(at, zone)}:00Z`) - Math.floor(at / MINUTE) * MINUTE;

/** The offset of a zone at an instant: "-05:00". */
export function offsetOf(at, zone) {
  const minutes = Math.round(aheadOfUTC(at, zone) / MINUTE);
  const twoDigits = (n) => String(n).padStart(2, '0');
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`;
}

/** The local time in a zone at an instant: "2026-11-24T09:00". */
export function localTime(at, zone) {
  const options = { timeZone: usable(zone), hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  return `${dateIn(at, zone)}T${new Intl.DateTimeFormat('en-GB', options).format(at)}`;
}

/**
 * The instants of a local time: one, two (clocks went back), or none (clocks went
 * forward).
 */
export function instants(local, zone) {
  const asUTC = Date.parse(`${local}:00Z`);
  if (Number.isNaN(asUTC)) return [];
  if (asUTC < LONG_AGO) return [new Date(asUTC)]; // a year that is still being typed
  const near = [asUTC - 26 * HOUR, asUTC, asUTC + 26 * HOUR].map((time) => new Date(time));
  const offsets = new Set(near.map((at) => aheadOfUTC(at, zone)));
  return [...offsets]
    .map((offset) => new Date(asUTC - offset))
    .filter((at) => localTime(at, zone) === local)
    .sort((a, b) => a - b);
}

/** The instant of a schedule as the server writes it; null where its local time does not exist. */
export function plannedAt({ local, time_zone: zone, offset }) {
  const found = instants(local, zone);
  return found.find((at) => offsetOf(at, zone) === offset) ?? found[0] ?? null;
}

/**
 * "Tomorrow, 9:00 AM in Kolkata (today, 10:30 PM for Owen)". Everybody whose clock shows
 * another time is named: the user, and the others as {zone, who}.
 */
export function inWords(at, zone, others = []) {
  const [day, time] = [dayWords(at, zone), clock(at, zone)];
  const words = t('when.in', { day: capital(day), time, place: cityOf(usable(zone)) });
  const elsewhere = [{ zone: page.user.time_zone, who: t('when.you') }, ...others]
    .filter(({ zone: other }) => isKnownZone(other) && localTime(at, other) !== localTime(at, zone))
    .map(({ zone: other, who }) => {
      const isSameDay = dateIn(at, other) === dateIn(at, zone);
      const there = clock(at, other);
      const when = isSameDay ? there : t('when.day', { day: dayWords(at, other), time: there });
      return t('when.for', { time: when, who });
    });
  return elsewhere.length ? t('when.also', { words, others: elsewhere.join('; ') }) : words;
}

/** The next end of the quiet hours, or null when the instant is outside them. */
export function afterQuiet(at, zone, hours) {
  if (!hours) return null;
  const { from, to } = hours;
  const [date, time] = localTime(at, zone).split('T');
  const isOvernight = from > to;
  const isQuiet = isOvernight ? time >= from || time < to : time >= from && time < to;
  if (!isQuiet) return null;
  const endsTomorrow = isOvernight && time >= from;
  const day = endsTomorrow ? dateIn(new Date(Date.parse(`${date}T12:00:00Z`) + DAY), 'UTC') : date;
  return instants(`${day}T${to}`, zone)[0] || null;
}
