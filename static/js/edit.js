// Edit and reschedule, while a batch has not begun.
import { call } from './api.js';
import { showDialog } from './dialogs.js';
import { $, button, buttonRow, h, page, refusalNote, t } from './dom.js';
import { schedulePanel } from './schedule.js';
import { senderField } from './sender.js';
import { scheduleContext, textField } from './text_field.js';

/** Shows the dialog; saved(batch) is called with the changed batch. */
export function editDialog(dialog, batch, saved) {
  const form = $('form', dialog);
  const text = textField(batch);
  const when = h('div', { class: 'panel' });
  const problem = h('div', { role: 'alert' });
  const save = h('button', { class: 'primary' }, t('edit.save'));
  const schedule = schedulePanel({
    root: when,
    context: scheduleContext(batch),
    start: batch.schedule,
    late: batch.late,
  });
  const quiet = quietField(batch);
  const sender = page.user.role === 'admin' && batch.sender_email ? senderField(batch) : null;

  const changes = () => ({
    version: batch.version,
    message: text.value,
    ...schedule.value(),
    ...(quiet ? quiet.value() : {}),
    ...(sender ? sender.value() : {}),
  });

  form.onsubmit = async (event) => {
    event.preventDefault();
    if (!text.check()) return;
    if (!schedule.ok()) schedule.show();
    else await send();
  };

  async function send() {
    save.disabled = true;
    problem.replaceChildren();
    try {
      const { batch: changed } = await call('PATCH', `/embed/api/batches/${batch.id}`, { body: changes() });
      dialog.close();
      saved(changed);
    } catch (refusal) {
      if (refusal.code.startsWith('time_')) schedule.ask(refusal);
      else problem.replaceChildren(refusalNote(refusal));
    } finally {
      save.disabled = false;
    }
  }

  form.replaceChildren(
    h('h2', { id: 'edit-title' }, t('edit.title')),
    text.root,
    when,
    quiet ? quiet.root : '',
    sender ? sender.root : '',
    problem,
    buttonRow(button(t('page.cancel'), { onclick: () => dialog.close() }), save),
  );
  showDialog(dialog);
}

/** Whether a bulk text moves out of each recipient's quiet hours; null for one text. */
function quietField({ source, move_quiet: moves }) {
  if (source !== 'bulk') return null;
  const input = h('input', { type: 'checkbox', checked: moves, 'data-act': 'move-quiet' });
  return {
    root: h('label', { class: 'check' }, input, h('span', {}, t('edit.quiet'))),
    value: () => ({ move_quiet: input.checked }),
  };
}
