// Text the people of a batch again, with the same text or another one.
import { callOnce } from './api.js';
import { showDialog } from './dialogs.js';
import { $, button, buttonRow, h, refusalNote, t, tn } from './dom.js';
import { schedulePanel } from './schedule.js';
import { scheduleContext, textField } from './text_field.js';

/** Shows the dialog; made(batch) is called with the new batch. */
export function duplicateDialog(dialog, batch, made) {
  const form = $('form', dialog);
  const text = textField(batch);
  const when = h('div', { class: 'panel' });
  const problem = h('div', { role: 'alert' });
  const people = batch.counts.total;
  const go = h('button', { class: 'primary' });
  const choice = (value, checked) => {
    const radio = h('input', { type: 'radio', name: 'duplicate-when', value, checked, onchange: drawWhen });
    return h('label', { class: 'check' }, radio, t(`duplicate.${value}`));
  };
  const schedule = schedulePanel({ root: when, context: scheduleContext(batch), late: batch.late });
  const isLater = () => $('[name=duplicate-when]:checked', form)?.value !== 'now';

  function drawWhen() {
    when.hidden = !isLater();
    go.textContent = isLater() ? t('popup.send_later') : tn('bulk.send', people);
  }

  form.onsubmit = async (event) => {
    event.preventDefault();
    if (!text.check()) return;
    if (isLater() && !schedule.ok()) schedule.show();
    else await send();
  };

  async function send() {
    go.disabled = true;
    problem.replaceChildren();
    const body = { message: text.value, ...(isLater() ? schedule.value() : {}) };
    if (batch.source === 'bulk') body.move_quiet = batch.move_quiet;
    try {
      const { batch: created } = await callOnce('POST', `/embed/api/batches/${batch.id}/duplicate`, body);
      dialog.close();
      made(created);
    } catch (refusal) {
      if (isLater() && refusal.code.startsWith('time_')) schedule.ask(refusal);
      else problem.replaceChildren(refusalNote(refusal));
    } finally {
      go.disabled = false;
    }
  }

  form.replaceChildren(
    h('h2', { id: 'edit-title' }, t('duplicate.title')),
    h('p', { class: 'soft' }, batch.to ? batch.to.name || batch.to.display : tn('duplicate.people', people)),
    text.root,
    h('fieldset', { class: 'row' }, h('legend', {}, t('duplicate.when')), choice('later', true), choice('now', false)),
    when,
    problem,
    buttonRow(button(t('page.cancel'), { onclick: () => dialog.close() }), go),
  );
  drawWhen();
  showDialog(dialog);
}
