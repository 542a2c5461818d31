// The bulk part of the popup: who gets it, who doesn't and why, and how it reads for real people.
import { call } from './api.js';
import { $, count, h, icon, link, note, pretty, say, t, tn, when } from './dom.js';
import { progressOf, whom } from './progress.js';

const PASSING = { network: 5000, crm_unreachable: 15_000 }; // what goes away by itself, and when to ask again
const SHOWN = 200; // names listed for one reason; the rest is a number

/** @param when the schedule that is open, or null · @param look shows another batch */
export function bulkPart({ context, writing, changed, when: planned, look }) {
  const audience = $('#audience');
  const preview = $('#preview');
  const field = h(
    'select',
    { id: 'to-field' },
    context.phone_fields.map(({ key, label }) => h('option', { value: key }, label)),
  );
  if (context.phone_fields.some(({ key }) => key === 'mobile')) field.value = 'mobile';
  const move = h('input', { type: 'checkbox', 'data-act': 'move-quiet' }); // each who would get it at night is moved alone, by the server
  const result = h('div', {});
  const out = h('div', {
    class: 'panel scroll',
    id: 'left-out',
    tabindex: '0',
    role: 'group',
    'aria-label': t('bulk.left_out'),
    hidden: true,
  });
  let last = null; // counts so far: {total, will, excluded, samples, segments, lastAt, complete}
  let trouble = null;
  let at = 0;
  let timer = 0;
  let running = null;
  let stale = true; // what was counted is about another text, field or time
  const fallbacks = {};

  audience.hidden = false;
  audience.replaceChildren(
    ...(context.running || []).map((batch) =>
      note(
        '',
        t('bulk.running', { whom: whom(batch), progress: progressOf(batch.counts) }),
        ' ',
        link(t('bulk.running.show'), () => look(batch)),
      ),
    ),
    h(
      'div',
      { class: 'pair' },
      h('div', {}, h('strong', {}, tn(`bulk.count.${context.module}`, context.count)), result),
      h('div', { class: 'field' }, h('label', { for: 'to-field' }, t('bulk.to_field')), field),
    ),
    out,
    context.count > context.limits.transactional_notice_over
      ? note('', tn('bulk.transactional', context.limits.transactional_notice_over))
      : '',
  );
  field.addEventListener('change', () => ask(0));

  function ask(wait) {
    clearTimeout(timer);
    running?.abort();
    stale = true;
    timer = setTimeout(count0, wait);
    changed();
  }

  async function count0() {
    running = new AbortController();
    const { signal } = running;
    let cursor;
    const found = { excluded: [], samples: [] };
    at = 0;
    try {
      do {
        const part = await call('POST', '/embed/api/preview', {
          body: {
            ...(field.value ? { to_field: field.value } : {}),
            message: writing.get(),
            schedule: planned(),
            ...(cursor ? { cursor } : {}),
          },
          signal,
        });
        Object.assign(found, {
          total: part.total,
          will: part.will_receive,
          segments: part.max_segments,
          lastAt: part.last_at,
          quiet: part.quiet,
          complete: part.complete,
        });
        found.excluded.push(...part.excluded);
        found.samples.push(...part.samples);
        cursor = part.complete ? null : part.next;
        trouble = null;
        stale = false;
        last = found;
        draw();
      } while (cursor && !signal.aborted);
      say(summary());
    } catch (refused) {
      if (refused.name === 'AbortError') return;
      trouble = refused;
      draw();
      if (PASSING[refused.code]) timer = setTimeout(count0, PASSING[refused.code]);
    }
  }

  const summary = () =>
    last
      ? `${tn('bulk.will', last.will)}${last.excluded.length ? ` · ${tn('bulk.wont', last.excluded.length)}` : ''}`
      : '';

  function draw() {
    const held = document.activeElement.dataset.act; // each page counted draws what may have the focus anew
    drawResult();
    drawOut();
    drawPreview();
    if (held && document.activeElement === document.body) $(`[data-act=${held}]`)?.focus();
    changed();
  }

  function drawResult() {
    if (trouble) {
      result.replaceChildren(h('span', { class: 'soft' }, t('bulk.not_counted')));
      return;
    }
    const wont = last.excluded.length;
    const toggle = wont
      ? h(
          'button',
          {
            type: 'button',
            class: 'link',
            'data-act': 'left-out',
            'aria-expanded': String(!out.hidden),
            'aria-controls': 'left-out',
            onclick: (event) => {
              out.hidden = !out.hidden;
              event.currentTarget.setAttribute('aria-expanded', String(!out.hidden));
            },
          },
          tn('bulk.wont', wont),
        )
      : null;
    result.replaceChildren(
      h('span', { class: 'num' }, tn('bulk.will', last.will)),
      wont ? ' · ' : '',
      toggle || '',
      last.complete ? '' : h('span', { class: 'soft' }, ` · ${t('bulk.counting')}`),
    );
  }

  function drawOut() {
    if (out.contains(document.activeElement) && document.activeElement.matches('input')) return; // somebody is typing there
    if (!last || !last.excluded.length) {
      out.hidden = true;
      return;
    }
    const groups = new Map();
    for (const one of last.excluded) {
      const key = one.code === 'duplicate' ? 'duplicate' : one.reason;
      groups.set(key, [...(groups.get(key) || []), one]);
    }
    out.replaceChildren(
      ...[...groups].map(([key, list]) =>
        h(
          'section',
          {},
          h('h2', {}, key === 'duplicate' ? t('bulk.duplicates') : key, ` (${count(list.length)})`),
          fix(list[0]),
          h(
            'ul',
            { class: 'plainlist' },
            list.slice(0, SHOWN).map((one) =>
              h(
                'li',
                {},
                one.name || t('texts.person'),
                h(
                  'small',
                  {},
                  [one.deal, key === 'duplicate' && one.reason]
                    .filter(Boolean)
                    .map((words) => ` · ${words}`)
                    .join(''),
                ),
              ),
            ),
          ),
          list.length > SHOWN ? h('small', {}, tn('bulk.more', list.length - SHOWN)) : null,
        ),
      ),
    );
  }

  // What can be mended here is: another number, a fallback. The others stay out.
  function fix({ code, field: key }) {
    if (code === 'no_number' || code === 'invalid_number')
      return h(
        'p',
        {},
        link(t('bulk.fix.number'), () => field.focus()),
      );
    if (code !== 'empty_field' || !key) return null;
    const input = h('input', {
      value: fallbacks[key] ?? t('bulk.fallback'),
      oninput: () => {
        fallbacks[key] = input.value;
      },
      'aria-label': t('bulk.fix.fallback', { field: key }),
    });
    const use = () => {
      writing.set(
        writing
          .get()
          .replaceAll(
            new RegExp(`\\{\\{\\s*${key.replace('.', '\\.')}\\s*\\}\\}`, 'g'),
            () => `{{${key}|${input.value.trim()}}}`,
          ),
      );
      writing.focus();
      ask(0);
    };
    return h(
      'p',
      { class: 'row' },
      h('small', {}, t('bulk.fix.empty')),
      h('span', { class: 'grow' }, input),
      h('button', { type: 'button', onclick: use }, t('bulk.fix.use')),
    );
  }

  function drawPreview() {
    preview.hidden = false;
    if (trouble) {
      preview.replaceChildren(
        PASSING[trouble.code]
          ? note(
              'warn',
              trouble.code === 'network' ? t('bulk.offline') : trouble.message,
              ' ',
              link(t('page.retry'), () => ask(0)),
            )
          : note('bad', trouble.message),
      );
      return;
    }
    const { samples } = last;
    if (!samples.length || !writing.get().trim()) {
      preview.hidden = true;
      return;
    }
    const sample = samples[Math.min(at, samples.length - 1)];
    const step = (by, name) =>
      h(
        'button',
        {
          type: 'button',
          class: 'icon',
          'aria-label': t(`bulk.${name}`),
          'data-step': name,
          'data-act': name,
          onclick: () => {
            at = (at + by + samples.length) % samples.length;
            drawPreview();
            preview.querySelector(`[data-step=${name}]`).focus();
            say(samples[at].text);
          },
        },
        icon(name),
      );
    preview.replaceChildren(
      h(
        'div',
        { class: 'row' },
        h('h2', { class: 'grow' }, t('bulk.preview')),
        samples.length > 1 ? step(-1, 'prev') : '',
        h(
          'span',
          { class: 'num' },
          t(samples.length < last.will || !last.complete ? 'bulk.sample_first' : 'bulk.sample', {
            at: count(at + 1),
            of: count(samples.length),
          }),
        ),
        samples.length > 1 ? step(1, 'next') : '',
      ),
      h(
        'div',
        { class: 'panel' },
        h(
          'div',
          {},
          h('strong', {}, sample.name),
          h(
            'small',
            { class: 'num' },
            sample.deal ? ` · ${sample.deal}` : '',
            ' · ',
            h('span', { class: 'nowrap' }, pretty(sample.to)),
          ),
        ),
        h('p', { class: 'bubble' }, sample.text),
        h('small', { class: 'num' }, `${tn('counter.segments', sample.segments)} · ${sample.encoding}`),
      ),
      h(
        'small',
        { class: 'num' },
        [
          tn('bulk.worst', last.segments || 1),
          last.lastAt && last.complete ? t('bulk.last_at', { time: when(last.lastAt) }) : '',
        ]
          .filter(Boolean)
          .join(' · '),
      ),
      last.quiet ? note('warn', tn('bulk.quiet', last.quiet, context.quiet_hours)) : '',
      last.quiet
        ? h('label', { class: 'check' }, move, h('span', {}, t('bulk.quiet.move', context.quiet_hours)))
        : '',
    );
  }

  ask(0);
  return {
    changed: () => ask(600),
    ok: () => !trouble && Boolean(last && last.will > 0),
    label: () => (last && last.complete && !trouble && !stale ? tn('bulk.send', last.will) : t('popup.send')),
    field: () => field.value,
    move: () => Boolean(last && last.quiet && move.checked),
  };
}
