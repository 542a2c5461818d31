// The dialogs of the app page: upgrade, "are you sure", and the menu beside the main button.
import { $, h, icon, note, t } from './dom.js';
import { framed } from './host.js';

export const openDialog = () => $('dialog[open]');

/**
 * Opens it where it is seen. The host makes our frame as high as the page, so the middle of the frame may be far out
 * of sight; what is in sight only an observer tells, and it has to before showModal scrolls to what gets the focus.
 * [data-first] gets it: browsers ignore autofocus in frames of another site.
 */
export function showDialog(dialog) {
  const from = document.activeElement;
  const open = () => {
    if (dialog.open) return;
    dialog.addEventListener('close', () => giveBack(from), { once: true });
    dialog.showModal();
    $('[data-first]', dialog)?.focus();
  };
  if (!framed) {
    open();
    return;
  }
  new IntersectionObserver(([{ intersectionRect: seen }], observer) => {
    observer.disconnect();
    dialog.style.maxHeight = dialog.style.marginBlockStart = '';
    if (seen.height > 200) {
      // else hardly anything of us is in sight, and scrolling there is right
      const above = Math.max(12, Math.min(96, seen.height / 8));
      dialog.style.maxHeight = `${seen.height - above - 12}px`;
      dialog.style.marginBlockStart = `${seen.top + above}px`;
    }
    open();
  }).observe(document.documentElement);
}

// The browser gives the focus back to what had it, unless that was drawn anew meanwhile: then its successor gets it.
function giveBack(from) {
  if (document.activeElement !== document.body) return;
  const { act } = from.dataset;
  ((act && $(`[data-act="${CSS.escape(act)}"]`)) || (from.isConnected ? from : $('#title, #next')))?.focus();
}

function fill(dialog, ...content) {
  $('div', dialog).replaceChildren(...content.filter(Boolean));
  showDialog(dialog);
}

/** Plan comparison; go() is "Upgrade". */
export function upgradeDialog(dialog, { status, able, go }) {
  const mine = status.plan && status.plan.key;
  const plans = (status.plans || []).map((plan) => {
    const has = plan.includes_dialpad || able.includes(plan.key);
    return h(
      'li',
      { class: `${has ? 'has' : ''} ${plan.key === mine ? 'mine' : ''}`.trim() },
      h('strong', {}, plan.name || plan.key),
      h(
        'span',
        { class: `badge ${has ? 'good' : ''}` },
        icon(has ? 'check' : 'minus'),
        t(has ? 'upgrade.has' : 'upgrade.lacks'),
      ),
      plan.key === mine ? h('small', {}, t('upgrade.mine')) : null,
    );
  });
  fill(
    dialog,
    h('h2', { id: 'upgrade-title' }, t('upgrade.title')),
    h('p', {}, t('upgrade.what', { plan: (status.plan && (status.plan.name || status.plan.key)) || '' })),
    plans.length ? h('ul', { class: 'plans' }, plans) : null,
    status.installed ? null : h('p', { class: 'soft' }, t('upgrade.nothing')),
    h(
      'div',
      { class: 'row end' },
      h('button', { type: 'button', onclick: () => dialog.close() }, t('upgrade.later')),
      h(
        'button',
        {
          type: 'button',
          class: 'primary',
          'data-first': '',
          onclick: () => {
            dialog.close();
            go();
          },
        },
        t('upgrade.go'),
      ),
    ),
  );
}

/** Says what will happen, then run() on yes; a refusal is said in the dialog. */
export function confirmDialog(dialog, { title, lines, count, yes, no = t('page.cancel'), run }) {
  const place = h('div', { role: 'alert' });
  const sure = h('button', { type: 'button', class: 'danger' }, yes);
  sure.addEventListener('click', async () => {
    sure.disabled = true;
    try {
      await run();
      dialog.close();
    } catch (refused) {
      place.replaceChildren(note('bad', refused.message));
    } finally {
      sure.disabled = false;
    }
  });
  fill(
    dialog,
    h('h2', { id: 'confirm-title' }, title),
    count ? note('warn', count) : null,
    lines.length
      ? h(
          'ul',
          { class: 'ticks' },
          lines.map((line) => h('li', {}, line)),
        )
      : null,
    place,
    h(
      'div',
      { class: 'row end' },
      h('button', { type: 'button', 'data-first': '', onclick: () => dialog.close() }, no),
      sure,
    ),
  );
}

/** A button that opens a menu (APG "Menu Button"). */
export function menuButton(label, items) {
  const list = h('div', { role: 'menu', 'aria-label': label, hidden: true });
  const button = h(
    'button',
    {
      type: 'button',
      class: 'icon',
      'aria-haspopup': 'menu',
      'aria-expanded': 'false',
      'aria-label': label,
      title: label,
    },
    icon('dots'),
  );
  const root = h('div', { class: 'menu' }, button, list);
  const open = (yes) => {
    list.hidden = !yes;
    button.setAttribute('aria-expanded', String(yes));
  };
  list.append(
    ...items.map(({ label: text, run }) =>
      h(
        'button',
        {
          type: 'button',
          role: 'menuitem',
          tabindex: '-1',
          onclick: () => {
            open(false);
            button.focus();
            run();
          },
        },
        text,
      ),
    ),
  );
  button.addEventListener('click', () => {
    open(list.hidden);
    if (!list.hidden) list.firstChild.focus();
  });
  root.addEventListener('keydown', (event) => {
    const all = [...list.children];
    const at = all.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      open(true);
      all.at(next % all.length).focus();
    }
    if (event.key === 'Escape' && !list.hidden) {
      event.stopPropagation();
      open(false);
      button.focus();
    }
  });
  root.addEventListener('focusout', (event) => {
    if (!root.contains(event.relatedTarget)) open(false);
  });
  return root;
}
