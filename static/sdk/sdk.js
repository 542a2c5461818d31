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
 * After init every a[href^="tel:"] and [data-dialpad-number] in (or on) an element with data-module and
 * data-record-id opens a menu with "Text", also when it is added later.
 * Works under a strict CSP: no inline style or script. The page's own policy needs this app's origin in
 * script-src, frame-src and form-action.
 */
(() => {
  'use strict';
  const APP = 'dialpad-texting';
  const catalogues = {/* words */}; // by language
  // The language of the page around, as far as there are words for it.
  const languages = [document.documentElement.lang, navigator.language].map((tag) => (tag || '').slice(0, 2).toLowerCase());
  const words = catalogues[languages.find((language) => catalogues[language])] || catalogues.en;
  const NUMBERS = 'a[href^="tel:"], [data-dialpad-number]';
  const MAX_CLOSED = 3;
  let options = null; // as given to init
  let origin = ''; // of the app
  let popup = null; // the one open popup: {dialog, frame, wait, ctx, opener, ready}
  let menu = null; // the one open menu: {box, region, opener}
  let popups = 0; // for names
  // The last closed popups, hidden. Where a browser forbids storage in frames, the page in
  // the frame itself keeps the draft.
  const closed = [];

  const css = '/* styles */';

  function addStyles() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  }

  function createElement(tag, attributes, text) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text) element.textContent = text;
    return element;
  }

  // --- the popup

  async function open(ctx) {
    closePopup();
    const opened = takeClosed(ctx) || build(ctx);
    popup = opened;
    opened.opener = document.activeElement;
    opened.dialog.showModal();
    if (opened.ready) {
      opened.frame.focus();
      return;
    }
    try {
      const token = await options.getToken({ use: 'popup', ctx });
      if (popup === opened) launch(opened, token);
    } catch {
      if (popup === opened) showFailure(opened);
    }
  }

  /** The hidden popup for the same records, or null. */
  function takeClosed(ctx) {
    const at = closed.findIndex((old) => JSON.stringify(old.ctx) === JSON.stringify(ctx));
    return at < 0 ? null : closed.splice(at, 1)[0];
  }

  function build(ctx) {
    const name = `dialpad-texting-${(popups += 1)}`;
    const dialog = createElement('dialog', {
      class: `dialpad-texting-popup${ctx.mode === 'bulk' ? ' many' : ''}`,
      'aria-label': words['sdk.title'],
    });
    const frame = createElement('iframe', { name, title: words['sdk.title'], referrerpolicy: 'no-referrer' });
    frame.hidden = true;
    const wait = createElement('div', { role: 'status' });
    wait.append(createElement('p', {}, words['sdk.loading']));
    dialog.append(wait, frame);
    document.body.append(dialog);
    const built = { dialog, frame, wait, ctx, opener: null, ready: false };
    dialog.addEventListener('close', () => {
      if (popup === built && !dialog.open) closePopup();
    });
    return built;
  }

  // The token travels in a form's body: never in an address, a log or a referrer.
  function launch({ frame }, token) {
    const form = createElement('form', {
      method: 'post',
      action: `${options.app}/embed/popup`,
      target: frame.name,
    });
    form.hidden = true;
    const field = createElement('input', { type: 'hidden', name: 'token' });
    field.value = token;
    form.append(field);
    document.body.append(form);
    form.submit();
    form.remove();
    // A refused launch is a page without script, which never posts "ready": show what there is.
    frame.addEventListener('load', showFrame);
  }

  function showFrame() {
    if (!popup) return;
    popup.wait.hidden = true;
    popup.frame.hidden = false;
  }

  function showFailure({ dialog, wait }) {
    const close = createElement('button', { type: 'button' }, words['sdk.close']);
    close.addEventListener('click', () => dialog.close());
    wait.setAttribute('role', 'alert');
    wait.replaceChildren(createElement('p', {}, words['sdk.failed']), close);
    close.focus();
  }

  function closePopup() {
    if (!popup) return;
    const { dialog, opener, ready } = popup;
    if (ready) closed.unshift(popup);
    else dialog.remove();
    popup = null;
    dialog.close();
    for (const old of closed.splice(MAX_CLOSED)) old.dialog.remove();
    if (opener && opener.isConnected) opener.focus();
  }

  // What the page in the frame may post to us.
  const messages = {
    ready() {
      popup.ready = true;
      showFrame();
      popup.frame.focus();
    },
    resize({ height }) {
      if (Number.isFinite(height)) popup.frame.style.height = `${Math.max(160, height)}px`;
    },
    close() {
      closePopup();
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
        // no token, no answer: the popup says that its session is over
      }
    },
  };

  function onMessage(event) {
    if (!popup || event.origin !== origin || event.source !== popup.frame.contentWindow) return;
    const message = event.data;
    if (!message || message.app !== APP || !Object.hasOwn(messages, message.type)) return;
    messages[message.type](message);
  }

  // --- the menu of a number

  /** {number, tel, module, recordId} of an element, or null where it names no record or number. */
  function numberOf(element) {
    const record = element.closest('[data-record-id]');
    const module = element.closest('[data-module]');
    const tel = (element.getAttribute('href') || '').startsWith('tel:') ? element.getAttribute('href') : '';
    const number = element.dataset.dialpadNumber || decodeURIComponent(tel.slice(4));
    if (!record || !module || !number) return null;
    return { number, tel, module: module.dataset.module, recordId: record.dataset.recordId };
  }

  function openMenu(element, about) {
    closeMenu(false);
    const box = createElement('div', {
      class: 'dialpad-texting-menu',
      role: 'menu',
      'aria-label': words['sdk.menu'].replace('{number}', element.textContent.trim() || about.number),
    });
    const item = { role: 'menuitem', tabindex: '-1' };
    const text = createElement('button', { ...item, type: 'button' }, words['sdk.text']);
    text.addEventListener('click', () => {
      closeMenu(true);
      api.text(about);
    });
    box.append(text);
    if (about.tel) {
      const call = createElement(
        'a',
        { ...item, href: about.tel, 'data-dialpad-menu': '' },
        words['sdk.call'],
      );
      call.addEventListener('click', () => closeMenu(true));
      box.append(call);
    }
    box.addEventListener('keydown', onMenuKeydown);
    if ('popover' in box) box.popover = 'manual'; // above a dialog of the host
    // A landmark of its own: the page's may end above the menu.
    const region = createElement('div', { role: 'region', 'aria-label': words['sdk.region'] });
    region.append(box);
    (element.closest('dialog') || document.body).append(region);
    if (box.showPopover) box.showPopover();
    menu = { box, region, opener: element };
    element.setAttribute('aria-expanded', 'true');
    placeMenu(box, element);
    text.focus();
  }

  function placeMenu(box, element) {
    const at = element.getBoundingClientRect();
    const below = at.bottom + 4 + box.offsetHeight <= window.innerHeight;
    box.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - box.offsetWidth - 8))}px`;
    box.style.top = `${below ? at.bottom + 4 : Math.max(8, at.top - 4 - box.offsetHeight)}px`;
  }

  function closeMenu(returnFocus) {
    if (!menu) return;
    const { region, opener } = menu;
    menu = null;
    region.remove();
    opener.setAttribute('aria-expanded', 'false');
    if (returnFocus) opener.focus();
  }

  function onMenuKeydown(event) {
    const items = [...menu.box.children];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      items.at(to % items.length).focus();
    } else if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      closeMenu(true);
    } else if (event.key === 'Tab') closeMenu(true);
  }

  function onClick(event) {
    if (menu && !menu.box.contains(event.target)) closeMenu(false);
    const hasModifier = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (event.defaultPrevented || event.button !== 0 || hasModifier) return;
    const element = event.target.closest && event.target.closest(NUMBERS);
    if (!element || element.hasAttribute('data-dialpad-menu')) return;
    const about = numberOf(element);
    if (!about) return;
    event.preventDefault();
    openMenu(element, about);
  }

  // Makes numbers that are no link reachable by keyboard; all of them say that a menu opens.
  function prepare(root) {
    const found = root.querySelectorAll ? [...root.querySelectorAll(NUMBERS)] : [];
    if (root.matches && root.matches(NUMBERS)) found.push(root);
    for (const element of found) {
      if (element.matches('[data-dialpad-menu], [aria-haspopup]') || !numberOf(element)) continue;
      element.setAttribute('aria-haspopup', 'menu');
      element.setAttribute('aria-expanded', 'false');
      if (element.matches('a[href], button')) continue;
      element.setAttribute('role', 'button');
      element.tabIndex = 0;
    }
  }

  function onKeydown(event) {
    const element = event.target;
    if ((event.key !== 'Enter' && event.key !== ' ') || !element.matches) return;
    if (!element.matches('[data-dialpad-number][role=button]:not(a, button)')) return;
    event.preventDefault();
    element.click();
  }

  function watch() {
    prepare(document);
    const observer = new MutationObserver((changes) => {
      for (const change of changes) {
        if (change.type === 'attributes') prepare(change.target);
        else for (const node of change.addedNodes) if (node.nodeType === 1) prepare(node);
      }
    });
    observer.observe(document.documentElement, {
      childList: true,
      subtree: true,
      attributes: true,
      attributeFilter: ['href', 'data-dialpad-number', 'data-record-id', 'data-module'],
    });
    document.addEventListener('click', onClick);
    document.addEventListener('keydown', onKeydown);
    for (const moved of ['scroll', 'resize']) window.addEventListener(moved, () => closeMenu(false), true);
  }

  const requireInit = () => {
    if (!options) throw new Error('DialpadTexting.init was not called');
  };

  const api = {
    init(given) {
      if (!given || !given.app || typeof given.getToken !== 'function') {
        throw new TypeError('DialpadTexting.init needs app and getToken');
      }
      const isFirst = options === null;
      const url = new URL(given.app, window.location.href);
      options = { ...given, app: (url.origin + url.pathname).replace(/\/$/, '') };
      origin = url.origin;
      if (!isFirst) return;
      addStyles();
      watch();
      window.addEventListener('message', onMessage);
    },
    text({ module, recordId, number }) {
      requireInit();
      return open({ mode: 'one', module, record_ids: [String(recordId)], to_number: number });
    },
    bulk({ module, recordIds, selection, count }) {
      requireInit();
      const recipients = selection ? { selection, count } : { record_ids: recordIds.map(String) };
      return open({ mode: 'bulk', module, ...recipients });
    },
  };

  Object.defineProperty(window, 'DialpadTexting', { value: Object.freeze(api), configurable: true });
})();
