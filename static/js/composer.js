// The text being written: what it costs, what makes it cost more, what can't be in it.
import { $, h, link, note, say, t, tn, count } from './dom.js';
import { segments } from './segments.js';

const VARIABLE = /\{\{[^{}]*\}\}/g;

/** @param changed called with the text at each change · @param limits {max_chars} · @param many is it for many? Then each person's text has a length of its own. */
export function composer({ changed, limits, many }) {
  const area = $('#message');
  const under = $('.under', $('#box'));
  const notes = $('#notes');
  let extra = []; // remarks of others: an empty field, an undo
  let spoken = '';

  function refresh() {
    const text = area.value;
    const cost = segments(text);
    paint(under, text, cost.forcing);
    measure(text, cost);
    notes.replaceChildren(...extra, ...forcing(cost));
    notes.hidden = notes.childElementCount === 0;
    changed(text, cost);
  }

  function measure(text, cost) {
    const counter = $('#counter');
    const over = cost.characters - limits.max_chars;
    const open = many && text.search(VARIABLE) >= 0; // the preview counts for each
    area.setAttribute('aria-invalid', String(over > 0));
    if (over > 0) counter.textContent = tn('counter.over', over, { max: count(limits.max_chars) });
    else if (!text) counter.textContent = t('counter.empty');
    else if (open) counter.textContent = tn('counter.written', cost.characters);
    else
      counter.textContent = `${tn('counter.characters', cost.characters)} · ${tn('counter.segments', cost.segments)} · ${cost.encoding}`;
    counter.title = text && !open ? t('counter.title', { left: cost.remaining }) : '';
    const heard = over > 0 ? counter.textContent : tn('counter.segments', cost.segments);
    if (text && !open && heard !== spoken && (spoken || cost.segments > 1)) say(heard);
    if (text) spoken = heard;
  }

  function forcing(cost) {
    const seen = new Map(cost.forcing.map((one) => [one.char, one]));
    if (!seen.size) return [];
    const all = [...seen.values()];
    const named =
      all
        .slice(0, 2)
        .map((one) => t('forcing.char', { char: one.char, name: one.name }))
        .join(', ') + (all.length > 2 ? ` ${tn('forcing.more', all.length - 2)}` : '');
    const mendable = all.filter((one) => one.replacement !== null && one.replacement !== undefined);
    const mend = () => {
      replaceAll(mendable);
      area.focus();
    };
    return [
      note(
        'warn',
        t('forcing.why', { named }),
        ' ',
        mendable.length
          ? link(
              mendable.length === 1
                ? mendable[0].replacement
                  ? t('forcing.replace', { with: mendable[0].replacement })
                  : t('forcing.remove')
                : t('forcing.replace_all'),
              mend,
            )
          : null,
      ),
    ];
  }

  function replaceAll(list) {
    let text = area.value;
    for (const one of list) text = text.replaceAll(one.char, one.replacement);
    area.value = text;
    refresh();
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
    extra = list;
    refresh();
  }

  function noFiles(event) {
    const data = event.clipboardData || event.dataTransfer;
    if (!data || !data.files.length) return;
    if (!data.types.includes('text/plain')) event.preventDefault();
    if (event.type === 'drop') event.preventDefault();
    remark(note('warn', t('message.attachments')));
    say(t('message.attachments'));
  }

  area.addEventListener('input', () => {
    extra = [];
    refresh();
  });
  area.addEventListener('paste', noFiles);
  area.addEventListener('drop', noFiles);
  area.addEventListener('dragover', (event) => {
    if (event.dataTransfer.types.includes('Files')) event.preventDefault();
  });
  return { set, insert, remark, get: () => area.value, focus: () => area.focus(), area };
}

// The layer under the text area: variables stand on chips, costly characters
// are underlined. It also gives the text area its height.
function paint(under, text, forcing) {
  const marks = [...text.matchAll(VARIABLE)].map((found) => [
    found.index,
    found.index + found[0].length,
    'mark',
  ]);
  for (const { char, index } of forcing) {
    if (!marks.some(([from, to]) => index >= from && index < to))
      marks.push([index, index + char.length, 'u']);
  }
  marks.sort((a, b) => a[0] - b[0]);
  let at = 0;
  const pieces = [];
  for (const [from, to, tag] of marks) {
    pieces.push(text.slice(at, from), h(tag, {}, text.slice(from, to)));
    at = to;
  }
  under.replaceChildren(...pieces, `${text.slice(at)}\u200b`);
}
