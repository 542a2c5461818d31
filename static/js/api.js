// Calls to our own server: bearer, error envelope, a session that renews itself.
import { page, t } from './dom.js';
import { framed, post, once } from './host.js';

/** A refusal: code and sentence from the envelope, or 'network' / 'session_over' of our own. */
export class Refused extends Error {
  constructor(status, code, message, details = {}) {
    super(message);
    Object.assign(this, { status, code, details });
  }
}

const meta = document.querySelector('meta[name="session-token"]');
let token = meta.content;
let renewing = null;
let timer = 0;
const idle = Math.max(120, page.expires_in || 900) * 1000;

// Asks a minute before the end, so that no call has to fail first. A page that
// nobody looks at lets its session end; its next call renews it.
function watch() {
  clearTimeout(timer);
  if (framed)
    timer = setTimeout(() => {
      if (!document.hidden) renew().catch(() => {});
    }, idle - 60_000);
}
watch();

/** Trades a new launch token from the host for a new session, once for all who wait. */
function renew() {
  renewing ??= trade().finally(() => {
    renewing = null;
  });
  return renewing;
}

async function trade() {
  if (!framed) throw over();
  post('token_needed');
  const { token: launch } = await once('token', 15_000).catch(() => {
    throw over();
  });
  const answer = await send('POST', '/embed/api/session', { body: { token: launch } });
  if (!answer.ok) throw over();
  token = (await answer.json()).session_token;
  meta.content = token;
  watch();
}

const over = () => new Refused(401, 'session_over', t('error.session_over'));

async function send(method, path, { body, headers, signal, accept }) {
  const head = { Accept: accept || 'application/json', Authorization: `Bearer ${token}`, ...headers };
  if (body !== undefined) head['Content-Type'] = 'application/json';
  try {
    return await fetch(path, {
      method,
      headers: head,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
    });
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause;
    throw new Refused(0, 'network', t('error.network'));
  }
}

async function refusal(answer) {
  const { error } = await answer.json().catch(() => ({}));
  const known = error && error.message;
  return new Refused(
    answer.status,
    known ? error.code : 'unknown',
    known ? error.message : t('error.unknown'),
    (error && error.details) || {},
  );
}

/**
 * One call. Resolves to the JSON (null for 204, a Blob for accept 'text/csv'), rejects with Refused.
 * A 401 is renewed and tried again once: nothing was done by the refused call, so no text can go out twice.
 */
export async function call(method, path, options = {}) {
  let answer = await send(method, path, options);
  if (answer.status === 401) {
    await renew();
    answer = await send(method, path, options);
    if (answer.status === 401) throw over();
  }
  if (!answer.ok) throw await refusal(answer);
  watch();
  if (answer.status === 204) return null;
  if (options.accept === 'text/csv') return answer.blob();
  try {
    return await answer.json();
  } catch {
    throw new Refused(0, 'network', t('error.network'));
  }
}

/** "/path" with a query; empty values are left out. */
export function path(base, query) {
  const filled = Object.entries(query).filter(
    ([, value]) => value !== undefined && value !== null && value !== '',
  );
  return filled.length ? `${base}?${new URLSearchParams(filled)}` : base;
}

const keys = new Map();

/** A call that must happen once: its Idempotency-Key is kept until an answer came, so pressing again after a lost one repeats nothing. */
export async function callOnce(method, address, body) {
  const what = `${method} ${address} ${JSON.stringify(body)}`;
  if (!keys.has(what)) keys.set(what, crypto.randomUUID());
  const answer = await call(method, address, { body, headers: { 'Idempotency-Key': keys.get(what) } });
  keys.delete(what);
  return answer;
}
