// Small hands for the screens: words, elements, times.
import words from './text.js';

/** What the server put into the page: tenant, user, crm_origin, app_page_url, upgrade_url, expires_in. */
export const page = JSON.parse(document.getElementById('page').textContent);

export const locale = validLocale(page.user.locale);
const plural = new Intl.PluralRules('en');

function validLocale(tag) {
  try {
    return Intl.getCanonicalLocales(tag)[0] || 'en-US';
  } catch {
    return 'en-US';
  }
}

/** The words under a key, {names} filled in. An unknown key shows itself: better than nothing, and seen in review. */
export function t(key, values = {}) {
  const text = words[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Has the catalogue this key? */
export const has = (key) => key in words;

/** Words that depend on a number: key.one or key.other; {n} is the number. */
export function tn(key, n, values = {}) {
  return t(`${key}.${plural.select(n)}`, { n: count(n), ...values });
}

export const count = (n) => new Intl.NumberFormat(locale).format(n);

export const $ = (selector, root = document) => root.querySelector(selector);

/** An element: h('p', {class: 'soft', onclick: f, hidden: true}, 'text', child). Text never becomes markup. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked' || name === 'disabled') element[name] = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

/**
 * Makes a list's children like these, and leaves those that are so already. What is pressed just when it is drawn anew
 * hears no click: the mouse went down on one element and up on another.
 */
export function patch(list, fresh) {
  fresh.forEach((child, at) => {
    const there = list.children[at];
    if (!there) list.append(child);
    else if (!there.isEqualNode(child)) there.replaceWith(child);
  });
  while (list.children.length > fresh.length) list.lastElementChild.remove();
}

const SVG = 'http://www.w3.org/2000/svg';
const img = (file) => new URL(`../img/${file}`, import.meta.url).pathname;

function svg(file, name, cls) {
  const outer = document.createElementNS(SVG, 'svg');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `${img(file)}#${name}`);
  outer.setAttribute('aria-hidden', 'true');
  if (cls) outer.setAttribute('class', cls);
  outer.append(use);
  return outer;
}

export const icon = (name, cls = '') => svg('icons.svg', name, `i ${cls}`.trim());
export const picture = (name) => svg('states.svg', name);

/** A boxed remark: kind '', 'warn', 'bad' or 'good'. */
export const note = (kind, ...children) =>
  h(
    'div',
    { class: `note ${kind}` },
    icon({ bad: 'alert', warn: 'alert', good: 'check' }[kind] || 'info'),
    h('div', {}, ...children),
  );

export const link = (text, onclick) => h('button', { type: 'button', class: 'link', onclick }, text);

/** Says it to a screen reader without moving the focus. */
export function say(text) {
  const place = $('#say');
  if (place) place.textContent = text;
}

/** Dialpad's own word for a text that did not arrive; the other codes are ours, and our sentence says it all. */
export const dialpadsWord = ({ state, error_code: code, error_text: why }) =>
  state === 'undelivered' && code && code !== why ? h('small', {}, ` (${code})`) : '';

/** Why a text did not go: Dialpad's refusals are in its own words, and it is said whose they are. */
export const whyOf = ({ error_code: code, error_text: why }) =>
  code === 'dialpad_refused' && why && !why.startsWith('Dialpad')
    ? t('state.dialpad_says', { words: why })
    : why;

/** A North American number as people read it; others stay as they are. */
export const pretty = (number) => (number || '').replace(/^\+1(\d{3})(\d{3})(\d{4})$/, '+1 $1 $2 $3');

/** A time in a zone, the zone named: "Tue 24 Nov, 09:00 EST"; the day is left out when it is today. */
export function when(iso, zone = page.user.time_zone, more = {}) {
  if (!iso) return '';
  const at = new Date(iso);
  const clock = { hour: 'numeric', minute: '2-digit', timeZoneName: 'short', timeZone: zone, ...more };
  const day =
    day8(at, zone) === day8(new Date(), zone) ? {} : { weekday: 'short', day: 'numeric', month: 'short' };
  if (at.getFullYear() !== new Date().getFullYear()) day.year = 'numeric';
  return new Intl.DateTimeFormat(locale, { ...day, ...clock }).format(at);
}

export function timeTag(iso, zone, more) {
  return h('time', { datetime: iso, class: 'num' }, when(iso, zone, more));
}

/** Hands a file over to the person. */
export function save(name, blob) {
  const address = URL.createObjectURL(blob);
  h('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** The calendar day there: "2026-11-24". */
export function day8(at, zone) {
  return new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).format(at);
}

/** A zone as people say it: "America/New_York" is "New York". */
export const place = (zone) => zone.split('/').pop().replaceAll('_', ' ');
