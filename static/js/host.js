// Messages between us and the CRM page around us: its exact origin and window,
// nothing else.
import { page } from './dom.js';

const APP = 'dialpad-texting';

/** True inside the CRM's frame. */
export const framed = window.parent !== window;

export function post(type, more = {}) {
  if (framed) window.parent.postMessage({ app: APP, type, ...more }, page.crm_origin);
}

/**
 * Resolves to the next message of a type from the CRM; rejects when none comes within
 * ms.
 */
export function nextMessage(type, ms) {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener('message', listener);
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error(`no ${type} from the host`));
    }, ms);
    const listener = ({ origin, source, data }) => {
      if (origin !== page.crm_origin || source !== window.parent) return;
      if (!data || data.app !== APP || data.type !== type) return;
      end();
      resolve(data);
    };
    window.addEventListener('message', listener);
  });
}

/**
 * Makes a reload ask for the page itself, by its cookie. Without it a reload would
 * send the launch form again, with a token that was used.
 */
export function forgetLaunch() {
  window.history.replaceState(window.history.state, '', window.location.href);
}

/**
 * Tells the CRM where in this page somebody is: it may launch us there again after a
 * reload, with this query.
 */
export const postPlace = () => post('place', { query: window.location.search.replace(/^\?/, '') });

/** Sends our height to the CRM, now and at each change. */
export function followHeight(element) {
  let last = 0;
  const report = () => {
    const height = Math.ceil(element.getBoundingClientRect().height);
    if (height && height !== last) post('resize', { height: (last = height) });
  };
  new ResizeObserver(report).observe(element);
  report();
}

/**
 * Shows the offer of other plans: the CRM's own in its frame, else the upgrade page.
 */
export function upgrade(plans) {
  if (framed) post('upgrade', { plans });
  else if (page.upgrade_url) window.location.assign(page.upgrade_url);
}
