// The text being written: what it costs and what makes it cost more.
import { gapsIn, shortenersIn, withoutGaps } from './checks.js';
import { $, announce, costWords, count, h, link, note, t, tn } from './dom.js';
import { replaceForcing, segments } from './segments.js';

const VARIABLE = /\{\{[^{}]*\}\}/g;

/**
 * @param changed called with the text at each change
 * @param limits {max_chars}
 * @param many true for a bulk text, where each person's text has a length of its own
 */
export function composer({ changed, limits, many }) {
  const area = $('#message');
  const underlay = $('.under', $('#box'));
  const notes = $('#notes');
  let remarks = []; // of others: an empty field, an undo
  let announced = '';

  function refresh() {
    const text = area.value;
    const gaps = gapsIn(text);
    const cost = segments(withoutGaps(text));
    drawUnderlay(underlay, text, cost.forcing, gaps);
    measure(text, cost);
    notes.replaceChildren(...remarks, ...gapNotes(gaps), ...linkNotes(text), ...forcingNotes(cost));
    notes.hidden = notes.childElementCount === 0;
    changed(text);
  }

  function measure(text, cost) {
    const counter = $('#counter');
    const over = cost.characters - limits.max_chars;
    const varies = many && text.search(VARIABLE) >= 0; // the preview counts for each person
    area.setAttribute('aria-invalid', String(over > 0));
    if (over > 0) counter.textContent = tn('counter.over', over, { max: count(limits.max_chars) });
    else counter.textContent = counterWords(text, cost, varies);
    counter.title = text && !varies ? t('counter.title', { left: cost.remaining }) : '';
    const words = over > 0 ? counter.textContent : tn('counter.segments', cost.segments);
    const isNews = words !== announced && (announced || cost.segments > 1);
    if (text && !varies && isNews) announce(words);
    if (text) announced = words;
  }

  /** Which characters make the text go as Unicode, and a link that replaces them. */
  function forcingNotes(cost) {
    const all = [...new Map(cost.forcing.map((one) => [one.char, one])).values()];
    if (!all.length) return [];
    const names = all.slice(0, 2).map(({ char, name }) => t('forcing.char', { char, name }));
    const more = all.length > 2 ? ` ${tn('forcing.more', all.length - 2)}` : '';
    const replaceable = all.filter(({ replacement }) => typeof replacement === 'string');
    const replace = () => {
      set(replaceForcing(area.value));
      area.focus();
    };
    const action = replaceable.length ? link(replaceWords(replaceable), replace) : null;
    return [note('warn', t('forcing.why', { named: names.join(', ') + more }), ' ', action)];
  }

  function gapNotes(gaps) {
    if (!gaps.length) return [];
    const words = tn('gap.left', gaps.length, { name: gaps[0].name || '⟦⟧' });
    return [note('warn', words, ' ', link(t('gap.go'), jumpToGap))];
  }

  /** Selects the first gap and returns true; false where there is none. */
  function jumpToGap() {
    const [first] = gapsIn(area.value);
    if (!first) return false;
    area.focus();
    area.setSelectionRange(first.from, first.to);
    return true;
  }

  function set(text) {
    area.value = text;
    refresh();
  }

  function insert(text) {
    area.focus();
    area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
    refresh();
  }

  function remark(...list) {
    remarks = list;
    refresh();
  }

  // A text carries no files.
  function refuseFiles(event) {
    const data = event.clipboardData || event.dataTransfer;
    if (!data || !data.files.length) return;
    if (!data.types.includes('text/plain')) event.preventDefault();
    if (event.type === 'drop') event.preventDefault();
    remark(note('warn', t('message.attachments')));
    announce(t('message.attachments'));
  }

  area.addEventListener('input', () => {
    remarks = [];
    refresh();
  });
  area.addEventListener('paste', refuseFiles);
  area.addEventListener('drop', refuseFiles);
  area.addEventListener('dragover', (event) => {
    if (event.dataTransfer.types.includes('Files')) event.preventDefault();
  });
  return { set, insert, remark, jumpToGap, get: () => area.value, focus: () => area.focus(), area };
}

/** Whether a link in the text may keep it from arriving. */
function linkNotes(text) {
  const hosts = shortenersIn(text);
  return hosts.length ? [note('warn', t('links.short', { hosts: hosts.join(', ') }))] : [];
}

function counterWords(text, cost, varies) {
  if (!text) return t('counter.empty');
  return varies ? tn('counter.written', cost.characters) : costWords(cost);
}

function replaceWords(replaceable) {
  if (replaceable.length > 1) return t('forcing.replace_all');
  const { replacement } = replaceable[0];
  return replacement ? t('forcing.replace', { with: replacement }) : t('forcing.remove');
}

// The layer under the text area marks variables and gaps, and underlines costly
// characters. It also gives the text area its height.
function drawUnderlay(underlay, text, forcing, gaps) {
  const variables = [...text.matchAll(VARIABLE)].map(({ 0: found, index }) => [
    index,
    index + found.length,
    'mark',
  ]);
  const marks = [...variables, ...gaps.map(({ from, to }) => [from, to, 'mark'])];
  for (const { char, index } of forcing) {
    const inVariable = marks.some(([from, to]) => index >= from && index < to);
    if (!inVariable) marks.push([index, index + char.length, 'u']);
  }
  marks.sort((a, b) => a[0] - b[0]);
  let at = 0;
  const pieces = [];
  for (const [from, to, tag] of marks) {
    pieces.push(text.slice(at, from), h(tag, {}, text.slice(from, to)));
    at = to;
  }
  underlay.replaceChildren(...pieces, `${text.slice(at)}\u200b`);
}
