// The app detail page: the one right next step, and the state of the connection.
import { showActivity } from './activity.js';
import { call } from './api.js';
import { showAttention } from './attention.js';
import { followConnect, startConnect } from './connect.js';
import { confirmDialog, menuButton, openDialog, upgradeDialog } from './dialogs.js';
import { $, announce, badge, button, count, h, icon, locale, note, page, refusalNote, t, tn, zoneNote } from './dom.js';
import { drawFigures, drawHealth, drawWarnings } from './health.js';
import { followHeight, forgetLaunch, post, upgrade } from './host.js';
import { showOptOuts } from './opt_outs.js';
import { showPeople } from './people.js';
import { showReviews } from './reviews.js';
import { settingsDialog } from './settings.js';

const REFRESH_INTERVAL = 15_000;
const isAdmin = page.user.role === 'admin';
let status = null; // the answer of GET /apps/dialpad/status
let peopleShown = false;
let activityShown = false;
let toLookAt = 0; // things in the outbox

const loadStatus = () => call('GET', '/apps/dialpad/status');

async function load() {
  lookOut();
  try {
    status = await loadStatus();
  } catch (refusal) {
    showNotice(refusalNote(refusal, load));
    $('#actions').replaceChildren();
    return;
  }
  draw();
}

/** What is on hold and what failed, wherever the texts stand. */
const lookOut = () =>
  showAttention({
    anchor: ({ state }, words) => h('a', { href: `/texts?state=${state}` }, words),
    changed: () => Promise.all([lookOut(), refresh()]),
    counted: (things) => {
      toLookAt = things;
      drawOutboxBadge();
    },
  });

function drawOutboxBadge() {
  const link = $('#to-outbox');
  if (!link) return;
  const words = toLookAt ? h('span', { class: 'vh' }, tn('app.outbox.look', toLookAt)) : '';
  const number = toLookAt ? h('span', { class: 'badge bad num', 'aria-hidden': 'true' }, count(toLookAt)) : '';
  link.replaceChildren(t('app.outbox'), number, words);
}

const showNotice = (...content) => $('#notice').replaceChildren(...content.filter(Boolean));
const isBroken = () => Boolean(status.connection && !status.connected);

function draw() {
  drawBadges();
  drawActions();
  if (isAdmin && status.installed) showActivityOnce();
  const { attempt, connected, connection } = status;
  const isConnecting = attempt && !connected && !['failed', 'done'].includes(attempt.step);
  if (isAdmin && isConnecting) follow();
  else showNotice(statusNote());
  $('#connected').hidden = !connection;
  if (connection) drawDetails();
  else drawWarnings($('#warnings'), status);
}

function showActivityOnce() {
  if (activityShown) return;
  activityShown = true;
  showActivity();
}

function drawBadges() {
  const { plan, plan_ok: included, connected } = status;
  const name = plan && (plan.name || plan.key);
  const words = t(included ? 'app.plan_has' : 'app.plan_lacks', { plan: name });
  const badges = [
    name && badge(included ? 'accent' : 'warn', words),
    connected && included && badge('good', icon('check'), t('app.connected')),
    isBroken() && badge('bad', icon('alert'), t('app.broken')),
  ];
  $('#badges').replaceChildren(...badges.filter(Boolean));
}

/** What this person has to know first, or null. */
function statusNote() {
  const { attempt, installed, connected, connection, plan_ok: included } = status;
  if (!isAdmin) return ownNote();
  if (attempt && attempt.step === 'failed' && !connected) {
    return note('bad', h('strong', {}, t('connect.failed')), ' ', attempt.message || t('error.unknown'));
  }
  if (isBroken()) return note('bad', connection.reason || t('app.broken.what'));
  if (connected && !included) return note('warn', t('app.plan_lost', { plan: planName() }));
  if (installed && !connected) return note('', t('app.next.connect'));
  const { subscriptions } = connection || {};
  return connected && subscriptions && !subscriptions.sms ? note('warn', t('health.no_sms')) : null;
}

const planName = () => status.plan.name || status.plan.key;

/** What is so for this person, who is no admin. */
function ownNote() {
  const { connected, plan_ok: included, you } = status;
  const tenant = page.tenant.name;
  if (!included) return note('warn', t('app.user.plan', { plan: planName(), tenant }));
  if (!connected) return note('', whomToAsk());
  if (you.able) return note('good', t('app.user.ready', { number: you.number }));
  if (you.code === 'no_number') return note('warn', t('state.no_number.what', { email: you.email }));
  if (you.code !== 'no_account') return note('', whomToAsk());
  const { email, reason } = you;
  const none = !reason || reason === t('state.no_account.title');
  return note('warn', t(none ? 'state.no_account.what' : 'state.no_account.close', { email, reason }));
}

function whomToAsk() {
  const { installed, installed_by: installer, connection } = status;
  const whom = installer || (connection && connection.connected_by);
  const key = `app.user.${installed ? 'connect' : 'install'}${whom ? '_whom' : ''}`;
  return t(key, { whom, tenant: page.tenant.name });
}

function drawActions() {
  $('#actions').replaceChildren(...(isAdmin ? actions() : []));
  drawOutboxBadge();
}

/** The next step, with the others in a menu. */
function actions() {
  const { installed, connected, connection, plan_ok: included } = status;
  if (!installed) return [nextStep('app.install', install)];
  const item = (name, run) => ({ label: t(`app.${name}`), run });
  const configure = item('configure', () => settingsDialog(status, settingsSaved));
  const disconnect = item('disconnect', () => leave('disconnect'));
  const remove = item('remove', () => leave('remove'));
  const outbox = connection ? [h('a', { class: 'button quiet', id: 'to-outbox', href: '/texts' }, t('app.outbox'))] : [];
  const choose = (step, ...others) => [...outbox, step, menuButton(t('app.more'), others)];
  if (!connected && !connection) return choose(nextStep('app.connect', connect), remove);
  if (!connected) return choose(nextStep('app.reconnect', connect), disconnect, remove);
  if (!included) {
    return choose(
      nextStep('upgrade.go', () => showPlans()),
      configure,
      disconnect,
      remove,
    );
  }
  return choose(nextStep('app.configure', configure.run), item('reconnect', connect), disconnect, remove);
}

const nextStep = (key, run) =>
  button(t(key), { class: 'primary', id: 'next', onclick: (event) => runAction(event.currentTarget, run) });

/** Runs an action, once at a time, and shows a refusal. The button keeps the focus. */
async function runAction(pressed, run) {
  if (pressed.getAttribute('aria-disabled')) return;
  pressed.setAttribute('aria-disabled', 'true');
  try {
    await run();
  } catch (refusal) {
    if (refusal.code === 'plan_required') showPlans(refusal.details);
    else showNotice(h('div', { role: 'alert' }, refusalNote(refusal)));
  } finally {
    pressed.removeAttribute('aria-disabled');
  }
}

async function install() {
  await call('POST', '/apps/dialpad/install', { body: {} });
  announce(t('app.installed'));
  await load();
  $('#next').focus();
}

function showPlans({ plans } = {}) {
  const including = (status.plans || []).filter((plan) => plan.includes_dialpad);
  const able = plans || including.map((plan) => plan.key);
  upgradeDialog($('#upgrade'), { status, able, go: () => upgrade(able) });
}

async function connect() {
  const opened = await startConnect();
  if (opened.refusal) {
    drawActions();
    showNotice(refusalNote(opened.refusal));
    return;
  }
  follow(opened);
}

// While it connects, the next step is among the steps, not in the head of the page.
function follow(opened = {}) {
  const hadFocus = document.activeElement === $('#next');
  $('#next')?.remove();
  followConnect($('#notice'), { opened, again: connect, done: connectEnded });
  if (hadFocus) $('#notice .primary')?.focus();
}

function connectEnded(last) {
  status = last;
  draw();
  if (last.connected) {
    announce(t('connect.done'));
    showNotice(note('good', t('connect.done_what', { company: last.connection.company })));
    $('#next').focus();
    return;
  }
  announce($('#notice').textContent); // and not the step that was waited for
  if (document.activeElement === document.body) $('#next')?.focus(); // the focus was on a step
}

/** Asks before it disconnects or removes. */
function leave(what) {
  const { scheduled = 0, held = 0, waiting = 0 } = status.queue || {};
  const sends = scheduled + (what === 'remove' ? held : 0);
  confirmDialog($('#confirm'), {
    title: t(`leave.${what}.title`),
    lines: ['texts', 'dialpad', 'automation'].map((point) => t(`leave.${what}.${point}`)),
    warning: leaveWarning(what, sends, waiting),
    yes: t(`app.${what}`),
    run: async () => {
      await call('POST', `/apps/dialpad/${what}`, { body: {} });
      peopleShown = false;
      await load();
      announce(t(`leave.${what}.done`));
      showNotice(note('good', t(`leave.${what}.done`)), statusNote());
      $('#next').focus();
    },
  });
}

/** What will be held or cancelled: "Cancels 3 scheduled sends and 12 waiting texts." */
function leaveWarning(what, sends, waiting) {
  const parts = [sends && tn('leave.sends', sends), waiting && tn('leave.waiting', waiting)].filter(Boolean);
  return parts.length ? t(`leave.${what}.count`, { what: new Intl.ListFormat(locale).format(parts) }) : '';
}

function settingsSaved(settings) {
  status.settings = settings;
  showNotice(note('good', t('settings.saved')));
  announce(t('settings.saved'));
}

function drawDetails() {
  drawWarnings($('#warnings'), status);
  drawFigures($('#numbers'), status);
  drawHealth($('#health'), status);
  if (isAdmin && !peopleShown) {
    peopleShown = true;
    showPeople();
    showOptOuts();
  }
  showReviews($('#reviews'));
  $('#optouts-card').hidden = !isAdmin;
  $('#people').closest('.card').hidden = !isAdmin;
}

async function refresh() {
  try {
    status = await loadStatus();
    drawDetails();
  } catch {
    // the next round shows it
  }
}

// Keeps an open page current; quiet while it is hidden.
setInterval(() => {
  if (document.hidden || !status || !status.connection || openDialog()) return;
  refresh();
  lookOut();
}, REFRESH_INTERVAL);

$('main > header').after(zoneNote() ?? '');
forgetLaunch();
followHeight($('#main'));
post('ready');
load();
