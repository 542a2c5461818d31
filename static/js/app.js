// The app detail page: one right next step, and how things stand.
import { call } from './api.js';
import { followConnect, startConnect } from './connect.js';
import { $, h, icon, note, page, say, t } from './dom.js';
import { followHeight, forgetLaunch, post, upgrade } from './host.js';
import { confirmDialog, menuButton, openDialog, upgradeDialog } from './dialogs.js';
import { health, numbers, warnings } from './health.js';
import { people } from './people.js';
import { settingsDialog } from './settings.js';

const admin = page.user.role === 'admin';
let status = null;
let peopleShown = false;

async function load() {
  try {
    status = await call('GET', '/apps/dialpad/status');
  } catch (refused) {
    notice(
      note(
        'bad',
        refused.message,
        ' ',
        h('button', { type: 'button', class: 'link', onclick: load }, t('page.retry')),
      ),
    );
    $('#actions').replaceChildren();
    return;
  }
  draw();
}

const notice = (...content) => $('#notice').replaceChildren(...content.filter(Boolean));
const broken = () => Boolean(status.connection && !status.connected);

function draw() {
  badges();
  $('#actions').replaceChildren(...(admin ? actions() : []));
  const attempt = status.attempt;
  if (admin && attempt && !status.connected && !['failed', 'done'].includes(attempt.step)) follow();
  else notice(remark());
  const connected = Boolean(status.connection);
  $('#connected').hidden = !connected;
  if (connected) details();
  else warnings($('#warnings'), status);
}

function badges() {
  const plan = status.plan && (status.plan.name || status.plan.key);
  $('#badges').replaceChildren(
    ...[
      plan &&
        h(
          'span',
          { class: `badge ${status.plan_ok ? 'accent' : 'warn'}` },
          t(status.plan_ok ? 'app.plan_has' : 'app.plan_lacks', { plan }),
        ),
      status.connected && h('span', { class: 'badge good' }, icon('check'), t('app.connected')),
      broken() && h('span', { class: 'badge bad' }, icon('alert'), t('app.broken')),
    ].filter(Boolean),
  );
}

/** What there is to say above everything, for this person. */
function remark() {
  const { attempt, installed, connected, connection } = status;
  if (!admin) return connected ? note('good', t('app.user.ready')) : note('', askWhom());
  if (attempt && attempt.step === 'failed' && !connected)
    return note('bad', h('strong', {}, t('connect.failed')), ' ', attempt.message || t('error.unknown'));
  if (broken()) return note('bad', connection.reason || t('app.broken.what'));
  if (installed && !connected) return note('', t('app.next.connect'));
  if (connected && connection.subscriptions && !connection.subscriptions.sms)
    return note('warn', t('health.no_sms'));
  return null;
}

function askWhom() {
  const whom = status.installed_by || (status.connection && status.connection.connected_by);
  const step = status.installed ? 'connect' : 'install';
  return t(whom ? `app.user.${step}_whom` : `app.user.${step}`, { whom, tenant: page.tenant.name });
}

function actions() {
  const button = (key, onclick) =>
    h(
      'button',
      {
        type: 'button',
        class: 'primary',
        id: 'next',
        onclick: (event) => once(event.currentTarget, onclick),
      },
      t(key),
    );
  const connection = status.connection;
  if (!status.installed) return [button('app.install', install)];
  const removal = { label: t('app.remove'), run: () => leave('remove') };
  const outbox = connection ? [h('a', { class: 'button quiet', href: '/texts' }, t('app.outbox'))] : [];
  if (!status.connected)
    return [
      ...outbox,
      button(connection ? 'app.reconnect' : 'app.connect', connect),
      menuButton(
        t('app.more'),
        connection ? [{ label: t('app.disconnect'), run: () => leave('disconnect') }, removal] : [removal],
      ),
    ];
  if (!status.plan_ok)
    return [
      ...outbox,
      button('upgrade.go', () => showPlans()),
      menuButton(t('app.more'), [
        { label: t('app.configure'), run: () => settingsDialog(status, saved) },
        { label: t('app.disconnect'), run: () => leave('disconnect') },
        removal,
      ]),
    ];
  return [
    ...outbox,
    button('app.configure', () => settingsDialog(status, saved)),
    menuButton(t('app.more'), [
      { label: t('app.reconnect'), run: connect },
      { label: t('app.disconnect'), run: () => leave('disconnect') },
      removal,
    ]),
  ];
}

async function once(button, run) {
  button.disabled = true;
  try {
    await run();
  } catch (refused) {
    if (refused.code === 'plan_required') showPlans(refused.details);
    else notice(note('bad', refused.message));
  } finally {
    button.disabled = false;
  }
}

async function install() {
  await call('POST', '/apps/dialpad/install', { body: {} });
  say(t('app.installed'));
  await load();
  $('#next').focus();
}

function showPlans(details = {}) {
  const able =
    details.plans || (status.plans || []).filter((plan) => plan.includes_dialpad).map((plan) => plan.key);
  upgradeDialog($('#upgrade'), { status, able, go: () => upgrade(able) });
}

async function connect() {
  const opened = await startConnect();
  if (opened.failed) {
    $('#actions').replaceChildren(...actions());
    notice(note('bad', opened.failed));
    return;
  }
  follow(opened);
}

function follow(opened = {}) {
  const held = document.activeElement === $('#next');
  $('#next')?.remove(); // while it goes on, what to do next stands below
  followConnect($('#notice'), {
    opened,
    again: connect,
    done: async (last) => {
      status = last;
      draw();
      if (last.connected) {
        say(t('connect.done'));
        notice(note('good', t('connect.done_what', { company: last.connection.company })));
        $('#next').focus();
      } else if (document.activeElement === document.body) $('#next')?.focus(); // what had it stood in the steps
    },
  });
  if (held) $('#notice .primary')?.focus();
}

function leave(what) {
  const { queue = {} } = status;
  const sends = (queue.scheduled || 0) + (what === 'remove' ? queue.held || 0 : 0);
  const points =
    what === 'remove'
      ? ['leave.remove.texts', 'leave.remove.dialpad', 'leave.remove.automation']
      : ['leave.disconnect.texts', 'leave.disconnect.dialpad', 'leave.disconnect.automation'];
  confirmDialog($('#confirm'), {
    title: t(`leave.${what}.title`),
    lines: points.map((key) => t(key)),
    count:
      sends || queue.waiting
        ? t(`leave.${what}.count`, { scheduled: sends, waiting: queue.waiting || 0 })
        : '',
    yes: t(`app.${what}`),
    run: async () => {
      await call('POST', `/apps/dialpad/${what}`, { body: {} });
      peopleShown = false;
      await load();
      say(t(`leave.${what}.done`));
      notice(note('good', t(`leave.${what}.done`)), remark());
      $('#next').focus();
    },
  });
}

function saved(settings) {
  status.settings = settings;
  notice(note('good', t('settings.saved')));
  say(t('settings.saved'));
}

function details() {
  warnings($('#warnings'), status);
  numbers($('#numbers'), status);
  health($('#health'), status);
  if (admin && !peopleShown) {
    peopleShown = true;
    people();
  }
  $('#people').closest('.card').hidden = !admin;
}

// How things stand moves while the page lies open; quiet while nobody looks.
setInterval(async () => {
  if (document.hidden || !status || !status.connection || openDialog()) return;
  try {
    status = await call('GET', '/apps/dialpad/status');
    details();
  } catch {
    /* the next round tells */
  }
}, 15_000);

forgetLaunch();
followHeight($('#main'));
post('ready');
load();
