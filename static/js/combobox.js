// A combobox with a list (WAI-ARIA APG, "Editable Combobox With List Autocomplete"):
// the focus stays in the input, aria-activedescendant names the active option.
import { newest } from './api.js';
import { $, h, t } from './dom.js';

// Where there is less room than this below, the list keeps its own height (in
// pixels).
const MIN_ROOM = 120;
const MAX_HEIGHT = 320;
const TYPING_PAUSE = 150;

/**
 * @param root holds the input[role=combobox], the .list, its p[role=status] and its [role=listbox]
 * @param load (query, cursor) → {groups: [{label, items: [{id, label, hint, disabled}]}], next}
 * @param pick called with the chosen item
 * @param standing the list stays open (it sits in a panel of its own)
 */
export function combobox({ root, load, pick, standing = false }) {
  const input = $('[role=combobox]', root);
  const panel = $('.list', root);
  const status = $('[role=status]', panel);
  const list = $('[role=listbox]', panel);
  const ask = newest();
  let options = [];
  let active = -1;
  let timer = 0;

  function activate(index) {
    options[active]?.element.classList.remove('on');
    options[active]?.element.setAttribute('aria-selected', 'false');
    active = index;
    const option = options[active];
    if (!option) {
      input.removeAttribute('aria-activedescendant');
      return;
    }
    option.element.classList.add('on');
    option.element.setAttribute('aria-selected', 'true');
    input.setAttribute('aria-activedescendant', option.element.id);
    option.element.scrollIntoView({ block: 'nearest' });
  }

  function show(visible) {
    if (!standing) panel.hidden = !visible;
    if (!standing && visible) fit();
    input.setAttribute('aria-expanded', String(visible && options.length > 0));
    if (!visible) activate(-1);
  }

  // The popup's frame is as high as its page: what hangs below its end would be cut
  // off.
  function fit() {
    const room = window.innerHeight - list.getBoundingClientRect().top - 16;
    list.style.maxHeight = room > MIN_ROOM ? `${Math.min(room, MAX_HEIGHT)}px` : '';
  }

  const isOpen = () => standing || !panel.hidden;

  function setStatus(text) {
    status.textContent = text;
    status.hidden = !text;
  }

  function add(item) {
    const props = {
      role: 'option',
      id: `${list.id}-${options.length}`,
      'aria-selected': 'false',
      'aria-disabled': item.disabled ? 'true' : null,
    };
    const hint = item.hint ? h('small', {}, item.hint) : null;
    const element = h('div', props, h('span', {}, item.label), hint);
    const index = options.push({ element, item }) - 1;
    element.addEventListener('pointermove', () => {
      if (active !== index) activate(index);
    });
    element.addEventListener('click', () => choose(index));
    return element;
  }

  function draw({ groups, next }, query, keep) {
    if (!keep) {
      options = [];
      list.replaceChildren();
    }
    for (const group of groups) {
      if (!group.items.length) continue;
      const title = h('span', { role: 'presentation' }, group.label);
      list.append(h('div', { role: 'group', 'aria-label': group.label }, title, group.items.map(add)));
    }
    if (next) {
      const more = add({ more: next, query, label: t('list.more') });
      list.append(h('div', { role: 'presentation' }, more));
    }
    list.hidden = options.length === 0;
    setStatus(options.length ? '' : t('list.none'));
  }

  async function fill(query, cursor) {
    const isNewest = ask();
    if (!options.length) setStatus(t('list.loading'));
    try {
      const answer = await load(query, cursor);
      if (!isNewest()) return;
      if (cursor) removeMore();
      draw(answer, query, Boolean(cursor));
    } catch (refusal) {
      if (!isNewest()) return;
      draw({ groups: [] }, query);
      setStatus(refusal.message);
    }
    show(isOpen());
    if (query && options.length) activate(0);
  }

  function removeMore() {
    const last = options.pop();
    last.element.parentElement.remove();
    active = -1;
  }

  function choose(index) {
    const option = options[index];
    if (!option || option.item.disabled) return;
    if (option.item.more) {
      fill(option.item.query, option.item.more);
      return;
    }
    clearTimeout(timer); // what was typed before is answered by this choice
    show(false);
    pick(option.item);
  }

  function open() {
    if (!isOpen() || standing) {
      show(true);
      fill('');
    }
  }

  function onKeydown(event) {
    if (event.isComposing) return;
    const last = options.length - 1;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!isOpen()) {
        open();
        return;
      }
      if (event.key === 'ArrowDown') activate(active >= last ? 0 : active + 1);
      else activate(active <= 0 ? last : active - 1);
    } else if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (isOpen()) choose(active);
      else open();
    } else if (event.key === 'Escape' && !standing && isOpen()) {
      event.stopPropagation();
      show(false);
    } else if (event.key === 'Tab') show(false);
  }

  panel.addEventListener('mousedown', (event) => event.preventDefault()); // keeps the focus in the input
  input.addEventListener('keydown', onKeydown);
  input.addEventListener('click', open);
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      show(true);
      fill(input.value.trim());
    }, TYPING_PAUSE);
  });
  input.addEventListener('blur', () => {
    clearTimeout(timer);
    show(false);
  });
  if (!standing) show(false);
  return { input };
}
