// Times of day and days as the user's locale writes them: "9:00 AM" or "09:00". Every
// screen takes them from here, so that no two clock styles stand side by side.
import { dateIn, locale, page, t } from './dom.js';
import { knownZone } from './zone_names.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const usable = (zone) => knownZone(zone, page.user.time_zone);
const format = (at, zone, parts) =>
  new Intl.DateTimeFormat(locale, { timeZone: usable(zone), ...parts }).format(at);

/** The time of day of an instant in a zone: "9:00 AM". */
export const clock = (at, zone) => format(new Date(at), zone, { hour: 'numeric', minute: '2-digit' });

/** A wall time as the server writes it, "20:00", in the user's style: "8:00 PM". */
export function wallClock(time) {
  const [, hour, minute] = /^(\d\d):(\d\d)$/.exec(time) || [];
  return hour ? clock(Date.UTC(2000, 0, 1, hour, minute), 'UTC') : '';
}

/** Hours of the day, {from: "20:00", to: "08:00"}: "8:00 PM to 8:00 AM". */
export const clockRange = ({ from, to }) => t('when.range', { from: wallClock(from), to: wallClock(to) });

/** The day of an instant in a zone: "today", "tomorrow", "Tue, Nov 24". */
export function dayWords(at, zone) {
  const [date, today] = [dateIn(new Date(at), zone), dateIn(new Date(), zone)];
  const days = Math.round((Date.parse(date) - Date.parse(today)) / DAY);
  if (days === 0) return t('when.today');
  if (days === 1) return t('when.tomorrow');
  const parts = { weekday: 'short', day: 'numeric', month: 'short' };
  if (date.slice(0, 4) !== today.slice(0, 4)) parts.year = 'numeric';
  return format(new Date(at), zone, parts);
}

/** "tomorrow, 9:00 AM"; today's times are the time of day alone. */
export function soon(at, zone) {
  const isToday = dateIn(new Date(at), zone) === dateIn(new Date(), zone);
  return isToday ? clock(at, zone) : t('when.day', { day: dayWords(at, zone), time: clock(at, zone) });
}

/** How long ago something happened: "2 hours ago", "yesterday". */
export function ago(iso, now = Date.now()) {
  const passed = Math.max(0, now - Date.parse(iso));
  const words = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  if (passed < MINUTE) return t('when.just_now');
  if (passed < HOUR) return words.format(-Math.floor(passed / MINUTE), 'minute');
  if (passed < DAY) return words.format(-Math.floor(passed / HOUR), 'hour');
  return words.format(-Math.floor(passed / DAY), 'day');
}

/** The first letter of a sentence, large. */
export const capital = (words) => words.charAt(0).toLocaleUpperCase(locale) + words.slice(1);
