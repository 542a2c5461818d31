// How texts fared: by day as a chart, by template and by sender as tables.
import { call, newest, path } from './api.js';
import { $, count, h, headings, locale, options, page, placeholder, refusalNote, svg, t } from './dom.js';

const RANGES = [7, 30, 90]; // days
const USUAL_RANGE = 30;
const HEIGHT = 150;
const MAX_WIDTH = 900;
const MIN_WIDTH = 220;
// From the bottom of a bar to its top; each has a pattern of its own beside its colour.
const PARTS = ['delivered', 'sent', 'uncertain', 'failed'];

/** Fills root with the figures; back is the link to the list. */
export function showFigures({ root, back }) {
  const body = h('div', { class: 'stack' }, placeholder('half', '', 'tall'));
  const ask = newest();
  let shown = null; // the figures
  const redraw = () => shown && $('.chart', body)?.replaceWith(chart(shown.days, widthIn(body)));
  window.addEventListener('resize', redraw);
  const range = h('select', { id: 'figures-days' }, options(RANGES, (n) => t('figures.days', { n })));
  range.value = String(USUAL_RANGE);
  range.addEventListener('change', load);
  const choice = h('div', { class: 'row' }, h('label', { for: 'figures-days' }, t('figures.range')), range);
  root.replaceChildren(h('div', { class: 'row spread' }, back, choice), body);
  load();

  async function load() {
    const isNewest = ask();
    try {
      const figures = await call('GET', path('/texts/api/figures', { days: range.value }));
      if (!isNewest()) return;
      shown = figures;
      body.replaceChildren(...content(figures, widthIn(body)));
    } catch (refusal) {
      if (isNewest()) body.replaceChildren(refusalNote(refusal, load));
    }
  }
  return () => {
    ask(); // what is still on its way comes too late
    window.removeEventListener('resize', redraw);
  };
}

const CARD_PADDING = 42; // both sides, with the border

/** How wide a chart may be: its words keep their size. */
const widthIn = (root) => Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, root.clientWidth - CARD_PADDING));

function content({ total, days, templates, senders }, width) {
  if (!total.texts) {
    return [h('div', { class: 'card state' }, h('h2', {}, t('figures.none')), h('p', { class: 'soft' }, t('figures.none.what')))];
  }
  return [
    h('section', { class: 'card', 'aria-label': t('figures.total') }, h('div', { class: 'numbers' }, totals(total))),
    h('section', { class: 'card stack' }, h('h2', {}, t('figures.by_day')), legend(), chart(days, width), dayTable(days)),
    tableCard('template', templates, (one) => one.name || (one.key ? t('figures.template.gone') : t('figures.template.none'))),
    page.user.role === 'admin' ? tableCard('sender', senders, (one) => one.name || one.key) : '',
  ];
}

const percent = (n, of) =>
  of ? new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(n / of) : '–';

const reached = ({ texts, failed }) => texts - failed;

function totals(total) {
  const figure = (words, value) => h('div', { class: 'figure' }, h('strong', {}, value), h('span', { class: 'soft' }, words));
  return [
    figure(t('figures.texts'), count(total.texts)),
    figure(t('figures.delivered'), percent(total.delivered, total.texts)),
    figure(t('figures.failed'), percent(total.failed, total.texts)),
    figure(t('figures.uncertain'), count(total.uncertain)),
    figure(t('figures.replied'), percent(total.replied, reached(total))),
    figure(t('figures.opted_out'), percent(total.opted_out, reached(total))),
  ];
}

const byTexts = (a, b) => b.texts - a.texts;

function tableCard(by, list, name) {
  const head = headings(`figures.${by}`, 'figures.texts', 'figures.delivered', 'figures.failed', 'figures.replied', 'figures.opted_out');
  const rows = [...list].sort(byTexts).map((one) => row(name(one), one));
  const table = h('table', { class: 'cards labelled' }, h('thead', {}, h('tr', {}, head)), h('tbody', {}, rows));
  return h('section', { class: 'card stack' }, h('h2', {}, t(`figures.by_${by}`)), table);
}

function row(name, one) {
  const cell = (key, value) => h('td', { class: 'num', 'data-label': t(key) }, value);
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, name),
    cell('figures.texts', count(one.texts)),
    cell('figures.delivered', percent(one.delivered, one.texts)),
    cell('figures.failed', percent(one.failed, one.texts)),
    cell('figures.replied', percent(one.replied, reached(one))),
    cell('figures.opted_out', percent(one.opted_out, reached(one))),
  );
}

const dayName = (day) =>
  new Intl.DateTimeFormat(locale, { timeZone: 'UTC', day: 'numeric', month: 'short' }).format(new Date(`${day}T12:00:00Z`));

// The same numbers for whoever does not see the chart, or wants to read them off.
function dayTable(days) {
  const list = days.filter(({ texts }) => texts).reverse();
  const head = headings('figures.day', 'figures.texts', 'figures.delivered', 'figures.failed', 'figures.replied', 'figures.opted_out');
  const rows = list.map((one) => row(dayName(one.key), one));
  const table = h('table', { class: 'cards labelled' }, h('thead', {}, h('tr', {}, head)), h('tbody', {}, rows));
  return h('details', {}, h('summary', {}, t('figures.as_table')), table);
}

/** A part's area: its colour, and its pattern over it. */
const area = (part, box) => [
  svg('rect', { ...box, class: `part ${part}` }),
  svg('rect', { ...box, fill: `url(#pattern-${part})` }),
];

function legend() {
  const box = { width: 16, height: 16 };
  const swatch = (part) => svg('svg', { ...box, 'aria-hidden': 'true' }, ...area(part, { x: 0, y: 0, ...box }));
  const item = (part) => h('li', { class: 'row' }, swatch(part), t(`tally.${part}`));
  return h('ul', { class: 'tally legend' }, PARTS.map(item));
}

/** Plain, lines, dots, and slanted lines. */
function patterns() {
  const pattern = (part, ...ink) =>
    svg('pattern', { id: `pattern-${part}`, width: 6, height: 6, patternUnits: 'userSpaceOnUse' }, ...ink);
  return svg(
    'defs',
    {},
    pattern('delivered'),
    pattern('sent', svg('path', { d: 'M0 3H6', class: 'ink' })),
    pattern('uncertain', svg('circle', { cx: 3, cy: 3, r: 1.2, class: 'dot' })),
    pattern('failed', svg('path', { d: 'M-1 7L7 -1', class: 'ink' })),
  );
}

/** Stacked bars, one a day, with a line and a number for the highest. */
function chart(days, width) {
  const most = Math.max(...days.map(({ texts }) => texts), 1);
  const step = width / days.length;
  const bars = days.flatMap((day, at) => bar(day, at * step, step, most));
  const label = (at, anchor) =>
    svg('text', { x: anchor === 'start' ? 0 : width, y: HEIGHT + 18, 'text-anchor': anchor }, dayName(days[at].key));
  const top = svg('text', { x: 0, y: 12 }, count(most));
  const base = svg('path', { d: `M0 ${HEIGHT}H${width}`, class: 'axis' });
  const words = t('figures.chart', { from: dayName(days[0].key), to: dayName(days.at(-1).key), most: count(most) });
  return svg(
    'svg',
    { viewBox: `0 0 ${width} ${HEIGHT + 24}`, class: 'chart', role: 'img', 'aria-label': words },
    patterns(),
    ...bars,
    base,
    top,
    label(0, 'start'),
    label(days.length - 1, 'end'),
  );
}

function bar(day, x, step, most) {
  const room = HEIGHT - 20; // below the number of the highest
  let y = HEIGHT;
  const width = Math.max(2, Math.min(step * 0.8, 40));
  const left = x + (step - width) / 2;
  const parts = PARTS.filter((part) => day[part]).flatMap((part) => {
    const height = Math.max(1, (day[part] / most) * room);
    y -= height;
    return area(part, { x: left, y, width, height });
  });
  if (!parts.length) return [];
  const lines = PARTS.filter((part) => day[part]).map((part) => `${count(day[part])} ${t(`tally.${part}`)}`);
  return [svg('g', {}, svg('title', {}, `${dayName(day.key)}: ${lines.join(', ')}`), ...parts)];
}
