// The bulk part of the popup: who gets the text, who doesn't and why, and how it
// reads for real people.
import { call } from './api.js';
import { isStopped, shownState } from './batch_state.js';
import { progressWords, recipientWords } from './batch_parts.js';
import { confirmBulk } from './bulk_confirm.js';
import { excludedPanel } from './bulk_excluded.js';
import { peoplePanel } from './bulk_people.js';
import { sampleView } from './bulk_sample.js';
import { isBlank } from './checks.js';
import { $, announce, button, h, keepFocus, link, note, refusalNote, t, tn } from './dom.js';
import { wallClock } from './times.js';

// What goes away by itself, and after how many milliseconds to count again.
const RETRY_AFTER = { network: 5000, crm_unreachable: 15_000 };
const TYPING_PAUSE = 600;

/**
 * Counts who would get the text, again after each change.
 * @param {object} options
 *   context, writing (the composer)
 *   changed   called when ok() or label() may answer something else
 *   schedule  returns the schedule that is open, or null
 *   watch     shows another batch
 *   warn      shows warnings above Send
 */
export function audiencePart({ context: first, writing, changed, schedule, watch, warn }) {
  const { module, phone_fields: phones } = first;
  let context = first;
  const field = phoneField(phones);
  const elseField = secondField(phones, field);
  const leftOut = new Set(); // record ids
  // The server moves each person who would get it at night, alone.
  const move = h('input', { type: 'checkbox', checked: true, 'data-act': 'move-quiet' });
  const result = h('div', {});
  let last = null; // counted so far: {total, will, excluded, samples, segments, lastAt, quiet, complete}
  let refusal = null;
  let stale = true; // what was counted is about another text, field or time
  let timer = 0;
  let counting = null; // its AbortController
  let waiting = []; // who wants to know when all is counted

  const labelOf = (key) => context.fields?.find((one) => one.key === key)?.label || key;
  const choose = (id, out) => {
    if (out) leftOut.add(id);
    else leftOut.delete(id);
    recount(0);
  };
  const excluded = excludedPanel({
    module,
    labelOf,
    writing,
    takeIn: (id) => choose(id, false),
    tryNumber: () => (elseField ? elseField.focus() : field.focus()),
    recount: () => recount(0),
  });
  const people = peoplePanel({ module, leaveOut: (id) => choose(id, true) });
  const samples = sampleView({ leaveOut: (id) => choose(id, true) });
  const limit = context.limits.transactional_notice_over;
  const fieldOf = (key, id, select) => h('div', { class: 'field' }, h('label', { for: id }, t(key)), select);
  const running = h('div', { class: 'stack' });
  const size = h('strong');
  $('#audience').hidden = false;
  $('#audience').replaceChildren(
    running,
    h('div', {}, size, result),
    h(
      'div',
      { class: 'pair' },
      fieldOf('bulk.to_field', 'to-field', field),
      elseField ? fieldOf('bulk.else_field', 'else-field', elseField) : '',
    ),
    people.root,
    excluded.root,
    context.count > limit ? note('', tn('bulk.transactional', limit)) : '',
  );
  field.addEventListener('change', () => {
    if (elseField?.value === field.value) elseField.value = '';
    recount(0);
  });
  elseField?.addEventListener('change', () => recount(0));

  /** Takes a context that was read anew. */
  function renew(renewed) {
    context = renewed;
    running.replaceChildren(...(context.running || []).map((batch) => runningNote(batch, watch)));
    size.textContent = tn(`bulk.count.${module}`, context.count);
    recount(0);
  }

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
    for (const resolve of waiting.splice(0)) resolve();
  }

  async function countPages(signal) {
    const found = { excluded: [], samples: [] };
    let cursor;
    do {
      const body = { message: writing.get(), schedule: schedule(), ...fields() };
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

  /** What the preview and the request have in common: phone fields, who is left out. */
  function fields() {
    const chosen = { to_field: field.value || undefined, else_field: elseField?.value || undefined };
    return leftOut.size ? { ...chosen, exclude: [...leftOut] } : chosen;
  }

  function summary() {
    const will = tn('bulk.will', last.will);
    return last.excluded.length ? `${will} · ${tn('bulk.wont', last.excluded.length)}` : will;
  }

  function draw() {
    keepFocus(
      $('#compose'),
      () => {
        drawResult();
        if (last) excluded.draw(last.excluded);
        if (last) people.draw(last);
        drawSamples();
        warn(...quietWarning());
      },
      () => $('[data-act=left-out]') || $('[data-act=will-get]'),
    );
    changed();
  }

  function drawResult() {
    if (refusal) {
      result.replaceChildren(h('span', { class: 'soft' }, t('bulk.not_counted')));
      return;
    }
    const will = tn('bulk.will', last.will);
    result.replaceChildren(
      last.samples.length ? toggle('will-get', will, people.root) : h('span', { class: 'num' }, will),
      ...(last.excluded.length ? [' · ', toggle('left-out', tn('bulk.wont', last.excluded.length), excluded.root)] : []),
      last.complete ? '' : h('span', { class: 'soft' }, ` · ${t('bulk.counting')}`),
    );
  }

  function toggle(name, words, panel) {
    const onclick = (event) => {
      panel.hidden = !panel.hidden;
      event.currentTarget.setAttribute('aria-expanded', String(!panel.hidden));
    };
    return button(words, {
      class: 'link num',
      'data-act': name,
      'aria-expanded': String(!panel.hidden),
      'aria-controls': panel.id,
      onclick,
    });
  }

  function drawSamples() {
    if (refusal) samples.replace(refusalPart());
    else samples.draw(last, !isBlank(writing.get()));
  }

  const moveLabel = () => {
    const hours = context.quiet_hours;
    return hours ? t('bulk.quiet.move', { to: wallClock(hours.to) }) : t('bulk.quiet.move_law');
  };

  // It stands above Send, since it is about pressing it.
  function quietWarning() {
    if (refusal || !last.quiet || isBlank(writing.get())) return [];
    const words = last.quiet >= last.will ? t('bulk.quiet.all') : tn('bulk.quiet', last.quiet);
    return [note('warn', h('p', {}, words), h('label', { class: 'check' }, move, h('span', {}, moveLabel())))];
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

  renew(first);
  return {
    renew,
    changed: () => recount(TYPING_PAUSE),
    ok: () => !refusal && Boolean(last && last.will > 0),
    label: () => (last && last.complete && !refusal && !stale ? tn('bulk.send', last.will) : t('popup.send')),
    /** Resolves when all people are counted for what is written now, or that failed. */
    counted: () => (!stale && (refusal || last?.complete) ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    shownRecord: () => (last ? samples.record(last) : undefined),
    will: () => (refusal || !last ? 0 : last.will),
    request: () => ({ ...fields(), move_quiet: move.checked }),
    ask(root, { later, confirm, back }) {
      const decide = (moves) => {
        move.checked = moves;
        confirm(moves);
      };
      const moves = move.checked;
      confirmBulk(root, { counted: last, context, later, moves, moveLabel: moveLabel(), confirm: decide, back });
    },
  };
}

const option = ({ key, label }) => h('option', { value: key }, label);

function phoneField(fields) {
  const select = h('select', { id: 'to-field' }, fields.map(option));
  if (fields.some(({ key }) => key === 'mobile')) select.value = 'mobile';
  return select;
}

/** A second choice for who has no usable number in the first; null with one field alone. */
function secondField(fields, first) {
  if (fields.length < 2) return null;
  const none = h('option', { value: '' }, t('bulk.else_none'));
  const select = h('select', { id: 'else-field' }, none, fields.map(option));
  const hideChosen = () => {
    for (const one of select.options) one.disabled = one.value !== '' && one.value === first.value;
  };
  first.addEventListener('change', hideChosen);
  hideChosen();
  return select;
}

function runningNote(batch, watch) {
  const state = isStopped(batch) ? batch.state : shownState(batch);
  const key = { paused: 'bulk.running.paused', held: 'bulk.running.held', scheduled: 'bulk.running.scheduled' }[state] || 'bulk.running';
  const words = t(key, { whom: recipientWords(batch), progress: progressWords(batch.counts) });
  return note(
    '',
    words,
    ' ',
    link(t('bulk.running.show'), () => watch(batch)),
  );
}
