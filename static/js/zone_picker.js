// A combobox of time zones: "Kolkata (India) UTC+5:30". It is searched by city, country,
// former name and offset.
import { fold } from './checks.js';
import { combobox } from './combobox.js';
import { cityOf, h, icon, t } from './dom.js';
import { regionName } from './region_names.js';
import { ZONES, countryOf, modernZone } from './zone_list.js';
import { isKnownZone } from './zone_names.js';
import { offsetOf } from './zones.js';

const PAGE = 40; // a zone's offset takes a browser some milliseconds
const OFFSET = /^(?:utc|gmt)?\s*([+−-]?\d.*)$/i;

/** How far a zone is from UTC at an instant, as people write it: "UTC+5:30", "UTC". */
function offsetWords(zone, at = new Date()) {
  const [, sign, hours, minutes] = /^([+-])0?(\d+):(\d\d)$/.exec(offsetOf(at, zone));
  if (hours === '0' && minutes === '00') return 'UTC';
  return `UTC${sign === '-' ? '−' : '+'}${hours}${minutes === '00' ? '' : `:${minutes}`}`;
}

/** "Kolkata (India)"; UTC is itself. */
function placeName(zone) {
  const country = countryOf(zone);
  return country ? t('zone.place', { city: cityOf(zone), country: regionName(country) }) : cityOf(zone);
}

const nameOf = (zone) => (zone === 'UTC' ? 'UTC' : `${placeName(zone)} ${offsetWords(zone)}`);

const item = (zone) => ({ id: zone, label: placeName(zone), hint: offsetWords(zone) });

/** All zones that a query names, those that begin with it first. */
function findZones(query) {
  const offset = OFFSET.exec(query.trim());
  if (offset) {
    const wanted = offset[1].replace('-', '−');
    return ZONES.map(({ zone }) => zone).filter((zone) => isKnownZone(zone) && isAhead(zone, wanted));
  }
  const wanted = fold(query);
  const found = ZONES.filter(({ zone, country, old }) =>
    fold(`${zone.replaceAll('_', ' ')} ${country && regionName(country)} ${cityOf(old)}`).includes(wanted),
  ).map(({ zone }) => zone);
  const begins = (zone) => fold(cityOf(zone)).startsWith(wanted);
  return [...found.filter(begins), ...found.filter((zone) => !begins(zone))];
}

const isAhead = (zone, wanted) => {
  const words = offsetWords(zone).slice(3);
  return words === wanted || words.slice(1) === wanted || words.startsWith(`${wanted}:`);
};

/**
 * @param suggested zones that are offered first
 * @param changed called when another zone was picked
 */
export function zonePicker({ id, suggested, changed }) {
  const first = [...new Set(suggested.map(modernZone).filter(isKnownZone))];
  const input = h('input', {
    id,
    role: 'combobox',
    'aria-autocomplete': 'list',
    'aria-expanded': 'false',
    'aria-controls': `${id}-list`,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const root = h(
    'div',
    { class: 'combo' },
    icon('search'),
    input,
    h(
      'div',
      { class: 'list', hidden: true },
      h('p', { role: 'status' }),
      h('div', { id: `${id}-list`, role: 'listbox', 'aria-label': t('schedule.zone') }),
    ),
  );
  let value = first[0] || 'UTC';
  const show = () => {
    input.value = nameOf(value);
    input.dataset.zone = value;
  };

  function load(query, cursor = 0) {
    const found = query ? findZones(query) : [...first, ...findZones('').filter((zone) => !first.includes(zone))];
    const part = found.slice(cursor, cursor + PAGE).filter(isKnownZone);
    const next = cursor + PAGE < found.length ? cursor + PAGE : null;
    if (query || cursor) return { groups: [{ label: t('schedule.all'), items: part.map(item) }], next };
    const others = part.filter((zone) => !first.includes(zone));
    return {
      groups: [
        { label: t('schedule.near'), items: first.map(item) },
        { label: t('schedule.all'), items: others.map(item) },
      ],
      next,
    };
  }

  combobox({
    root,
    load,
    pick: ({ id: zone }) => {
      value = zone;
      show();
      changed();
    },
  });
  input.addEventListener('focus', () => input.select());
  input.addEventListener('blur', show); // what was typed and not picked is no zone
  show();
  return {
    root,
    get value() {
      return value;
    },
    set(zone) {
      value = modernZone(zone);
      show();
    },
  };
}
