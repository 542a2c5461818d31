// Edit and reschedule, while a batch is scheduled.
import { call } from './api.js';
import { showDialog } from './dialogs.js';
import { $, h, note, page, t, tn } from './dom.js';
import { schedulePanel } from './schedule.js';
import { segments } from './segments.js';
import { senderField } from './sender.js';

export function editDialog(dialog, batch, saved) {
  const area = h('textarea', { id: 'edit-text', rows: '5', 'aria-describedby': 'edit-cost' });
  const cost = h('small', { id: 'edit-cost', class: 'num' });
  const when = h('div', { class: 'panel' });
  const problem = h('div', { role: 'alert' });
  const save = h('button', { class: 'primary' }, t('edit.save'));
  const measure = () => {
    const { characters, segments: parts, encoding } = segments(area.value);
    cost.textContent = `${tn('counter.characters', characters)} · ${tn('counter.segments', parts)} · ${encoding}`;
  };
  area.value = batch.text || '';
  area.addEventListener('input', measure);
  measure();
  const panel = schedulePanel({
    root: when,
    context: {
      time_zone: page.user.time_zone,
      to: batch.to,
      quiet_hours: batch.quiet_hours,
      mode: batch.source,
    },
    start: batch.schedule,
    late: batch.late,
  });
  const move = h('input', { type: 'checkbox', checked: batch.move_quiet, 'data-act': 'move-quiet' });
  const quiet =
    batch.source === 'bulk' && batch.quiet_hours
      ? h('label', { class: 'check' }, move, h('span', {}, t('edit.quiet', batch.quiet_hours)))
      : null;
  const sender = page.user.role === 'admin' && batch.sender_email ? senderField(batch) : null;

  async function send(event) {
    event.preventDefault();
    if (!area.value.trim()) {
      area.focus();
      return;
    }
    if (!panel.ok()) {
      panel.show();
      return;
    }
    save.disabled = true;
    problem.replaceChildren();
    try {
      const changed = await call('PATCH', `/embed/api/batches/${batch.id}`, {
        body: {
          version: batch.version,
          message: area.value,
          ...panel.value(),
          ...(quiet ? { move_quiet: move.checked } : {}),
          ...(sender ? sender.value() : {}),
        },
      });
      dialog.close();
      saved(changed.batch);
    } catch (refused) {
      if (/^time_/.test(refused.code)) panel.ask(refused);
      else problem.replaceChildren(note('bad', refused.message));
    } finally {
      save.disabled = false;
    }
  }

  const form = $('form', dialog);
  form.onsubmit = send;
  form.replaceChildren(
    h('h2', { id: 'edit-title' }, t('edit.title')),
    h('div', { class: 'field' }, h('label', { for: 'edit-text' }, t('message.label')), area, cost),
    when,
    quiet || '',
    sender ? sender.root : '',
    problem,
    h(
      'div',
      { class: 'row end' },
      h('button', { type: 'button', onclick: () => dialog.close() }, t('page.cancel')),
      save,
    ),
  );
  showDialog(dialog);
}
