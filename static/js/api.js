// Calls to our own server: bearer token, error envelope, a session that renews
// itself.
import { page, t } from './dom.js';
import { framed, nextMessage, post } from './host.js';

/**
 * A refused call: status, code and sentence of the envelope, or the codes "network"
 * and "session_over" of our own.
 */
export class Refused extends Error {
  constructor(status, code, message, details = {}) {
    super(message);
    Object.assign(this, { status, code, details });
  }
}

const tokenElement = document.querySelector('meta[name="session-token"]');
const lifetime = Math.max(120, page.expires_in || 900) * 1000;
const keys = new Map(); // callOnce: request → Idempotency-Key
let token = tokenElement.content;
let renewal = null; // the one under way
let renewalTimer = 0;

const sessionOver = () => new Refused(401, 'session_over', t('error.session_over'));
const networkGone = () => new Refused(0, 'network', t('error.network'));

// Renews the session a minute before its end, so that no call has to fail first. A
// hidden page lets its session end; its next call renews it.
function scheduleRenewal() {
  clearTimeout(renewalTimer);
  if (!framed) return;
  const renewIfSeen = () => {
    if (!document.hidden) renew().catch(() => {});
  };
  renewalTimer = setTimeout(renewIfSeen, lifetime - 60_000);
}

/**
 * Exchanges a new launch token from the host for a new session, once for all who
 * wait.
 */
function renew() {
  renewal ??= exchange().finally(() => {
    renewal = null;
  });
  return renewal;
}

async function exchange() {
  if (!framed) throw sessionOver();
  post('token_needed');
  const { token: launch } = await nextMessage('token', 15_000).catch(() => {
    throw sessionOver();
  });
  const response = await send('POST', '/embed/api/session', { body: { token: launch } });
  if (!response.ok) throw sessionOver();
  token = (await response.json()).session_token;
  tokenElement.content = token;
  scheduleRenewal();
}

async function send(method, address, { body, headers, signal, accept, keepalive = false }) {
  const head = { Accept: accept || 'application/json', Authorization: `Bearer ${token}`, ...headers };
  const request = {
    method,
    headers: head,
    signal,
    keepalive,
    credentials: 'omit',
    cache: 'no-store',
    redirect: 'error',
  };
  if (body !== undefined) {
    head['Content-Type'] = 'application/json';
    request.body = JSON.stringify(body);
  }
  try {
    return await fetch(address, request);
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause;
    throw networkGone();
  }
}

// The server answers in English. Another language has a catalogue of its sentences.
const read = async (response) => {
  const answer = await response.json();
  if (!page.language || page.language === 'en') return answer;
  const { translated } = await import('./said.js');
  return translated(answer).catch(() => answer);
};

async function refusalOf(response) {
  const { error } = await read(response).catch(() => ({}));
  const { code, message, details = {} } = error || {};
  if (!message) return new Refused(response.status, 'unknown', t('error.unknown'), details);
  return new Refused(response.status, code, message, details);
}

/**
 * Makes one call. Resolves to the JSON (null for 204, a Blob for accept "text/csv"),
 * rejects with Refused. After a 401 it renews the session and tries once more: a
 * refused call did nothing, so no text goes twice.
 */
export async function call(method, address, options = {}) {
  let response = await send(method, address, options);
  if (response.status === 401) {
    await renew();
    response = await send(method, address, options);
    if (response.status === 401) throw sessionOver();
  }
  if (!response.ok) throw await refusalOf(response);
  scheduleRenewal();
  if (response.status === 204) return null;
  if (options.accept === 'text/csv') return response.blob();
  try {
    return await read(response);
  } catch {
    throw networkGone();
  }
}

/**
 * Makes a call that must happen once. Its Idempotency-Key is kept until an answer
 * came, so that the same call after a lost answer repeats nothing.
 */
export async function callOnce(method, address, body) {
  const request = `${method} ${address} ${JSON.stringify(body)}`;
  if (!keys.has(request)) keys.set(request, crypto.randomUUID());
  const answer = await call(method, address, { body, headers: { 'Idempotency-Key': keys.get(request) } });
  keys.delete(request);
  return answer;
}

/** Waits for a module. One that can't be fetched means that the network is gone. */
export const loaded = (module) =>
  module.catch(() => {
    throw networkGone();
  });

/** "/path" with a query; empty values are left out. */
export function path(base, query) {
  const isFilled = ([, value]) => value !== undefined && value !== null && value !== '';
  const filled = Object.entries(query).filter(isFilled);
  return filled.length ? `${base}?${new URLSearchParams(filled)}` : base;
}

/**
 * Recognizes late answers: const ask = newest(); before each call const isNewest =
 * ask(), after it isNewest() reports whether no other call was made meanwhile.
 */
export function newest() {
  let last = 0;
  return () => {
    const mine = (last += 1);
    return () => mine === last;
  };
}

scheduleRenewal();
