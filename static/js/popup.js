// The text popup: finds out whether this person may text, lets them write, sends, and shows what became of it.
import { call, Refused } from './api.js';
import { composer } from './composer.js';
import { $, h, link, note, say, t } from './dom.js';
import { draft as openDraft } from './draft.js';
import { followHeight, framed, post } from './host.js';
import { wireFields, wireTemplates } from './pickers.js';
import { showState } from './states.js';

const form = $('#compose');
const sendButton = $('#send');
let context;
let draft;
let writing; // the composer
let planner = null; // the schedule panel, once opened
let audience = null; // the bulk part
let sending = false;

function show(id) {
  for (const part of ['loading', 'state', 'compose', 'progress']) $(`#${part}`).hidden = part !== id;
}

let trying = 0;

function picture(state, again = start) {
  show('state');
  showState($('#state'), state, { context, again });
  clearTimeout(trying);
  if (state.code === 'network') trying = setTimeout(tryAgain, 4000);
}

/** Goes on once the server is reached; "online" alone may come before it can be, or never. */
async function tryAgain() {
  if ($('#state').hidden) return;
  try {
    await call('GET', '/embed/api/context');
    start();
  } catch (refused) {
    if (refused.code === 'network') trying = setTimeout(tryAgain, 4000);
    else picture(refused);
  }
}

async function start() {
  show('loading');
  try {
    context = await call('GET', '/embed/api/context');
    const stop = obstacle(context);
    if (stop) {
      picture(stop);
      return;
    }
    if (context.mode === 'bulk') $('#title').textContent = t('popup.title_bulk');
    draft = openDraft(context.id || (context.to && context.to.number) || context.mode);
    if (draft.get().batch) await resume(draft.get().batch);
    else await compose();
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    picture(refused);
  }
}

/** What stands in the way of texting at all, or null. */
function obstacle({ state, mode, to, from }) {
  if (state) return state;
  if (mode === 'one' && to.opted_out) return { code: 'opted_out' };
  if (mode === 'one' && to.problem)
    return /number/.test(to.problem.code) ? { ...to.problem, code: 'invalid_number' } : to.problem;
  if (!from || !from.number) return { code: 'no_number' };
  return null;
}

async function compose() {
  show('compose');
  const bulk = context.mode === 'bulk';
  addressees();
  if (!writing) {
    writing = composer({ changed, limits: context.limits, many: bulk });
    wireTemplates(writing, problem);
    wireFields(writing, () => context);
  }
  if (bulk) {
    const { bulkPart } = await import('./bulk.js');
    audience ??= bulkPart({
      context,
      writing,
      changed: () => lock(sending),
      when: () => (planner?.open && planner.ok() ? planner.value().schedule : null),
      look,
    });
  }
  writing.set(draft.get().text || '');
  lock(false);
  unsure();
  if (!open()) writing.focus();
  import('./follow.js').catch(() => {}); // needed after Send, when the network may be gone
}

function addressees() {
  const { to, from, mode } = context;
  if (mode === 'bulk') {
    $('#to').hidden = $('#to-label').hidden = true;
  } else {
    $('#to').replaceChildren(
      h('span', {}, to.name || to.display),
      h('small', { class: 'num' }, [to.name && to.display, to.field_label].filter(Boolean).join(' · ')),
    );
  }
  $('#from').replaceChildren(
    h('span', {}, from.email),
    h('small', { class: 'num' }, from.display || from.number),
  );
}

function changed(text) {
  draft.save({ text });
  audience?.changed(text);
  ready();
}

/** The request whose answer never came. Until it is known what became of it, nothing but the same may be sent again. */
const open = () => draft.get().open || null;

function unsure(words = t('popup.kept')) {
  const on = Boolean(open());
  for (const part of form.querySelectorAll(':scope > :not(#problem, .foot)')) part.inert = on;
  if (!on) return;
  problem(words, ' ', link(t('popup.kept.other'), change));
  sendButton.focus();
}

function change() {
  draft.save({ open: null }); // unchanged after all, it keeps its key and goes once
  unsure();
  problem();
  lock(false);
  writing.focus();
}

function ready() {
  const text = writing.get();
  const can =
    open() ||
    (text.trim() &&
      writing.area.getAttribute('aria-invalid') !== 'true' &&
      (!planner?.open || planner.ok()) &&
      (!audience || audience.ok()));
  sendButton.setAttribute('aria-disabled', String(!can || sending));
  return can && !sending;
}

function lock(on) {
  sending = on;
  sendButton.disabled = on;
  $('#later').disabled = on || Boolean(open()); // another time would be another text
  writing.area.readOnly = on;
  $('span', sendButton).textContent = on
    ? t('popup.sending')
    : open()
      ? t('popup.again')
      : planner?.open
        ? t('popup.send_later')
        : audience
          ? audience.label()
          : t('popup.send');
  ready();
}

function problem(...content) {
  const place = $('#problem');
  place.hidden = content.length === 0;
  place.replaceChildren(...(content.length ? [note('bad', ...content)] : []));
  if (content.length) place.scrollIntoView({ block: 'nearest' }); // Send is in sight wherever one is
}

function request() {
  const body = { message: writing.get() };
  if (audience && audience.field()) body.to_field = audience.field();
  if (audience?.move()) body.move_quiet = true;
  if (planner?.open) Object.assign(body, planner.value());
  return body;
}

async function send() {
  if (!ready()) {
    if (!sending && planner?.open && !planner.ok())
      planner.show(); // its time may have passed meanwhile
    else if (!sending) writing.focus();
    return;
  }
  lock(true);
  problem();
  say(t('popup.sending'));
  const body = open() || request();
  const key = draft.key(body);
  draft.save({ open: body });
  try {
    const { batch } = await call('POST', '/embed/api/batches', { body, headers: { 'Idempotency-Key': key } });
    draft.save({ batch: batch.id, open: null });
    post('sent', { batch_id: batch.id });
    await follow(batch);
    unsure();
    lock(false); // what was written is out of sight
  } catch (refused) {
    if (!(refused instanceof Refused)) {
      lock(false);
      throw refused;
    }
    await refusedToSend(refused);
  }
}

// Which refusals change the whole popup; all others are said beside the text.
const STOPS = new Set([
  'plan_required',
  'not_installed',
  'not_connected',
  'no_accounts',
  'no_account',
  'opted_out',
  'session_over',
]);

async function refusedToSend(refused) {
  const known = refused.code !== 'network' && (refused.status < 500 || /_unreachable$/.test(refused.code)); // what became of it
  if (known) draft.save({ open: null });
  lock(false);
  unsure(refused.code === 'network' ? undefined : t('popup.kept.ours'));
  if (refused.code.startsWith('time_') && planner) {
    planner.ask(refused);
    return;
  }
  if (STOPS.has(refused.code)) {
    picture(refused, start);
    return;
  }
  if (known) problem(refused.message);
  sendButton.focus();
}

/** Another bulk of this person's: what is being written stays. */
async function look(batch) {
  const { follow: watch } = await import('./follow.js');
  show('progress');
  watch($('#progress'), { batch, context, onSettled() {}, onBack: compose });
  $('#progress').focus();
}

async function follow(batch) {
  const { follow: watch } = await import('./follow.js');
  show('progress');
  watch($('#progress'), {
    batch,
    context,
    text: draft.get().text,
    onSettled,
    onEdit: edit,
    onNew: fresh,
    onAgain: (next) => draft.save({ batch: next.id }),
  });
  $('#progress').focus();
}

async function resume(id) {
  try {
    const { batch } = await call('GET', `/embed/api/batches/${id}`);
    const gone =
      batch.state === 'done' && !batch.counts.failed && !batch.counts.undelivered && !batch.counts.uncertain;
    if (!gone && batch.state !== 'cancelled') {
      await follow(batch);
      return;
    }
    draft.clear();
  } catch (refused) {
    if (refused.status !== 404) throw refused;
    draft.clear();
  }
  await compose();
}

/** The text is surely on its way: nothing is left to keep. */
function onSettled() {
  draft.save({ text: '', key: null });
}

async function edit(text) {
  draft.clear();
  draft.save({ text });
  await compose();
}

async function fresh() {
  draft.clear();
  await compose();
}

async function toggleLater() {
  if (sending) return;
  const button = $('#later');
  try {
    if (!planner) {
      const { schedulePanel } = await import('./schedule.js');
      planner = schedulePanel({
        root: $('#schedule'),
        context,
        changed: () => {
          lock(sending);
          audience?.changed();
        },
      });
    }
    planner.toggle();
    if (planner.open) $('#schedule').scrollIntoView({ block: 'nearest' });
    audience?.changed(); // who gets it at night depends on the time
    button.setAttribute('aria-expanded', String(planner.open));
    $('span', button).textContent = t(planner.open ? 'popup.now' : 'popup.schedule');
    lock(sending);
  } catch {
    problem(t('error.network'));
  }
}

function close() {
  post('close');
  if (!framed && window.opener) window.close();
}

const mac = /Mac|iP(hone|ad)/.test(navigator.platform);
$('#keys').textContent = mac ? '⌘↵' : 'Ctrl ↵';
form.addEventListener('submit', (event) => {
  event.preventDefault();
  send();
});
form.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    send();
  }
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !event.defaultPrevented) close();
});
$('#close').addEventListener('click', close);
$('#later').addEventListener('click', toggleLater);
window.addEventListener('online', () => {
  if (!$('#state').hidden) start();
});
// The host keeps a closed popup for a while, hidden. When it is seen again the
// world may have changed: ask anew, unless a text is on its way right now.
let seen = false; // the host shows us only when we are ready
let left = false;
new IntersectionObserver(([entry]) => {
  if (!entry.isIntersecting) {
    left = seen;
    return;
  }
  if (left && !sending && ($('#progress').hidden || $('#progress').dataset.over)) start();
  else if (!$('#compose').hidden && document.activeElement === document.body) writing?.focus(); // it could not be while the host hid us
  seen = true;
  left = false;
}).observe($('#main')); // all of it: its head may be scrolled out of sight while somebody writes
followHeight($('#main'));
post('ready');
start();
