// What a person can put into a text: a template, a field.
import { call, path } from './api.js';
import { fold } from './checks.js';
import { fill } from './chips.js';
import { combobox } from './combobox.js';
import { $, announce, link, note, t } from './dom.js';
import { favouriteTemplates, recentTemplates, rememberTemplate, toggleFavourite } from './draft.js';

/**
 * Makes the template picker work. context() has the fields, in one to one with their
 * values; onProblem gets the sentence of a refusal.
 */
export function wireTemplates(writing, context, onProblem) {
  const input = $('#template');
  combobox({ root: $('#templates'), load: (q, cursor) => loadTemplates(q, cursor, readable(context())), pick });
  input.addEventListener('focus', () => input.select());

  async function pick({ id, label }) {
    input.value = label;
    const before = writing.get();
    try {
      const { text, problems = [] } = await call('POST', '/embed/api/render', { body: { template_id: id } });
      rememberTemplate(id);
      offerFavourite(id, label);
      writing.set(text);
      const others = problems.filter(({ code }) => code !== 'empty'); // those are gaps
      const remarks = others.map(({ message }) => note('warn', message));
      if (before && before !== text) remarks.push(undoNote(before));
      writing.remark(...remarks);
      announce(t('template.filled', { name: label }));
      if (!writing.jumpToGap()) writing.focus();
    } catch (refusal) {
      input.value = '';
      onProblem(refusal.message);
    }
  }

  function undoNote(before) {
    const undo = () => {
      input.value = '';
      writing.remark();
      writing.set(before);
      writing.focus();
    };
    return note('', t('template.replaced'), ' ', link(t('template.undo'), undo));
  }
}

/** A template as it reads here: with this person's values, or with the fields' labels. */
function readable({ fields = [], mode }) {
  const known = new Map(fields.map((field) => [field.key, field]));
  const gap = (key) => `[${known.get(key)?.label || key}]`;
  return (body) => fill(body, (key, fallback) => (mode === 'one' && known.get(key)?.value) || (mode === 'one' && fallback) || gap(key));
}

/** The button that makes a template a favourite, or no longer. */
function offerFavourite(id, name) {
  const star = $('#favourite');
  const draw = () => {
    const isFavourite = favouriteTemplates().includes(id);
    star.hidden = false;
    star.textContent = isFavourite ? '★' : '☆';
    star.setAttribute('aria-pressed', String(isFavourite));
    star.setAttribute('aria-label', t('template.favourite', { name }));
    star.title = t(isFavourite ? 'template.unfavourite' : 'template.favour');
  };
  star.onclick = () => {
    toggleFavourite(id);
    draw();
  };
  draw();
}

/** A page of templates by folder; the first one begins with favourites and those used last. */
async function loadTemplates(q, cursor, read) {
  const { templates, next } = await call('GET', path('/embed/api/templates', { q, cursor }));
  const item = ({ id, name, body }) => ({ id: String(id), label: name, hint: read(body) });
  const folders = Map.groupBy(templates, ({ folder }) => folder || t('template.no_folder'));
  const groups = [...folders].map(([label, list]) => ({ label, items: list.map(item) }));
  if (q || cursor) return { groups, next };
  const known = new Map(templates.map((one) => [String(one.id), item(one)]));
  const picked = (ids) => ids.flatMap((id) => known.get(id) ?? []);
  const first = [
    { label: t('template.favourites'), items: picked(favouriteTemplates()) },
    { label: t('template.recent'), items: picked(recentTemplates()) },
  ];
  return { groups: [...first, ...groups], next };
}

/**
 * Makes the { } button and its panel work; context() has the fields, in one to one
 * with their values.
 */
export function wireFields(writing, context) {
  const panel = $('#fields');
  const opener = $('#insert');
  const show = (open) => {
    panel.hidden = !open;
    opener.setAttribute('aria-expanded', String(open));
  };
  const { input } = combobox({
    root: panel,
    standing: true,
    load: (q) => ({ groups: fieldGroups(context(), q) }),
    pick: ({ insert }) => {
      show(false);
      writing.insert(insert);
    },
  });

  opener.addEventListener('click', () => {
    show(panel.hidden);
    if (panel.hidden) return;
    input.value = '';
    input.focus();
    input.dispatchEvent(new Event('input'));
  });
  panel.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    show(false);
    writing.focus();
  });
  panel.addEventListener('focusout', (event) => {
    if (!panel.contains(event.relatedTarget) && event.relatedTarget !== opener) show(false);
  });
}

function fieldGroups({ fields = [], mode }, q) {
  const wanted = fold(q);
  const found = fields.filter(({ key, label, module }) => fold(`${label} ${key} ${module}`).includes(wanted));
  const modules = Map.groupBy(found, ({ module }) => module);
  return [...modules].map(([label, list]) => ({ label, items: list.map((one) => fieldItem(one, mode)) }));
}

// One to one the value itself goes into the text; in bulk the variable does.
function fieldItem({ key, label, value }, mode) {
  const variable = `{{${key}}}`;
  const isKnown = mode === 'one' && value !== undefined && value !== null;
  if (!isKnown) return { id: key, label, hint: t('field.each'), insert: variable };
  return { id: key, label, hint: value || t('field.empty'), disabled: !value, insert: value };
}
