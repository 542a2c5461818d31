// Talking to the CRM page around us: exact origin, exact window, nothing else is heard.
import { page } from './dom.js';

const APP = 'dialpad-texting';

/** Are we in the CRM's frame? */
export const framed = window.parent !== window;

export function post(type, more = {}) {
  if (framed) window.parent.postMessage({ app: APP, type, ...more }, page.crm_origin);
}

/** The next message of a type from the host; rejects when none comes in time. */
export function once(type, ms) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      stop();
      reject(new Error(`no ${type} from the host`));
    }, ms);
    const stop = on(type, (message) => {
      clearTimeout(late);
      stop();
      resolve(message);
    });
  });
}

export function on(type, heard) {
  const listener = (event) => {
    if (event.origin !== page.crm_origin || event.source !== window.parent) return;
    if (event.data && event.data.app === APP && event.data.type === type) heard(event.data);
  };
  window.addEventListener('message', listener);
  return () => window.removeEventListener('message', listener);
}

/**
 * A page that was launched is the answer to a form, which a reload would send again: with a token that was used.
 * From here on a reload asks for the page itself, by its cookie.
 */
export function forgetLaunch() {
  window.history.replaceState(window.history.state, '', window.location.href);
}

/** Tells the host how high we are, now and at each change. */
export function followHeight(element) {
  let last = 0;
  const tell = () => {
    const height = Math.ceil(element.getBoundingClientRect().height);
    if (height && height !== last) post('resize', { height: (last = height) });
  };
  new ResizeObserver(tell).observe(element);
  tell();
}

/** Plan missing: the host shows its own offer; outside a frame we go there. */
export function upgrade(plans) {
  if (framed) post('upgrade', { plans });
  else if (page.upgrade_url) window.location.assign(page.upgrade_url);
}
