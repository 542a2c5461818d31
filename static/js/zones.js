// Wall clocks and instants. The server decides; this says it in words before.
import { day8, locale, page, place, t } from './dom.js';

const HOUR = 3_600_000;
const LONG_AGO = Date.UTC(2000);

/** The offset there at an instant: "-05:00". */
export function offsetOf(at, zone) {
  const minutes = Math.round(
    (Date.parse(`${wall(at, zone)}:00Z`) - Math.floor(at / 60_000) * 60_000) / 60_000,
  );
  const two = (n) => String(n).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

/** The wall clock there at an instant: "2026-11-24T09:00". */
export function wall(at, zone) {
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(at);
  return `${day8(at, zone)}T${clock}`;
}

/** The instants a wall time means there: one, two (clocks went back), or none (clocks went forward). */
export function instants(local, zone) {
  const naive = Date.parse(`${local}:00Z`);
  if (Number.isNaN(naive)) return [];
  if (naive < LONG_AGO) return [new Date(naive)]; // a year that is still being typed
  const offsets = new Set(
    [naive - 26 * HOUR, naive, naive + 26 * HOUR].map(
      (near) => Date.parse(`${wall(new Date(near), zone)}:00Z`) - Math.floor(near / 60_000) * 60_000,
    ),
  );
  return [...offsets]
    .map((offset) => new Date(naive - offset))
    .filter((at) => wall(at, zone) === local)
    .sort((a, b) => a - b);
}

const clock = (at, zone) =>
  new Intl.DateTimeFormat(locale, { timeZone: zone, hour: 'numeric', minute: '2-digit' }).format(at);

function day(at, zone) {
  const days = Math.round((Date.parse(day8(at, zone)) - Date.parse(day8(new Date(), zone))) / 86_400_000);
  if (days === 0) return t('when.today');
  if (days === 1) return t('when.tomorrow');
  const year = day8(at, zone).slice(0, 4) === day8(new Date(), zone).slice(0, 4) ? {} : { year: 'numeric' };
  return new Intl.DateTimeFormat(locale, {
    timeZone: zone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    ...year,
  }).format(at);
}

/** "Tomorrow 09:00 in New York, 15:00 for you": people and their zones who see another clock are named. */
export function inWords(at, zone, others = []) {
  const said = [t('when.in', { day: day(at, zone), time: clock(at, zone), place: place(zone) })];
  const mine = [{ zone: page.user.time_zone, who: t('when.you') }, ...others];
  for (const { zone: other, who } of mine) {
    if (!other || wall(at, other) === wall(at, zone)) continue;
    const time =
      day8(at, other) === day8(at, zone) ? clock(at, other) : `${day(at, other)} ${clock(at, other)}`;
    said.push(t('when.for', { time, who }));
  }
  return said.join(', ');
}

/** The next end of the quiet hours, or null when the instant does not fall into them. */
export function afterQuiet(at, zone, hours) {
  if (!hours) return null;
  const [date, time] = wall(at, zone).split('T');
  const overnight = hours.from > hours.to;
  const inside = overnight ? time >= hours.from || time < hours.to : time >= hours.from && time < hours.to;
  if (!inside) return null;
  const next =
    overnight && time >= hours.from
      ? day8(new Date(Date.parse(`${date}T12:00:00Z`) + 24 * HOUR), 'UTC')
      : date;
  return instants(`${next}T${hours.to}`, zone)[0] || null;
}
