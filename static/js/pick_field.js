// A combobox whose choice fills a form field: senders, countries.
import { combobox } from './combobox.js';
import { $ } from './dom.js';

/**
 * Makes a chooser of root, which holds a combobox as combobox.js takes it and an
 * input[type=hidden] with the chosen id.
 * @param load query → [{id, label, hint}]
 * @param optional no choice is a choice: an empty input chooses ""
 * @returns {{set(id, label)}}
 */
export function pickField({ root, load, label, optional = false }) {
  const hidden = $('input[type=hidden]', root);
  const input = $('[role=combobox]', root);
  let chosen = '';
  const set = (id, words) => {
    hidden.value = id;
    chosen = words;
    input.value = words;
  };
  const choose = (id, words) => {
    set(id, words);
    hidden.dispatchEvent(new Event('change', { bubbles: true }));
  };
  combobox({
    root,
    load: async (query) => ({ groups: [{ label, items: await load(query === chosen ? '' : query) }], next: null }),
    pick: (item) => choose(item.id, item.label),
  });
  input.addEventListener('focus', () => input.select());
  // What was typed and not chosen is no choice.
  input.addEventListener('blur', () => {
    if (optional && !input.value.trim() && hidden.value) choose('', '');
    else input.value = chosen;
  });
  return { set };
}
