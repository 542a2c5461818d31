/*
 * DialpadTexting: what a CRM page includes to text with Dialpad.
 *
 *   DialpadTexting.init({app, getToken, onOpenDetail, onUpgrade, onSent})
 *     app           this app's address, as "https://texting.example.com"
 *     getToken      ({use: "popup", ctx}) => Promise of a launch token for that ctx
 *     onOpenDetail  () => …          the person goes to the app's page
 *     onUpgrade     (plans) => …     the plan lacks Dialpad; plans that have it
 *     onSent        (batch_id) => …  a text was taken
 *   DialpadTexting.bulk({module, recordIds | selection, count})
 *   DialpadTexting.text({module, recordId, number})
 *
 * After init every a[href^="tel:"] and [data-dialpad-number] that stands in (or is) an element with
 * data-module and data-record-id opens a menu with "Text", now and when it is added later.
 * Works under a strict CSP: no inline style or script; the host's own policy needs this
 * app's origin in script-src, frame-src and form-action.
 */
(() => {
  'use strict';
  const APP = 'dialpad-texting';
  const words = {/* words */};
  const NUMBERS = 'a[href^="tel:"], [data-dialpad-number]';
  let options = null;
  let origin = '';
  let popup = null; // the one open popup: {dialog, frame, wait, ctx, back, ready}
  const closed = []; // the last few, hidden: where storage is forbidden in frames, the page itself keeps the draft
  let menu = null; // the one open menu: {box, from}
  let serial = 0;

  const css = `
.dialpad-texting-popup{border:0;padding:0;border-radius:14px;overflow:hidden;width:min(460px,calc(100vw - 16px));max-width:none;max-height:none;background:Canvas;color:CanvasText;color-scheme:light dark;box-shadow:0 12px 48px rgb(12 10 24/.35);font:14px/1.45 system-ui,sans-serif}
.dialpad-texting-popup.many{width:min(560px,calc(100vw - 16px))}
.dialpad-texting-popup::backdrop{background:rgb(12 10 24/.5)}
.dialpad-texting-popup iframe{display:block;border:0;width:100%;height:440px;max-height:calc(100vh - 16px);background:transparent;color-scheme:light dark}
.dialpad-texting-popup div{display:grid;gap:12px;place-items:center;align-content:center;min-height:200px;padding:24px;text-align:center}
.dialpad-texting-popup p{margin:0}
.dialpad-texting-popup [hidden]{display:none}
.dialpad-texting-popup button{font:inherit;min-height:34px;padding:6px 14px;border-radius:8px;border:1px solid GrayText;background:ButtonFace;color:ButtonText;cursor:pointer}
.dialpad-texting-menu{position:fixed;z-index:2147483647;inset:auto;margin:0;min-width:150px;padding:4px;border-radius:10px;border:1px solid color-mix(in srgb,CanvasText 18%,Canvas);background:Canvas;color:CanvasText;color-scheme:light dark;box-shadow:0 8px 28px rgb(12 10 24/.22);font:14px/1.45 system-ui,sans-serif}
.dialpad-texting-menu a,.dialpad-texting-menu button{display:block;box-sizing:border-box;width:100%;font:inherit;text-align:left;text-decoration:none;padding:7px 12px;border:0;border-radius:7px;background:none;color:inherit;cursor:pointer}
.dialpad-texting-menu :is(a,button):is(:hover,:focus){background:color-mix(in srgb,#5a3fdc 16%,Canvas);outline:0}
.dialpad-texting-menu :is(a,button):focus-visible{outline:2px solid #7a63f0;outline-offset:-2px}
@media (forced-colors:active){.dialpad-texting-menu :is(a,button):focus{outline:2px solid Highlight}}`;

  function dress() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }

  function make(tag, attributes, text) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text) element.textContent = text;
    return element;
  }

  // --- the popup

  async function open(ctx) {
    shutPopup();
    const mine = again(ctx) || build(ctx);
    popup = mine;
    mine.back = document.activeElement;
    mine.dialog.showModal();
    if (mine.ready) {
      mine.frame.focus();
      return;
    }
    try {
      const token = await options.getToken({ use: 'popup', ctx });
      if (popup === mine) launch(mine, token);
    } catch {
      if (popup === mine) sorry(mine);
    }
  }

  function again(ctx) {
    const at = closed.findIndex((one) => JSON.stringify(one.ctx) === JSON.stringify(ctx));
    return at < 0 ? null : closed.splice(at, 1)[0];
  }

  function build(ctx) {
    const name = `dialpad-texting-${(serial += 1)}`;
    const dialog = make('dialog', {
      class: `dialpad-texting-popup${ctx.mode === 'bulk' ? ' many' : ''}`,
      'aria-label': words['sdk.title'],
    });
    const frame = make('iframe', { name, title: words['sdk.title'], referrerpolicy: 'no-referrer' });
    frame.hidden = true;
    const wait = make('div', { role: 'status' });
    wait.append(make('p', {}, words['sdk.loading']));
    dialog.append(wait, frame);
    document.body.append(dialog);
    const built = { dialog, frame, wait, ctx, back: null, ready: false };
    dialog.addEventListener('close', () => {
      if (popup === built && !dialog.open) shutPopup();
    });
    return built;
  }

  // The token travels in a form's body: never in an address, a log or a referrer.
  function launch({ frame }, token) {
    const form = make('form', { method: 'post', action: `${options.app}/embed/popup`, target: frame.name });
    form.hidden = true;
    const field = make('input', { type: 'hidden', name: 'token' });
    field.value = token;
    form.append(field);
    document.body.append(form);
    form.submit();
    form.remove();
    // A refused launch is a page without script, which never says ready: show what there is.
    frame.addEventListener('load', reveal);
  }

  function reveal() {
    if (!popup) return;
    popup.wait.hidden = true;
    popup.frame.hidden = false;
  }

  function sorry({ dialog, wait }) {
    const close = make('button', { type: 'button' }, words['sdk.close']);
    close.addEventListener('click', () => dialog.close());
    wait.setAttribute('role', 'alert');
    wait.replaceChildren(make('p', {}, words['sdk.failed']), close);
    close.focus();
  }

  function shutPopup() {
    if (!popup) return;
    const { dialog, back, ready } = popup;
    if (ready) closed.unshift(popup);
    else dialog.remove();
    popup = null;
    dialog.close();
    for (const old of closed.splice(3)) old.dialog.remove();
    if (back && back.isConnected) back.focus();
  }

  const answers = {
    ready() {
      popup.ready = true;
      reveal();
      popup.frame.focus();
    },
    resize({ height }) {
      if (Number.isFinite(height)) popup.frame.style.height = `${Math.max(160, height)}px`;
    },
    close() {
      shutPopup();
    },
    sent({ batch_id: id }) {
      if (options.onSent) options.onSent(id);
    },
    open_detail() {
      if (options.onOpenDetail) options.onOpenDetail();
    },
    upgrade({ plans }) {
      if (options.onUpgrade) options.onUpgrade(plans || []);
    },
    async token_needed() {
      const { ctx, frame } = popup;
      try {
        const token = await options.getToken({ use: 'popup', ctx });
        frame.contentWindow.postMessage({ app: APP, type: 'token', token }, origin);
      } catch {
        /* no token, no answer: the popup says that its session is over */
      }
    },
  };

  function heard(event) {
    if (!popup || event.origin !== origin || event.source !== popup.frame.contentWindow) return;
    const message = event.data;
    if (message && message.app === APP && Object.hasOwn(answers, message.type))
      answers[message.type](message);
  }

  // --- the menu of a number

  /** {number, tel, module, recordId} of an element, or null where it names no record or number. */
  function target(element) {
    const record = element.closest('[data-record-id]');
    const module = element.closest('[data-module]');
    const tel = (element.getAttribute('href') || '').startsWith('tel:') ? element.getAttribute('href') : '';
    const number = element.dataset.dialpadNumber || decodeURIComponent(tel.slice(4));
    if (!record || !module || !number) return null;
    return { number, tel, module: module.dataset.module, recordId: record.dataset.recordId };
  }

  function openMenu(element, about) {
    shutMenu(false);
    const box = make('div', {
      class: 'dialpad-texting-menu',
      role: 'menu',
      'aria-label': words['sdk.menu'].replace('{number}', element.textContent.trim() || about.number),
    });
    const text = make('button', { type: 'button', role: 'menuitem', tabindex: '-1' }, words['sdk.text']);
    text.addEventListener('click', () => {
      shutMenu(true);
      api.text(about);
    });
    box.append(text);
    if (about.tel) {
      const phone = make(
        'a',
        { href: about.tel, role: 'menuitem', tabindex: '-1', 'data-dialpad-menu': '' },
        words['sdk.call'],
      );
      phone.addEventListener('click', () => shutMenu(true));
      box.append(phone);
    }
    box.addEventListener('keydown', menuKeys);
    if ('popover' in box) box.popover = 'manual'; // above a dialog of the host
    (element.closest('dialog') || document.body).append(box);
    if (box.showPopover) box.showPopover();
    menu = { box, from: element };
    element.setAttribute('aria-expanded', 'true');
    stand(box, element);
    text.focus();
  }

  function stand(box, element) {
    const at = element.getBoundingClientRect();
    const below = at.bottom + 4 + box.offsetHeight <= window.innerHeight;
    box.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - box.offsetWidth - 8))}px`;
    box.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - 4 - box.offsetHeight)}px`;
  }

  function shutMenu(refocus) {
    if (!menu) return;
    const { box, from } = menu;
    menu = null;
    box.remove();
    from.setAttribute('aria-expanded', 'false');
    if (refocus) from.focus();
  }

  function menuKeys(event) {
    const items = [...menu.box.children];
    const at = items.indexOf(document.activeElement);
    const go = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[
      event.key
    ];
    if (go !== undefined) {
      event.preventDefault();
      items[go % items.length].focus();
    } else if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      shutMenu(true);
    } else if (event.key === 'Tab') shutMenu(true);
  }

  function clicked(event) {
    if (menu && !menu.box.contains(event.target)) shutMenu(false);
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.ctrlKey ||
      event.metaKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    const element = event.target.closest && event.target.closest(NUMBERS);
    if (!element || element.hasAttribute('data-dialpad-menu')) return;
    const about = target(element);
    if (!about) return;
    event.preventDefault();
    openMenu(element, about);
  }

  // Numbers that are no link need a way in by keyboard, and all say that a menu opens.
  function prepare(root) {
    const found = root.querySelectorAll ? [...root.querySelectorAll(NUMBERS)] : [];
    if (root.matches && root.matches(NUMBERS)) found.push(root);
    for (const element of found) {
      if (
        element.hasAttribute('data-dialpad-menu') ||
        element.hasAttribute('aria-haspopup') ||
        !target(element)
      )
        continue;
      element.setAttribute('aria-haspopup', 'menu');
      element.setAttribute('aria-expanded', 'false');
      if (element.matches('a[href], button')) continue;
      element.setAttribute('role', 'button');
      element.tabIndex = 0;
    }
  }

  function keyed(event) {
    const element = event.target;
    if (
      (event.key !== 'Enter' && event.key !== ' ') ||
      !element.matches ||
      !element.matches('[data-dialpad-number][role=button]:not(a, button)')
    )
      return;
    event.preventDefault();
    element.click();
  }

  function watch() {
    prepare(document);
    const seen = new MutationObserver((changes) => {
      for (const change of changes) {
        if (change.type === 'attributes') prepare(change.target);
        else for (const node of change.addedNodes) if (node.nodeType === 1) prepare(node);
      }
    });
    seen.observe(document.documentElement, {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: ['href', 'data-dialpad-number', 'data-record-id', 'data-module'],
    });
    document.addEventListener('click', clicked);
    document.addEventListener('keydown', keyed);
    for (const moved of ['scroll', 'resize']) window.addEventListener(moved, () => shutMenu(false), true);
  }

  const needsInit = () => {
    if (!options) throw new Error('DialpadTexting.init was not called');
  };

  const api = {
    init(given) {
      if (!given || !given.app || typeof given.getToken !== 'function')
        throw new TypeError('DialpadTexting.init needs app and getToken');
      const again = options !== null;
      const url = new URL(given.app, window.location.href);
      options = { ...given, app: (url.origin + url.pathname).replace(/\/$/, '') };
      origin = url.origin;
      if (again) return;
      dress();
      watch();
      window.addEventListener('message', heard);
    },
    text({ module, recordId, number }) {
      needsInit();
      return open({ mode: 'one', module, record_ids: [String(recordId)], to_number: number });
    },
    bulk({ module, recordIds, selection, count }) {
      needsInit();
      const whom = selection ? { selection, count } : { record_ids: recordIds.map(String) };
      return open({ mode: 'bulk', module, ...whom });
    },
  };

  Object.defineProperty(window, 'DialpadTexting', { value: Object.freeze(api), configurable: true });
})();
