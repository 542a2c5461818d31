// Who won't get a bulk text, each with the reason, what is wrong, and what can be done.
import { hasFallback, isBlank } from './checks.js';
import { button, count, h, link, page, t, tn } from './dom.js';

const MAX_NAMES = 200; // listed for one reason; the rest is a number

// These are no records that could be opened.
const WITHOUT_RECORD = new Set(['missing', 'forbidden', 'record_unreadable']);

/** A record's name, as a link to its page in the CRM where there is one. */
export function recordLink(module, { record_id: id, name, code }) {
  const words = name || t('list.person');
  if (!page.record_url || WITHOUT_RECORD.has(code)) return words;
  const href = page.record_url.replace('{module}', module).replace('{id}', encodeURIComponent(id));
  return h('a', { href, target: '_blank', rel: 'noopener', 'aria-label': t('bulk.open_record', { name: words }) }, words);
}

/**
 * @param {object} options
 *   module, labelOf (the label of a merge field), writing (the composer)
 *   takeIn     takes somebody in again who was left out
 *   tryNumber  goes to the choice of phone fields
 *   recount    counts again
 */
export function excludedPanel({ module, labelOf, writing, takeIn, tryNumber, recount }) {
  const fallbacks = {}; // what was typed for empty fields
  const root = h('div', {
    class: 'panel scroll',
    id: 'left-out',
    tabindex: '0',
    role: 'group',
    'aria-label': t('bulk.left_out'),
    hidden: true,
  });

  function draw(list) {
    const focused = document.activeElement;
    if (root.contains(focused) && focused.matches('input')) return; // somebody is typing there
    if (!list.length) {
      root.hidden = true;
      return;
    }
    const groups = Map.groupBy(list, ({ code, reason }) => (code === 'duplicate' ? '' : reason));
    root.replaceChildren(...[...groups].map(([reason, group]) => groupOf(reason, group)));
  }

  function groupOf(reason, list) {
    const title = list[0].code === 'left_out' ? t('bulk.left_out_by_you') : reasonWords(reason, list[0]);
    return h(
      'section',
      {},
      h('h2', {}, title || t('bulk.duplicates'), ` (${count(list.length)})`),
      remedy(list[0]),
      h('ul', { class: 'plainlist' }, list.slice(0, MAX_NAMES).map((one) => person(one, !reason))),
      list.length > MAX_NAMES ? h('small', {}, tn('bulk.more', list.length - MAX_NAMES)) : null,
    );
  }

  const reasonWords = (reason, { code, field }) =>
    code === 'empty_field' && field ? t('bulk.empty', { field: labelOf(field) }) : reason;

  function person(one, withReason) {
    const details = [one.deal, one.value, withReason && one.reason].filter(Boolean);
    const back = () =>
      button(t('batch.take_in'), {
        class: 'link',
        'data-act': `in-${one.record_id}`,
        'aria-label': t('batch.take_in_of', { name: one.name }),
        onclick: () => takeIn(one.record_id),
      });
    return h(
      'li',
      {},
      recordLink(module, one),
      h(
        'small',
        {},
        details.map((words) => ` · ${words}`),
      ),
      one.code === 'left_out' ? [' ', back()] : '',
    );
  }

  // What can be corrected here: another phone field, words for an empty field.
  function remedy({ code, field: key }) {
    if (code === 'no_number' || code === 'invalid_number') {
      return h('p', {}, link(t('bulk.fix.number'), tryNumber));
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
      'aria-label': t('bulk.fix.fallback', { field: labelOf(key) }),
    });
    const variable = new RegExp(`\\{\\{\\s*${key.replace('.', '\\.')}\\s*\\}\\}`, 'g');
    const use = () => {
      const words = input.value.replace(/[{}⟦⟧|]/g, '').trim();
      writing.set(writing.get().replaceAll(variable, () => `{{${key}|${words}}}`));
      writing.focus();
      recount();
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

  return { root, draw };
}
