// The text being written: its fields as chips, what it costs and what makes it cost more.
import { gapsIn, longLinksIn, shortenersIn, withoutGaps } from './checks.js';
import { chipBook, chipsIn, fill, outsideChips, visible, wholeChips, withoutChips } from './chips.js';
import { $, announce, count, h, link, note, page, t, tn } from './dom.js';
import { needsUnicode, replaceForcing, segments } from './segments.js';

const NEVER_CHEAP = /[\p{Extended_Pictographic}\p{Cf}\uFE0F]/gu; // emoji and what joins them

/**
 * @param changed called with the text at each change
 * @param many true for a bulk text, where each person's text has a length of its own
 */
export function composer({ changed, many }) {
  const area = $('#message');
  const underlay = $('.under', $('#box'));
  const notes = $('#notes');
  let book = null; // the fields of the context
  let valueOf = null;
  let limits = null;
  let remarks = []; // of others: an empty field, an undo
  let announced = '';

  /** Takes the limits and the fields of the popup, one to one with their values. */
  function renew(context) {
    const { fields = [] } = context;
    const text = book ? get() : '';
    book = chipBook(fields, (label, fallback) => t('chip.or', { label, fallback }));
    valueOf = new Map(fields.map(({ key, value }) => [key, value]));
    limits = context.limits;
    area.value = book.show(text);
  }

  const get = () => book.store(area.value);

  /** The text as one person gets it, as far as that is known here. */
  const filled = () => fill(get(), (key, fallback) => valueOf.get(key) || fallback);

  function refresh() {
    makeChips();
    const shown = area.value;
    const gaps = gapsIn(shown);
    const varies = many && chipsIn(shown).length > 0; // the preview counts for each person
    const text = withoutGaps(many ? withoutChips(shown).replace(/ {2,}/g, ' ') : filled());
    const cost = segments(text);
    const { forcing } = segments(withoutGaps(withoutChips(shown)));
    drawUnderlay(underlay, shown, cost.segments > 1 ? forcing : forcing.filter(isReplaceable), gaps);
    measure(shown, cost, varies);
    notes.replaceChildren(...remarks, ...gapNotes(gaps), ...linkNotes(text), ...forcingNotes(text, cost));
    notes.hidden = notes.childElementCount === 0;
    changed(get());
  }

  /** Turns a field that was typed or pasted with its braces into a chip. */
  function makeChips() {
    const shown = book.show(get());
    if (shown === area.value) return;
    const at = book.show(book.store(area.value.slice(0, area.selectionEnd))).length;
    area.value = shown;
    area.setSelectionRange(at, at);
  }

  function measure(text, cost, varies) {
    const counter = $('#counter');
    const over = cost.characters - limits.max_chars;
    area.setAttribute('aria-invalid', String(over > 0));
    if (over > 0) counter.textContent = tn('counter.over', over, { max: count(limits.max_chars) });
    else counter.textContent = text ? counterWords(cost, varies) : '';
    counter.title = text && !varies ? titleWords(cost) : '';
    const words = over > 0 ? counter.textContent : tn('counter.segments', cost.segments);
    const isNews = words !== announced && (announced || cost.segments > 1);
    if (text && !varies && isNews) announce(words);
    if (text) announced = words;
  }

  /**
   * Which characters make the text cost more, and a link that replaces them. A language
   * that needs Unicode anyway is no reason to remark on its letters.
   */
  function forcingNotes(text, cost) {
    const { forcing } = cost;
    if (!forcing.length || needsUnicode(forcing)) return [];
    const replaceable = forcing.filter(isReplaceable);
    const cheaper = segments(replaceForcing(text).replace(NEVER_CHEAP, ''));
    if (!cheaper.segments || cheaper.segments >= cost.segments) return []; // an emoji alone is no longer text
    const names = forcing.slice(0, 2).map(characterWords);
    const more = forcing.length > 2 ? ` ${tn('forcing.more', forcing.length - 2)}` : '';
    const replace = () => {
      set(replaceForcing(get()));
      area.focus();
    };
    const action = replaceable.length ? link(replaceWords(replaceable), replace) : null;
    const values = { named: names.join(', ') + more, fewer: count(cheaper.segments) };
    return [note('warn', tn('forcing.why', cost.segments, values), ' ', action)];
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
    area.value = book.show(text);
    refresh();
  }

  function insert(text) {
    area.focus();
    const [from, to] = wholeChips(area.value, area.selectionStart, area.selectionEnd, 0);
    area.setRangeText(book.show(text), from, to, 'end');
    refresh();
  }

  // A chip is written over, deleted and copied as a whole.
  function keepChipsWhole({ inputType }) {
    const direction = inputType.startsWith('delete') ? (inputType.endsWith('Forward') ? 1 : -1) : 0;
    const { selectionStart: from, selectionEnd: to } = area;
    const whole = wholeChips(area.value, from, to, direction);
    if (whole[0] !== from || whole[1] !== to) area.setSelectionRange(...whole);
  }

  function stepOverChip(event) {
    if (event.shiftKey || event.altKey || event.ctrlKey || event.metaKey) return;
    const { selectionStart: at, selectionEnd: to } = area;
    const side = { ArrowLeft: 'to', ArrowRight: 'from' }[event.key];
    const chip = at === to && side && chipsIn(area.value).find((one) => one[side] === at);
    if (!chip) return;
    event.preventDefault();
    const next = side === 'to' ? chip.from : chip.to;
    area.setSelectionRange(next, next);
  }

  function leaveChip() {
    const { selectionStart: at, selectionEnd: to } = area;
    const out = outsideChips(area.value, at);
    if (at === to && out !== at) area.setSelectionRange(out, out);
  }

  function copy(event) {
    const [from, to] = wholeChips(area.value, area.selectionStart, area.selectionEnd, 0);
    if (from === to) return;
    event.preventDefault();
    event.clipboardData.setData('text/plain', book.store(area.value.slice(from, to)));
    if (event.type !== 'cut') return;
    area.setSelectionRange(from, to);
    document.execCommand('delete');
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
  area.addEventListener('beforeinput', keepChipsWhole);
  area.addEventListener('keydown', stepOverChip);
  area.addEventListener('keyup', leaveChip);
  area.addEventListener('click', leaveChip);
  area.addEventListener('copy', copy);
  area.addEventListener('cut', copy);
  area.addEventListener('paste', refuseFiles);
  area.addEventListener('drop', refuseFiles);
  area.addEventListener('dragover', (event) => {
    if (event.dataTransfer.types.includes('Files')) event.preventDefault();
  });
  return { renew, set, insert, remark, jumpToGap, get, focus: () => area.focus(), area };
}

// The names of characters are in English alone.
const characterWords = ({ char, name }) => {
  const code = `U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  return t('forcing.char', { char, name: page.language === 'en' ? name : code });
};

const isReplaceable = ({ replacement }) => typeof replacement === 'string';

/** What links in the text do: short ones may keep it from arriving, long ones cost. */
function linkNotes(text) {
  const hosts = shortenersIn(text);
  const short = hosts.length ? [note('warn', t('links.short', { hosts: hosts.join(', ') }))] : [];
  const all = segments(text).segments;
  const long = longLinksIn(text).flatMap((address) => {
    const more = all - segments(text.replace(address, '')).segments;
    return more > 0 ? [note('', tn('links.long', more, { chars: count(address.length) }))] : [];
  });
  return [...short, ...long];
}

function counterWords(cost, varies) {
  const texts = tn('counter.segments', cost.segments);
  if (varies) return t('counter.about', { texts });
  if (cost.segments < 2 || cost.encoding === 'GSM-7' || needsUnicode(cost.forcing)) return texts;
  const hasEmoji = cost.forcing.some(({ name }) => name.startsWith('emoji'));
  return t(hasEmoji ? 'counter.emoji' : 'counter.special', { texts });
}

/** Characters as carriers count them: an emoji is two, so is a brace. */
const titleWords = ({ encoding, units, remaining }) =>
  t('counter.title', { encoding, used: count(units), left: count(remaining) });

function replaceWords(replaceable) {
  const isRemoval = replaceable.every(({ replacement }) => replacement === '');
  if (replaceable.length > 1) return t(isRemoval ? 'forcing.remove_all' : 'forcing.replace_all');
  const { replacement } = replaceable[0];
  return replacement ? t('forcing.replace', { with: replacement }) : t('forcing.remove');
}

// The layer under the text area marks fields and gaps, and underlines costly
// characters. It also gives the text area its height.
function drawUnderlay(underlay, text, forcing, gaps) {
  const chips = chipsIn(text).map(({ from, to }) => [from, to, 'mark', 'chip']);
  const marks = [...chips, ...gaps.map(({ from, to }) => [from, to, 'mark'])];
  for (const { char, index } of forcing) {
    const inMark = marks.some(([from, to]) => index >= from && index < to);
    if (!inMark) marks.push([index, index + char.length, 'u']);
  }
  marks.sort((a, b) => a[0] - b[0]);
  let at = 0;
  const pieces = [];
  for (const [from, to, tag, cls] of marks) {
    pieces.push(visible(text.slice(at, from)), h(tag, { class: cls }, visible(text.slice(from, to))));
    at = to;
  }
  underlay.replaceChildren(...pieces, `${visible(text.slice(at))}\u200b`);
}
