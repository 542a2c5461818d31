// The bulk part of the popup: who gets the text, who doesn't and why, and how it
// reads for real people.
import { call } from './api.js';
import { hasFallback, isBlank } from './checks.js';
import { progressWords, recipientWords } from './batch_parts.js';
import { sampleView } from './bulk_sample.js';
import { $, announce, button, count, h, keepFocus, link, note, refusalNote, t, tn } from './dom.js';

// What goes away by itself, and after how many milliseconds to count again.
const RETRY_AFTER = { network: 5000, crm_unreachable: 15_000 };
const TYPING_PAUSE = 600;
const MAX_NAMES = 200; // listed for one reason; the rest is a number

/**
 * Counts who would get the text, again after each change.
 * @param {object} options
 *   context, writing (the composer)
 *   changed   called when ok() or label() may answer something else
 *   schedule  returns the schedule that is open, or null
 *   watch     shows another batch
 */
export function audiencePart({ context, writing, changed, schedule, watch }) {
  const field = phoneField(context.phone_fields);
  // The server moves each person who would get it at night, alone.
  const move = h('input', { type: 'checkbox', checked: true, 'data-act': 'move-quiet' });
  const result = h('div', {});
  const excluded = excludedPanel();
  const fallbacks = {}; // what was typed for empty fields
  let last = null; // counted so far: {total, will, excluded, samples, segments, lastAt, quiet, complete}
  let refusal = null;
  let stale = true; // what was counted is about another text, field or time
  let timer = 0;
  let counting = null; // its AbortController

  const samples = sampleView({ move });
  const limit = context.limits.transactional_notice_over;
  $('#audience').hidden = false;
  $('#audience').replaceChildren(
    ...(context.running || []).map((batch) => runningNote(batch, watch)),
    h(
      'div',
      { class: 'pair' },
      h('div', {}, h('strong', {}, tn(`bulk.count.${context.module}`, context.count)), result),
      h('div', { class: 'field' }, h('label', { for: 'to-field' }, t('bulk.to_field')), field),
    ),
    excluded,
    context.count > limit ? note('', tn('bulk.transactional', limit)) : '',
  );
  field.addEventListener('change', () => recount(0));

  function recount(delay) {
    clearTimeout(timer);
    counting?.abort();
    stale = true;
    timer = setTimeout(countAll, delay);
    changed();
  }

  async function countAll() {
    counting = new AbortController();
    const { signal } = counting;
    samples.rewind();
    try {
      await countPages(signal);
      announce(summary());
    } catch (error) {
      if (error.name === 'AbortError') return;
      refusal = error;
      draw();
      const delay = RETRY_AFTER[refusal.code];
      if (delay) timer = setTimeout(countAll, delay);
    }
  }

  async function countPages(signal) {
    const found = { excluded: [], samples: [] };
    let cursor;
    do {
      const body = { message: writing.get(), schedule: schedule() };
      if (field.value) body.to_field = field.value;
      if (cursor) body.cursor = cursor;
      const part = await call('POST', '/embed/api/preview', { body, signal });
      const { total, will_receive: will, max_segments: segments, last_at: lastAt, quiet, complete } = part;
      Object.assign(found, { total, will, segments, lastAt, quiet, complete });
      found.excluded.push(...part.excluded);
      found.samples.push(...part.samples);
      cursor = complete ? null : part.next;
      refusal = null;
      stale = false;
      last = found;
      draw();
    } while (cursor && !signal.aborted);
  }

  function summary() {
    const will = tn('bulk.will', last.will);
    return last.excluded.length ? `${will} · ${tn('bulk.wont', last.excluded.length)}` : will;
  }

  function draw() {
    keepFocus($('#compose'), () => {
      drawResult();
      drawExcluded();
      drawSamples();
    });
    changed();
  }

  function drawResult() {
    if (refusal) {
      result.replaceChildren(h('span', { class: 'soft' }, t('bulk.not_counted')));
      return;
    }
    result.replaceChildren(
      h('span', { class: 'num' }, tn('bulk.will', last.will)),
      ...(last.excluded.length ? [' · ', excludedToggle()] : []),
      last.complete ? '' : h('span', { class: 'soft' }, ` · ${t('bulk.counting')}`),
    );
  }

  function excludedToggle() {
    const onclick = (event) => {
      excluded.hidden = !excluded.hidden;
      event.currentTarget.setAttribute('aria-expanded', String(!excluded.hidden));
    };
    return button(tn('bulk.wont', last.excluded.length), {
      class: 'link',
      'data-act': 'left-out',
      'aria-expanded': String(!excluded.hidden),
      'aria-controls': excluded.id,
      onclick,
    });
  }

  function drawExcluded() {
    const focused = document.activeElement;
    if (excluded.contains(focused) && focused.matches('input')) return; // somebody is typing there
    if (!last || !last.excluded.length) {
      excluded.hidden = true;
      return;
    }
    const groups = Map.groupBy(last.excluded, (one) => (one.code === 'duplicate' ? '' : one.reason));
    excluded.replaceChildren(...[...groups].map(([reason, list]) => excludedGroup(reason, list)));
  }

  function excludedGroup(reason, list) {
    const name = (one) => {
      const details = [one.deal, !reason && one.reason].filter(Boolean);
      return h(
        'li',
        {},
        one.name || t('texts.person'),
        h(
          'small',
          {},
          details.map((words) => ` · ${words}`),
        ),
      );
    };
    return h(
      'section',
      {},
      h('h2', {}, reason || t('bulk.duplicates'), ` (${count(list.length)})`),
      remedy(list[0]),
      h('ul', { class: 'plainlist' }, list.slice(0, MAX_NAMES).map(name)),
      list.length > MAX_NAMES ? h('small', {}, tn('bulk.more', list.length - MAX_NAMES)) : null,
    );
  }

  // What can be corrected here: another phone field, words for an empty field.
  function remedy({ code, field: key }) {
    if (code === 'no_number' || code === 'invalid_number') {
      return h(
        'p',
        {},
        link(t('bulk.fix.number'), () => field.focus()),
      );
    }
    return code === 'empty_field' && key ? fallbackField(key) : null;
  }

  function fallbackField(key) {
    const input = h('input', {
      value: fallbacks[key] ?? (hasFallback(key) ? t('bulk.fallback') : ''),
      oninput: () => {
        fallbacks[key] = input.value;
        useButton.disabled = isBlank(input.value);
      },
      'aria-label': t('bulk.fix.fallback', { field: key }),
    });
    const variable = new RegExp(`\\{\\{\\s*${key.replace('.', '\\.')}\\s*\\}\\}`, 'g');
    const use = () => {
      const words = input.value.replace(/[{}⟦⟧]/g, '').trim();
      writing.set(writing.get().replaceAll(variable, () => `{{${key}|${words}}}`));
      writing.focus();
      recount(0);
    };
    const useButton = button(t('bulk.fix.use'), { onclick: use, disabled: isBlank(input.value) });
    return h(
      'p',
      { class: 'row' },
      h('small', {}, t('bulk.fix.empty')),
      h('span', { class: 'grow' }, input),
      useButton,
    );
  }

  function drawSamples() {
    if (refusal) samples.replace(refusalPart());
    else samples.draw(last, !isBlank(writing.get()));
  }

  function refusalPart() {
    if (!RETRY_AFTER[refusal.code]) return refusalNote(refusal);
    const words = refusal.code === 'network' ? t('bulk.offline') : refusal.message;
    return note(
      'warn',
      words,
      ' ',
      link(t('page.retry'), () => recount(0)),
    );
  }

  recount(0);
  return {
    changed: () => recount(TYPING_PAUSE),
    ok: () => !refusal && Boolean(last && last.will > 0),
    label: () => (last && last.complete && !refusal && !stale ? tn('bulk.send', last.will) : t('popup.send')),
    field: () => field.value,
    movesQuiet: () => move.checked,
  };
}

function phoneField(fields) {
  const option = ({ key, label }) => h('option', { value: key }, label);
  const select = h('select', { id: 'to-field' }, fields.map(option));
  if (fields.some(({ key }) => key === 'mobile')) select.value = 'mobile';
  return select;
}

const excludedPanel = () =>
  h('div', {
    class: 'panel scroll',
    id: 'left-out',
    tabindex: '0',
    role: 'group',
    'aria-label': t('bulk.left_out'),
    hidden: true,
  });

function runningNote(batch, watch) {
  const words = t('bulk.running', { whom: recipientWords(batch), progress: progressWords(batch.counts) });
  return note(
    '',
    words,
    ' ',
    link(t('bulk.running.show'), () => watch(batch)),
  );
}
