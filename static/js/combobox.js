// A combobox with a list (WAI-ARIA APG, "Editable Combobox With List Autocomplete"): the focus stays in the
// input, aria-activedescendant walks the options.
import { h, t } from './dom.js';

/**
 * @param root holds the input[role=combobox], the .list, its p[role=status] and its [role=listbox]
 * @param load (query, cursor) → {groups: [{label, items: [{id, label, hint, disabled}]}], next}
 * @param pick called with the chosen item
 * @param standing the list stays open (it sits in a panel of its own)
 */
export function combobox({ root, load, pick, standing = false }) {
  const input = root.querySelector('[role=combobox]');
  const shell = root.querySelector('.list');
  const status = shell.querySelector('[role=status]');
  const list = shell.querySelector('[role=listbox]');
  let options = [];
  let active = -1;
  let asked = 0;
  let timer = 0;

  function mark(index) {
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

  function show(open) {
    if (!standing) shell.hidden = !open;
    if (!standing && open) fit();
    input.setAttribute('aria-expanded', String(open && options.length > 0));
    if (!open) mark(-1);
  }
  // The popup's frame is as high as its page: what hangs below its end would be cut off.
  function fit() {
    const room = window.innerHeight - list.getBoundingClientRect().top - 16;
    list.style.maxHeight = room > 120 ? `${Math.min(room, 320)}px` : '';
  }
  const isOpen = () => standing || !shell.hidden;

  function note(text) {
    status.textContent = text;
    status.hidden = !text;
  }

  function add(item) {
    const element = h(
      'div',
      {
        role: 'option',
        id: `${list.id}-${options.length}`,
        'aria-selected': 'false',
        'aria-disabled': item.disabled ? 'true' : null,
      },
      h('span', {}, item.label),
      item.hint ? h('small', {}, item.hint) : null,
    );
    const index = options.push({ element, item }) - 1;
    element.addEventListener('pointermove', () => {
      if (active !== index) mark(index);
    });
    element.addEventListener('click', () => choose(index));
    return element;
  }

  function paint({ groups, next }, query, keep) {
    if (!keep) {
      options = [];
      list.replaceChildren();
    }
    for (const group of groups) {
      if (!group.items.length) continue;
      const items = group.items.map(add);
      list.append(
        group.label
          ? h(
              'div',
              { role: 'group', 'aria-label': group.label },
              h('span', { role: 'presentation' }, group.label),
              items,
            )
          : h('div', { role: 'presentation' }, items),
      );
    }
    if (next)
      list.append(h('div', { role: 'presentation' }, add({ more: next, query, label: t('list.more') })));
    list.hidden = options.length === 0;
    note(options.length ? '' : t('list.none'));
  }

  async function fill(query, cursor) {
    const mine = (asked += 1);
    if (!options.length) note(t('list.loading'));
    try {
      const answer = await load(query, cursor);
      if (mine !== asked) return;
      if (cursor) drop();
      paint(answer, query, Boolean(cursor));
    } catch (refused) {
      if (mine !== asked) return;
      paint({ groups: [] }, query);
      note(refused.message);
    }
    show(isOpen());
    if (query && options.length) mark(0);
  }

  function drop() {
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
    show(false);
    pick(option.item);
  }

  function open() {
    if (!isOpen() || standing) {
      show(true);
      fill('');
    }
  }

  function keys(event) {
    if (event.isComposing) return;
    const last = options.length - 1;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!isOpen()) {
        open();
        return;
      }
      const down = event.key === 'ArrowDown';
      mark(down ? (active >= last ? 0 : active + 1) : active <= 0 ? last : active - 1);
    } else if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (isOpen()) choose(active);
      else open();
    } else if (event.key === 'Escape' && !standing && isOpen()) {
      event.stopPropagation();
      show(false);
    } else if (event.key === 'Tab') show(false);
  }

  shell.addEventListener('mousedown', (event) => event.preventDefault()); // keeps the focus in the input
  input.addEventListener('keydown', keys);
  input.addEventListener('click', open);
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      show(true);
      fill(input.value.trim());
    }, 150);
  });
  input.addEventListener('blur', () => {
    clearTimeout(timer);
    show(false);
  });
  if (!standing) show(false);
  return { open, close: () => show(false), input };
}
