// What a person can put into a text: a template, a field.
import { call, path } from './api.js';
import { combobox } from './combobox.js';
import { $, link, note, say, t } from './dom.js';
import { recent, remember } from './draft.js';

/** The template picker; problem(sentence) says what went wrong. */
export function wireTemplates(writing, problem) {
  const input = $('#template');
  combobox({ root: $('#templates'), load: loadTemplates, pick });
  input.addEventListener('focus', () => input.select());

  async function pick({ id, label }) {
    input.value = label;
    const before = writing.get();
    try {
      const { text, problems = [] } = await call('POST', '/embed/api/render', { body: { template_id: id } });
      remember(id);
      writing.set(text);
      writing.remark(
        ...problems.map((one) => note('warn', one.message)),
        ...(before && before !== text ? [undo(before)] : []),
      );
      say(t('template.filled', { name: label }));
      writing.focus();
    } catch (refused) {
      input.value = '';
      problem(refused.message);
    }
  }

  function undo(before) {
    const back = () => {
      input.value = '';
      writing.remark();
      writing.set(before);
      writing.focus();
    };
    return note('', t('template.replaced'), ' ', link(t('template.undo'), back));
  }
}

async function loadTemplates(q, cursor) {
  const { templates, next } = await call('GET', path('/embed/api/templates', { q, cursor }));
  const item = ({ id, name, body }) => ({ id: String(id), label: name, hint: body });
  const groups = new Map();
  if (!q && !cursor) {
    const known = new Map(templates.map((one) => [String(one.id), one]));
    groups.set(
      t('template.recent'),
      recent()
        .filter((id) => known.has(id))
        .map((id) => item(known.get(id))),
    );
  }
  for (const one of templates) {
    const folder = one.folder || t('template.no_folder');
    groups.set(folder, [...(groups.get(folder) || []), item(one)]);
  }
  return { groups: [...groups].map(([label, items]) => ({ label, items })), next };
}

/** The { } button and its panel; context() gives the fields, in one to one with their values. */
export function wireFields(writing, context) {
  const panel = $('#fields');
  const button = $('#insert');
  const open = (yes) => {
    panel.hidden = !yes;
    button.setAttribute('aria-expanded', String(yes));
  };
  const picker = combobox({
    root: panel,
    standing: true,
    load: (q) => ({ groups: fieldGroups(context(), q) }),
    pick: (item) => {
      open(false);
      writing.insert(item.insert);
    },
  });

  button.addEventListener('click', () => {
    open(panel.hidden);
    if (panel.hidden) return;
    picker.input.value = '';
    picker.input.focus();
    picker.input.dispatchEvent(new Event('input'));
  });
  panel.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    open(false);
    writing.focus();
  });
  panel.addEventListener('focusout', (event) => {
    if (!panel.contains(event.relatedTarget) && event.relatedTarget !== button) open(false);
  });
}

// One to one the value itself goes in; in bulk the variable does.
function fieldGroups({ fields = [], mode }, q) {
  const wanted = q.toLowerCase();
  const groups = new Map();
  for (const { key, label, module, value } of fields) {
    if (wanted && !`${label} ${key} ${module}`.toLowerCase().includes(wanted)) continue;
    const known = mode === 'one' && value !== undefined && value !== null;
    const hint = known ? value || t('field.empty') : `{{${key}}}`;
    groups.set(module, [
      ...(groups.get(module) || []),
      { id: key, label, hint, disabled: known && !value, insert: known ? value : `{{${key}}}` },
    ]);
  }
  return [...groups].map(([label, items]) => ({ label, items }));
}
