// What every screen is made with: words, elements, times.
import { words } from './catalogue.js';
import { knownZone } from './zone_names.js';

/**
 * What the server put into the page: tenant, user, crm_origin, app_page_url,
 * upgrade_url, expires_in.
 */
export const page = withKnownZone(JSON.parse(document.getElementById('page').textContent));

/** The page with a zone that this browser knows, and what stood there before. */
function withKnownZone(given) {
  const { user } = given;
  if (!user) return given;
  const zone = knownZone(user.time_zone);
  const unknown = user.unknown_time_zone ?? (zone === user.time_zone ? null : String(user.time_zone || ''));
  return { ...given, user: { ...user, time_zone: zone, unknown_time_zone: unknown } };
}

/** The user's locale in the language of the words: a French user reads "18 Nov, 06:06". */
export const locale = localeIn(page.language || 'en', page.user.locale);
const plural = new Intl.PluralRules(locale);

function localeIn(language, tag) {
  try {
    const given = new Intl.Locale(tag);
    if (given.language === language) return given.toString();
    return new Intl.Locale(language, { region: given.maximize().region }).toString();
  } catch {
    return language === 'en' ? 'en-US' : language;
  }
}

// --- words

/** The words of a key, {names} filled in. An unknown key shows itself. */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Reports whether a key has words. */
export const has = (key) => key in words;

/** Words that depend on a number: key.one or key.other; {n} is the number. */
export function tn(key, n, values = {}) {
  return t(`${key}.${plural.select(n) === 'one' ? 'one' : 'other'}`, { n: count(n), ...values });
}

export const count = (n) => new Intl.NumberFormat(locale).format(n);

/** Why a text did not go. A refusal in Dialpad's own words says whose they are. */
export const reasonOf = ({ error_code: code, error_text: reason }) =>
  code === 'dialpad_refused' && reason && !reason.startsWith('Dialpad')
    ? t('state.dialpad_says', { words: reason })
    : reason;

/** What a text costs: "12 characters · 1 text" */
export const costWords = ({ characters, segments }) =>
  `${tn('counter.characters', characters)} · ${segmentWords({ segments })}`;

/** "1 text", "2 texts": as many as it is sent in. */
export const segmentWords = ({ segments }) => tn('counter.segments', segments);

/** A North American number as people read it; others stay as they are. */
export const formatNumber = (number) => (number || '').replace(/^\+1(\d{3})(\d{3})(\d{4})$/, '+1 $1 $2 $3');

// --- elements

export const $ = (selector, root = document) => root.querySelector(selector);

const isNothing = (value) => value === undefined || value === null || value === false;

/**
 * An element: h('p', {class: 'soft', onclick: f, hidden: true}, 'text', child). Text
 * never becomes markup.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (isNothing(value)) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked' || name === 'disabled') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => !isNothing(child)));
  return element;
}

export const button = (content, props) => h('button', { type: 'button', ...props }, content);

export const link = (text, onclick) => button(text, { class: 'link', onclick });

export const options = (values, label) => values.map((value) => h('option', { value }, label(value)));

/** Grey bars that stand for what is still being read. */
export const placeholder = (...sizes) => sizes.map((size) => h('div', { class: `bone ${size}`.trim() }));

/** An input with its label and, below, what explains it. */
export const field = (id, label, ...content) =>
  h('div', { class: 'field' }, h('label', { for: id }, label), ...content);

/** The buttons at the end of a dialog. */
export const buttonRow = (...buttons) => h('div', { class: 'row end' }, ...buttons);

export const badge = (tone, ...content) => h('span', { class: `badge ${tone || ''}`.trim() }, ...content);

/** A row of column headings. */
export const headings = (...keys) => keys.map((key) => h('th', { scope: 'col' }, t(key)));

/** A name and a value of a list of facts. */
export const fact = (key, ...value) => h('div', {}, h('dt', {}, t(key)), h('dd', {}, ...value));

/** What happened, one line each: {text, at}. */
export const timeline = (events, time = timeTag) => {
  const line = ({ text, at }) => h('li', {}, text, ' ', time(at));
  return h('ol', { class: 'line' }, events.map(line));
};

const NOTE_ICON = { bad: 'alert', warn: 'alert', good: 'check' };

/** A boxed remark: kind is '', 'warn', 'bad' or 'good'. */
export const note = (kind, ...children) =>
  h('div', { class: `note ${kind}` }, icon(NOTE_ICON[kind] || 'info'), h('div', {}, ...children));

/** A refusal in words; with retry, a link that calls it. */
export const refusalNote = ({ message }, retry) =>
  retry ? note('bad', message, ' ', link(t('page.retry'), retry)) : note('bad', message);

/**
 * Makes a list's children like the given ones and leaves those that are the same
 * already. A replaced element loses the click that began on it: the mouse went down
 * on one and up on another.
 */
export function patchChildren(list, children) {
  children.forEach((child, at) => {
    const present = list.children[at];
    if (!present) list.append(child);
    else if (!present.isEqualNode(child)) present.replaceWith(child);
  });
  while (list.children.length > children.length) list.lastElementChild.remove();
}

/**
 * Calls draw, which replaces elements inside root. When one with data-act had the
 * focus, its successor with the same data-act gets it, or else what otherwise()
 * returns.
 */
export function keepFocus(root, draw, otherwise = () => null) {
  const { act } = root.contains(document.activeElement) ? document.activeElement.dataset : {};
  draw();
  if (act) ($(`[data-act="${CSS.escape(act)}"]`, root) || otherwise())?.focus();
}

/** Reads words to a screen reader without moving the focus. */
export function announce(text) {
  const region = $('#say');
  if (region) region.textContent = text;
}

/** Saves a blob as a file. */
export function download(name, blob) {
  const address = URL.createObjectURL(blob);
  h('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/**
 * Dialpad's own code of a text that did not arrive. Other codes are ours: the
 * sentence says it all.
 */
export const dialpadCode = ({ state, error_code: code, error_text: reason }) =>
  state === 'undelivered' && code && code !== reason ? h('small', {}, ` (${code})`) : '';

const SVG = 'http://www.w3.org/2000/svg';

/** An element of a picture. */
export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const fileOf = (name) => new URL(`../img/${name}.svg`, import.meta.url).pathname;
const picked = (file, name, more) =>
  svg('svg', { 'aria-hidden': 'true', ...more }, svg('use', { href: `${fileOf(file)}#${name}` }));

export const icon = (name, cls = '') => picked('icons', name, { class: `i ${cls}`.trim() });
export const picture = (name) => picked('states', name);

// --- times

/**
 * A time in a zone, the zone named: "Tue 24 Nov, 09:00 EST"; the day is left out when
 * it is today.
 */
export function when(iso, given, more = {}) {
  if (!iso) return '';
  const zone = knownZone(given, page.user.time_zone);
  const at = new Date(iso);
  const isToday = dateIn(at, zone) === dateIn(new Date(), zone);
  const day = isToday ? {} : { weekday: 'short', day: 'numeric', month: 'short' };
  if (at.getFullYear() !== new Date().getFullYear()) day.year = 'numeric';
  const clock = { hour: 'numeric', minute: '2-digit', timeZoneName: 'short', timeZone: zone, ...more };
  return new Intl.DateTimeFormat(locale, { ...day, ...clock }).format(at);
}

export function timeTag(iso, zone, more) {
  return h('time', { datetime: iso, class: 'num' }, when(iso, zone, more));
}

/** The calendar day in a zone: "2026-11-24". */
export function dateIn(at, zone) {
  const format = {
    timeZone: knownZone(zone, page.user.time_zone),
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  };
  return new Intl.DateTimeFormat('en-CA', format).format(at);
}

/** A zone as people say it: "America/New_York" is "New York". */
export const cityOf = (zone) => (zone || '').split('/').pop().replaceAll('_', ' ');

/** Says that times are shown in another zone than the CRM names; null where not. */
export function zoneNote() {
  const { unknown_time_zone: unknown, time_zone: zone } = page.user;
  if (typeof unknown !== 'string') return null;
  const key = unknown.trim() ? 'zone.unknown' : 'zone.none';
  return note('warn', t(key, { zone: unknown.trim(), used: cityOf(zone) }));
}
