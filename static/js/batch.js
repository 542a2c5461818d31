// One batch in the outbox: its text, its people by state with reasons, and what can be done about it.
import { call, callOnce, path } from './api.js';
import { confirmDialog } from './dialogs.js';
import {
  $,
  count,
  dialpadsWord,
  h,
  icon,
  link,
  note,
  page,
  patch,
  save,
  say,
  t,
  tn,
  timeTag,
  when,
  whyOf,
} from './dom.js';
import { editDialog } from './edit.js';
import { poll } from './poll.js';
import { STATES, badge, bar, progressOf, seen, stateBadge, tally, timeLeft, whom } from './progress.js';
import { receiptDialog } from './receipt.js';

/** Shows it and keeps it moving; returns what ends that. */
export function showBatch({ id, root, actions, open, back }) {
  let watcher = null;
  let ended = false;
  let shownCounts = '';
  let drawn = ''; // which actions
  let latest = null; // the batch as it is
  const head = h('section', { class: 'card stack' });
  const people = h('section', { class: 'card stack', hidden: true });
  const line = h('section', { class: 'card stack', hidden: true });
  const offline = h('div', { class: 'stack' });
  const trouble = h('div', { class: 'stack', role: 'alert' });
  const rows = recipients(people, id, trouble, (changed) => {
    shownCounts = '';
    look(changed);
  });
  root.replaceChildren(
    h('div', {}, back),
    trouble,
    h('div', { class: 'card stack' }, h('div', { class: 'bone half' }), h('div', { class: 'bone' })),
  );

  call('GET', `/embed/api/batches/${id}`).then(
    ({ batch }) => {
      if (ended) return;
      root.replaceChildren(h('div', {}, back), offline, trouble, head, people, line);
      watcher = poll(id, batch, look, (refused) =>
        offline.replaceChildren(...(refused ? [note('warn', refused.message)] : [])),
      );
    },
    (refused) => {
      if (!ended) root.replaceChildren(h('div', {}, back), note('bad', refused.message));
    },
  );

  function look(batch) {
    if (ended) return true;
    $('#title').textContent = document.title = whom(batch);
    drawHead(batch);
    drawActions(batch);
    drawLine(batch);
    const now = JSON.stringify(batch.counts);
    if (now !== shownCounts) {
      shownCounts = now;
      rows.update(batch);
    }
    return ['done', 'cancelled'].includes(batch.state) && !batch.counts.sent;
  }

  function drawHead(batch) {
    const { counts, by, to, sender_email: sender, source, workflow, created_at: at, schedule } = batch;
    const facts = [
      to && to.deal,
      by && t('batch.by', { name: by.name }),
      by && sender && sender !== by.email.toLowerCase() && t('batch.from', { email: sender }),
      t(`source.${source}`) + (workflow ? ` “${workflow.name}”` : ''),
      when(at),
    ]
      .filter(Boolean)
      .join(' · ');
    const due =
      (seen(batch) === 'scheduled' || batch.state === 'held') && batch.send_at
        ? h(
            'p',
            {},
            icon('clock'),
            ' ',
            batch.state === 'held' ? `${t('batch.due')} ` : '',
            timeTag(batch.send_at),
            schedule && schedule.time_zone !== page.user.time_zone
              ? h('small', {}, ` (${when(batch.send_at, schedule.time_zone)})`)
              : '',
          )
        : '';
    head.replaceChildren(
      h('div', { class: 'row' }, stateBadge(batch), h('small', {}, facts)),
      batch.warning
        ? note(
            'warn',
            batch.warning,
            ' ',
            page.user.role === 'admin' ? link(t('batch.other_sender'), () => edit(batch)) : '',
          )
        : '',
      batch.reason
        ? note(
            'warn',
            batch.state === 'held' && batch.held_code !== 'connection_broken'
              ? `${batch.reason.replace(/\.?$/, '.')} ${t('batch.held_how')}`
              : batch.reason,
          )
        : '',
      due,
      h('p', { class: 'quote' }, batch.text || ''),
      counts.total > 1 ? bar(batch) : '',
      counts.total > 1
        ? h('p', { class: 'num' }, progressOf(counts), ' ', h('small', {}, timeLeft(batch)))
        : '',
      counts.total > 1 && seen(batch) !== 'scheduled' ? tally(counts) : '',
    );
  }

  function drawLine({ timeline }) {
    line.hidden = !timeline || !timeline.length;
    if (!line.hidden)
      line.replaceChildren(
        h('h2', {}, t('batch.timeline')),
        h(
          'ol',
          { class: 'line' },
          timeline.map((one) => h('li', {}, one.text, ' ', timeTag(one.at))),
        ),
      );
  }

  async function act(name, body = {}) {
    const { batch } = await callOnce('POST', `/embed/api/batches/${id}/${name}`, body);
    trouble.replaceChildren();
    if (batch.id !== id) {
      open(batch.id);
      return;
    }
    say(t(`batch.state.${batch.state}`));
    shownCounts = '';
    if (look(batch) === false) watcher.now();
  }

  const press = (run) => async (event) => {
    const button = event.currentTarget;
    button.disabled = true; // which takes the focus from it
    try {
      await run();
    } catch (refused) {
      trouble.replaceChildren(note('bad', refused.message));
    } finally {
      button.disabled = false;
    }
    if (document.activeElement === document.body)
      (button.isConnected ? button : $('button', actions) || $('#title')).focus();
  };

  // A button stays itself while the counts move: else the click that falls on such a moment is lost.
  function drawActions(batch) {
    latest = batch;
    const { state, resendable } = batch;
    const now = JSON.stringify([state, resendable, heldBefore(batch)]);
    if (now === drawn) return;
    drawn = now;
    const keep = actions.contains(document.activeElement) ? document.activeElement.dataset.act : '';
    const button = (name, onclick, cls = '', values = {}) =>
      h('button', { type: 'button', class: cls, 'data-act': name, onclick }, t(`batch.${name}`, values));
    const waiting = !['done', 'cancelled'].includes(state);
    const list = [];
    if (state === 'paused' || state === 'held')
      list.push(
        button(
          'resume',
          press(() => resume(latest)),
          'primary',
        ),
      );
    if (state === 'scheduled' || heldBefore(batch))
      list.push(button('edit', () => edit(latest), state === 'held' ? '' : 'primary'));
    if (['sending', 'preparing'].includes(state))
      list.push(
        button(
          'pause',
          press(() => act('pause')),
        ),
      );
    if (resendable.failed)
      list.push(
        button(
          'resend',
          press(() => act('resend', { states: ['failed'] })),
          '',
          { n: count(resendable.failed) },
        ),
      );
    if (resendable.uncertain)
      list.push(
        button(
          'resend_unknown',
          () =>
            sure('unknown', resendable.uncertain, () =>
              act('resend', { states: ['uncertain'], confirm: true }),
            ),
          '',
          { n: count(resendable.uncertain) },
        ),
      );
    if (waiting)
      list.push(
        button(
          'cancel',
          () => sure('cancel', latest.counts.queued + latest.counts.held, () => act('cancel')),
          'danger',
        ),
      );
    if (state !== 'scheduled')
      list.push(
        button(
          'csv',
          press(() => report(id)),
          'quiet',
        ),
      );
    actions.replaceChildren(...list);
    if (keep) (actions.querySelector(`[data-act=${keep}]`) || $('button', actions) || $('#title')).focus();
  }

  // What is past its time goes out the moment it is resumed.
  function resume(batch) {
    if (!heldBefore(batch) || Date.parse(batch.send_at) > Date.now()) return act('resume');
    sure('resume', batch.counts.held, () => act('resume'));
    return null;
  }

  const edit = (batch) =>
    editDialog($('#edit'), batch, (changed) => {
      shownCounts = '';
      look(changed);
      say(t('edit.saved'));
    });

  // What can't be taken back is asked first.
  function sure(what, n, run) {
    confirmDialog($('#confirm'), {
      title: t(`sure.${what}.title`),
      lines: [tn(`sure.${what}.what`, n)],
      yes: t(`sure.${what}.yes`),
      no: t(`sure.${what}.no`),
      run,
    });
  }

  return () => {
    ended = true;
    if (watcher) watcher.stop();
    rows.stop();
  };
}

/** What was held before it began may be given another time. */
const heldBefore = ({ state, schedule, timeline = [] }) =>
  state === 'held' && schedule && !timeline.some(({ what }) => what === 'started');

async function report(id) {
  save(`texts-${id}.csv`, await call('GET', `/embed/api/batches/${id}/messages`, { accept: 'text/csv' }));
}

/** The people of a batch, by state. Before it begins, single ones can be left out. */
function recipients(root, id, trouble, changed) {
  let state = '';
  let shown = null; // the batch
  let asked = 0;
  const tabs = h('div', { class: 'tabs', role: 'group', 'aria-label': t('batch.by_state') });
  const body = h('tbody');
  const head = ['texts.person', 'people.number', 'people.state', 'texts.sent_at'].map((key) =>
    h('th', { scope: 'col' }, t(key)),
  );
  const foot = h('div');
  root.append(
    h('h2', {}, t('batch.people')),
    tabs,
    h(
      'table',
      { class: 'cards' },
      h(
        'thead',
        {},
        h('tr', {}, head, h('th', { scope: 'col' }, h('span', { class: 'vh' }, t('receipt.title')))),
      ),
      body,
    ),
    foot,
  );

  async function load(cursor) {
    const mine = (asked += 1);
    try {
      const { messages, next } = await call(
        'GET',
        path(`/embed/api/batches/${id}/messages`, { state, cursor }),
      );
      if (mine !== asked) return;
      const focused = body.contains(document.activeElement) ? document.activeElement.dataset.act : '';
      if (cursor) body.append(...messages.map(row));
      else patch(body, messages.map(row));
      if (focused) body.querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
      root.hidden = !state && !body.firstChild; // of a scheduled text to one person there is none before it begins
      foot.replaceChildren(
        next
          ? h('button', { type: 'button', onclick: () => load(next) }, t('page.more'))
          : body.firstChild
            ? ''
            : h('p', { class: 'soft' }, t('batch.nobody')),
      );
    } catch (refused) {
      if (mine === asked) trouble.replaceChildren(note('bad', refused.message));
    }
  }

  function draw(batch) {
    const { counts } = (shown = batch);
    const held = tabs.contains(document.activeElement) ? document.activeElement.dataset.state : null;
    const tab = (name, label) =>
      h(
        'button',
        {
          type: 'button',
          'aria-pressed': String(state === name),
          'data-state': name,
          onclick: () => {
            state = name;
            draw(batch);
            load();
          },
        },
        label,
      );
    tabs.hidden = counts.total < 2;
    tabs.replaceChildren(
      tab('', `${t('batch.all')} ${count(counts.total)}`),
      ...STATES.filter((name) => counts[name] || state === name).map((name) =>
        tab(name, `${t(`state.tab.${name}`)} ${count(counts[name])}`),
      ),
    );
    if (held !== null) tabs.querySelector(`[data-state="${held}"]`)?.focus();
  }

  function row(message) {
    const {
      id: key,
      name,
      deal,
      to,
      display,
      state: now,
      error_code: code,
      error_text: why,
      sent_at: at,
      due_at: due,
    } = message;
    return h(
      'tr',
      {},
      h(
        'th',
        { scope: 'row' },
        name || display || to || t('texts.person'),
        deal ? h('small', {}, ` ${deal}`) : '',
      ),
      h('td', { class: 'num' }, display || to || ''),
      h(
        'td',
        {},
        h('span', { class: `badge ${badge(now)}` }, t(`state.tab.${now}`)),
        why ? h('small', {}, whyOf(message), dialpadsWord(message)) : '',
      ),
      h(
        'td',
        {},
        at
          ? timeTag(at)
          : h(
              'span',
              { class: 'soft' },
              due && Date.parse(due) > Date.now() ? [t('batch.waits'), ' ', timeTag(due)] : '—',
            ),
      ),
      h(
        'td',
        {},
        key
          ? h(
              'button',
              {
                type: 'button',
                class: 'link',
                'data-act': `receipt-${key}`,
                'aria-label': t('receipt.of', { name: name || to || t('texts.person') }),
                onclick: () => receiptDialog($('#receipt'), key),
              },
              t('receipt.open'),
            )
          : now === 'queued' || code === 'left_out'
            ? choice(message)
            : '',
      ),
    );
  }

  function choice({ record_id: record, name, to, error_code: code }) {
    const what = code === 'left_out' ? 'take_in' : 'leave_out';
    return h(
      'button',
      {
        type: 'button',
        class: 'link',
        'data-act': `choice-${record}`,
        'aria-label': t(`batch.${what}_of`, { name: name || to || t('texts.person') }),
        onclick: async (event) => {
          const button = event.currentTarget;
          if (event.detail > 1 || button.getAttribute('aria-disabled')) return; // a double click is one
          button.setAttribute('aria-disabled', 'true'); // disabled, it would lose the focus
          const others = (shown.exclude || []).filter((one) => one !== record);
          try {
            changed(
              (
                await call('PATCH', `/embed/api/batches/${id}`, {
                  body: { exclude: what === 'take_in' ? others : [...others, record] },
                })
              ).batch,
            );
            trouble.replaceChildren();
          } catch (refused) {
            trouble.replaceChildren(note('bad', refused.message));
            button.removeAttribute('aria-disabled');
          }
        },
      },
      t(`batch.${what}`),
    );
  }

  // A long list is read while it moves: it is drawn anew only from its top.
  return {
    update(batch) {
      draw(batch);
      if (body.childElementCount <= 100) load();
    },
    stop() {
      asked += 1;
    },
  };
}
