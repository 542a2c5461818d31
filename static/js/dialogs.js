// The dialogs of the large pages: upgrade, "are you sure", and the menu beside the
// main button.
import { $, badge, button, buttonRow, h, icon, note, refusalNote, t } from './dom.js';
import { framed } from './host.js';

// With less of the page in sight than this (in pixels), scrolling to the dialog is
// right.
const MIN_VISIBLE = 200;

export const openDialog = () => $('dialog[open]');

/**
 * Opens a dialog where it is seen. The CRM makes our frame as high as the page, so
 * the middle of the frame may be far out of sight. Only an observer knows what is in
 * sight, and it has to say so before showModal scrolls to the element that gets the
 * focus. [data-first] gets it: browsers ignore autofocus in frames of another site.
 */
export function showDialog(dialog) {
  const opener = document.activeElement;
  const open = () => {
    if (dialog.open) return;
    dialog.addEventListener('close', () => returnFocus(opener), { once: true });
    dialog.showModal();
    $('[data-first]', dialog)?.focus();
  };
  if (!framed) {
    open();
    return;
  }
  new IntersectionObserver(([{ intersectionRect: visible }], observer) => {
    observer.disconnect();
    dialog.style.maxHeight = dialog.style.marginBlockStart = '';
    if (visible.height > MIN_VISIBLE) {
      const above = Math.max(12, Math.min(96, visible.height / 8));
      dialog.style.maxHeight = `${visible.height - above - 12}px`;
      dialog.style.marginBlockStart = `${visible.top + above}px`;
    }
    open();
  }).observe(document.documentElement);
}

// The browser gives the focus back to the opener, unless that was replaced meanwhile:
// then its successor gets it.
function returnFocus(opener) {
  if (document.activeElement !== document.body) return;
  const { act } = opener.dataset;
  const successor = act && $(`[data-act="${CSS.escape(act)}"]`);
  const remains = opener.isConnected && opener !== document.body; // it had lost the focus already
  (successor || (remains ? opener : $('#title, #next')))?.focus();
}

function fill(dialog, ...content) {
  $('div', dialog).replaceChildren(...content.filter(Boolean));
  showDialog(dialog);
}

/** Compares the plans; go() is "Upgrade". */
export function upgradeDialog(dialog, { status, able, go }) {
  const { plan, plans = [], installed } = status;
  const items = plans.map((one) => {
    const has = one.includes_dialpad || able.includes(one.key);
    return planItem(one, has, plan && plan.key === one.key);
  });
  const upgrade = () => {
    dialog.close();
    go();
  };
  fill(
    dialog,
    h('h2', { id: 'upgrade-title' }, t('upgrade.title')),
    h('p', {}, t('upgrade.what', { plan: (plan && (plan.name || plan.key)) || '' })),
    items.length ? h('ul', { class: 'plans' }, items) : null,
    installed ? null : h('p', { class: 'soft' }, t('upgrade.nothing')),
    buttonRow(
      button(t('upgrade.later'), { onclick: () => dialog.close() }),
      button(t('upgrade.go'), { class: 'primary', 'data-first': '', onclick: upgrade }),
    ),
  );
}

function planItem({ key, name }, has, isMine) {
  return h(
    'li',
    { class: `${has ? 'has' : ''} ${isMine ? 'mine' : ''}`.trim() },
    h('strong', {}, name || key),
    badge(has ? 'good' : '', icon(has ? 'check' : 'minus'), t(has ? 'upgrade.has' : 'upgrade.lacks')),
    isMine ? h('small', {}, t('upgrade.mine')) : null,
  );
}

/**
 * Says what will happen, then calls run() on yes. A refusal is shown in the dialog.
 */
export function confirmDialog(dialog, { title, lines, warning, yes, no = t('page.cancel'), run }) {
  const problem = h('div', { role: 'alert' });
  const confirm = button(yes, { class: 'danger' });
  confirm.addEventListener('click', async () => {
    confirm.disabled = true;
    try {
      await run();
      dialog.close();
    } catch (refusal) {
      problem.replaceChildren(refusalNote(refusal));
    } finally {
      confirm.disabled = false;
    }
  });
  const items = lines.map((line) => h('li', {}, line));
  fill(
    dialog,
    h('h2', { id: 'confirm-title' }, title),
    warning ? note('warn', warning) : null,
    items.length ? h('ul', { class: 'ticks' }, items) : null,
    problem,
    buttonRow(button(no, { 'data-first': '', onclick: () => dialog.close() }), confirm),
  );
}

/** A button that opens a menu of {label, run} (WAI-ARIA APG, "Menu Button"). */
export function menuButton(label, items) {
  const list = h('div', { role: 'menu', 'aria-label': label, hidden: true });
  const opener = button(icon('dots'), {
    class: 'icon',
    'aria-haspopup': 'menu',
    'aria-expanded': 'false',
    'aria-label': label,
    title: label,
  });
  const root = h('div', { class: 'menu' }, opener, list);
  const show = (open) => {
    list.hidden = !open;
    opener.setAttribute('aria-expanded', String(open));
  };
  const choose = (run) => () => {
    show(false);
    opener.focus();
    run();
  };
  const item = ({ label: text, run }) =>
    button(text, { role: 'menuitem', tabindex: '-1', onclick: choose(run) });
  list.append(...items.map(item));
  opener.addEventListener('click', () => {
    show(list.hidden);
    if (!list.hidden) list.firstChild.focus();
  });
  root.addEventListener('keydown', (event) => {
    const all = [...list.children];
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      show(true);
      all.at(to % all.length).focus();
    } else if (event.key === 'Escape' && !list.hidden) {
      event.stopPropagation();
      show(false);
      opener.focus();
    }
  });
  root.addEventListener('focusout', (event) => {
    if (!root.contains(event.relatedTarget)) show(false);
  });
  return root;
}
