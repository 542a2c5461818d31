// "Send me a test": the text as the person gets it, to a number of one's own.
import { call, callOnce } from './api.js';
import { isBad, isFinal, textState } from './batch_state.js';
import { $, announce, button, dialpadCode, field, h, note, reasonOf, refusalNote, t } from './dom.js';
import { rememberTestNumber, testNumber } from './draft.js';
import { poll } from './poll.js';

/**
 * Shows the panel in root.
 * @param {object} options
 *   message   returns what is written, or null where something is missing
 *   recordID  returns whose values a bulk's test has; undefined in one to one
 *   close     called when the panel closes
 */
export function testPanel(root, { message, recordID, close }) {
  let watcher = null;
  let shown = ''; // the state on the screen
  const number = h('input', { id: 'test-number', type: 'tel', autocomplete: 'tel', value: testNumber(), 'aria-describedby': 'test-help' });
  const said = h('div', { class: 'stack', role: 'status' });
  const go = button(t('test.send'), { 'data-act': 'test-send', onclick: send });
  const hide = () => {
    watcher?.stop();
    root.hidden = true;
    close();
  };
  root.onkeydown = (event) => {
    if (event.key === 'Escape') hide();
    else if (event.key !== 'Enter' || event.target !== number) return;
    else if (!go.disabled) send();
    event.preventDefault();
    event.stopPropagation();
  };
  root.replaceChildren(
    field('test-number', t('test.number'), number, h('small', { id: 'test-help' }, t('test.help'))),
    said,
    h('div', { class: 'foot' }, button(t('page.close'), { onclick: hide }), go),
  );
  root.hidden = false;
  number.focus();

  async function send() {
    const text = message();
    if (text === null) return;
    if (!number.value.trim()) {
      number.focus();
      return;
    }
    go.disabled = true;
    watcher?.stop();
    shown = '';
    said.replaceChildren(note('', t('popup.sending')));
    try {
      const body = { message: text, to: number.value.trim(), record_id: recordID() };
      const { batch } = await callOnce('POST', '/embed/api/tests', body);
      if (number.value.trim() !== testNumber()) rememberTestNumber(number.value.trim());
      watcher = poll(batch, show, (refusal) => refusal && said.replaceChildren(refusalNote(refusal)));
    } catch (refusal) {
      said.replaceChildren(refusalNote(refusal));
    }
    go.disabled = false;
    go.focus();
  }

  function show(batch) {
    const state = textState(batch);
    const words = t(`state.message.${state}`);
    if (state === shown) return isFinal(state);
    shown = state;
    const tone = state === 'delivered' ? 'good' : isBad(state) ? 'bad' : '';
    said.replaceChildren(note(tone, t('test.state', { to: batch.to.display, state: words })));
    if (isBad(state)) explain(batch);
    announce(words);
    return isFinal(state);
  }

  async function explain({ id, reason }) {
    const { messages } = await call('GET', `/embed/api/batches/${id}/messages`).catch(() => ({ messages: [] }));
    const words = (messages[0] && reasonOf(messages[0])) || reason;
    if (words) $('.note > div', said)?.append(': ', words, messages[0] ? dialpadCode(messages[0]) : '');
  }
}
