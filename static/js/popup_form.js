// The form of the popup: who gets the text, the text, when it goes out, Send.
import { drawAddressees, drawConsent, firstName, lastTextNote } from './addressees.js';
import { Refused, loaded } from './api.js';
import { gapsIn, isBlank } from './checks.js';
import { composer } from './composer.js';
import { $, announce, button, buttonRow, h, link, note, t } from './dom.js';
import { wireFields, wireTemplates } from './pickers.js';
import { isForm } from './popup_state.js';
import { clock, dayWords } from './times.js';

const DAY = 86_400_000;

/** How long a bulk text that was asked about waits, so that it can be undone. */
const UNDO_SECONDS = 10;

/**
 * Makes the form work. getState returns the state of the popup (popup_state.js),
 * dispatch sends it an event. The parts are made when they are first needed.
 */
export function popupForm({ getState, dispatch }) {
  const form = $('#compose');
  const sendButton = $('#send');
  const scheduleButton = $('#later');
  const testButton = $('#test');
  const warnings = warningPlace($('#warnings'));
  let writing = null; // the composer
  let schedule = null; // the schedule panel
  let audience = null; // who gets a bulk text
  let counting = false; // Send was pressed and waits for the count
  let talking = false; // the conversation is shown

  async function open() {
    const { context } = getState();
    const isBulk = context.mode === 'bulk';
    drawAddressees(context);
    drawConsent(context, () => dispatch({ type: 'start' }));
    warnings.put('last', lastTextNote(context));
    $('#test-panel').hidden = true;
    testButton.setAttribute('aria-expanded', 'false');
    if (!writing) {
      writing = composer({ changed: textChanged, many: isBulk });
      wireTemplates(writing, () => getState().context, (message) => dispatch({ type: 'problem', message }));
      wireFields(writing, () => getState().context);
    }
    writing.renew(context);
    if (isBulk && audience) audience.renew(context);
    else if (isBulk) await loadAudience(context);
    if (schedule && !schedule.open) schedule = null; // it is made anew, of this context
    if (!isForm(getState())) return;
    writing.set(getState().draft.text || '');
    render();
    if (getState().name === 'writing') writing.focus();
    if (!isBulk) showConversation();
    import('./follow.js').catch(() => {}); // needed after Send, when the network may be gone
  }

  // Without it a text can be written all the same.
  function showConversation() {
    if (talking) return;
    talking = true;
    import('./conversation.js').then(({ conversation }) => conversation($('#talk')), () => (talking = false));
  }

  async function loadAudience(context) {
    try {
      const { audiencePart } = await loaded(import('./bulk.js'));
      audience ??= audiencePart({
        context,
        writing,
        changed: render,
        warn: (...notes) => warnings.put('audience', notes),
        schedule: () => (schedule?.open && schedule.ok() ? schedule.value().schedule : null),
        watch: (batch) => dispatch({ type: 'watch', batch }),
      });
    } catch (refusal) {
      if (!(refusal instanceof Refused)) throw refusal;
      dispatch({ type: 'moduleRefused', refusal });
    }
  }

  function textChanged(text) {
    dispatch({ type: 'edited', text });
    audience?.changed();
  }

  // Before it is known what became of a request, only the same can be sent again:
  // another text, or another time, would be a second one.
  function render() {
    const state = getState();
    if (!isForm(state) || !writing) return;
    const isSending = state.name === 'sending';
    const isLocked = state.name === 'unknown' || (isSending && state.again);
    for (const part of form.querySelectorAll(':scope > :not(.dock), #warnings')) part.inert = isLocked;
    sendButton.disabled = isSending;
    sendButton.setAttribute('aria-disabled', String(isSending || !(isLocked || isComplete())));
    scheduleButton.disabled = isSending || isLocked;
    writing.area.readOnly = isSending;
    $('span', sendButton).textContent = sendLabel(state);
    sendButton.setAttribute('aria-busy', String(counting));
  }

  function sendLabel({ name }) {
    if (counting) return t('bulk.counting_button');
    if (name === 'sending') return t('popup.sending');
    if (name === 'unknown') return t('popup.again');
    if (schedule?.open) return t('popup.send_later');
    return audience ? audience.label() : t('popup.send');
  }

  function isComplete() {
    const text = writing.get();
    if (isBlank(text) || gapsIn(text).length || writing.area.getAttribute('aria-invalid') === 'true')
      return false;
    if (schedule?.open && !schedule.ok()) return false;
    return getState().context.mode === 'bulk' ? Boolean(audience?.ok()) : true;
  }

  /** The body of POST /embed/api/batches. */
  function request() {
    const body = { message: writing.get() };
    if (audience) Object.assign(body, audience.request());
    if (schedule?.open) Object.assign(body, schedule.value());
    return body;
  }

  async function submit(event) {
    event.preventDefault();
    if (!isForm(getState()) || !writing || counting) return;
    if (getState().name === 'writing' && isComplete() && mayAsk()) await finishCounting();
    send(request());
  }

  const mayAsk = () => Boolean(audience) && getState().context.count > getState().context.limits.confirm_over;

  // Before many are texted it has to be known how many, and whether it is night there.
  async function finishCounting() {
    counting = true;
    render();
    try {
      await audience.counted();
    } finally {
      counting = false;
      render();
    }
  }

  function send(body) {
    const ask = mayAsk() && audience.will() > getState().context.limits.confirm_over;
    if (ask && !body.schedule) body.undo_seconds = UNDO_SECONDS;
    dispatch({ type: 'submit', body, key: crypto.randomUUID(), complete: isComplete(), ask });
  }

  async function loadSchedule() {
    try {
      const { schedulePanel } = await import('./schedule.js');
      const { context } = getState();
      schedule ??= schedulePanel({
        root: $('#schedule'),
        context,
        changed: scheduleChanged,
        warn: (...notes) => warnings.put('schedule', schedule?.open === false ? [] : notes),
      });
      return true;
    } catch {
      showProblem(t('error.network'));
      return false;
    }
  }

  async function toggleSchedule() {
    if (getState().name !== 'writing') return;
    // Once loaded it opens and closes at once: a Send right after must not be
    // scheduled.
    if (!schedule && !(await loadSchedule())) return;
    schedule.toggle();
    if (!schedule.open) warnings.put('schedule', []);
    if (schedule.open) $('#schedule').scrollIntoView({ block: 'nearest' });
    scheduleButton.setAttribute('aria-expanded', String(schedule.open));
    $('span', scheduleButton).textContent = t(schedule.open ? 'popup.now' : 'popup.schedule');
    scheduleChanged();
  }

  // What is missing in the text is shown first.
  function textForTest() {
    const text = writing.get();
    if (!isBlank(text) && !gapsIn(text).length) return text;
    if (!writing.jumpToGap()) writing.focus();
    return null;
  }

  async function openTest() {
    const panel = $('#test-panel');
    if (!isForm(getState()) || !writing || !panel.hidden) return;
    try {
      const { testPanel } = await loaded(import('./test_text.js'));
      const close = () => {
        testButton.setAttribute('aria-expanded', 'false');
        testButton.focus();
      };
      testPanel(panel, { message: textForTest, recordID: () => audience?.shownRecord(), close });
      testButton.setAttribute('aria-expanded', 'true');
      panel.scrollIntoView({ block: 'nearest' });
    } catch (refusal) {
      showProblem(refusal.message);
    }
  }

  // Who would get the text at night depends on the time.
  function scheduleChanged() {
    audience?.changed();
    render();
  }

  form.addEventListener('submit', submit);
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    if (event.ctrlKey || event.metaKey) submit(event);
    // A form sends at Enter in any field: here only a button does.
    else if (event.target.tagName === 'INPUT') event.preventDefault();
  });
  scheduleButton.addEventListener('click', toggleSchedule);
  testButton.addEventListener('click', openTest);

  return {
    open,
    render,
    showProblem,
    focusSend: () => sendButton.focus(),
    focusText: () => writing?.focus(),
    sayUndone() {
      writing?.remark(note('good', t('undo.done')));
      announce(t('undo.done'));
    },

    /** Asks before a bulk text to many people goes out. */
    askToConfirm(body) {
      audience.ask($('#confirm'), {
        later: schedule?.open ? schedule.words() : '',
        confirm: (moveQuiet) => dispatch({ type: 'confirm', body: { ...body, move_quiet: moveQuiet } }),
        back: () => dispatch({ type: 'reconsider' }),
      });
    },

    /** Shows what is missing: a time that has passed meanwhile, a gap, else the text. */
    showIncomplete() {
      if (schedule?.open && !schedule.ok()) schedule.show();
      else if (!writing.jumpToGap()) writing.focus();
    },

    /** Puts the server's question about the time to the person. */
    askForTime(refusal) {
      if (schedule) schedule.ask(refusal);
      else showProblem(refusal.message);
    },

    /** Puts the server's question whether to text somebody at night to the person. */
    askAboutNight({ details }) {
      const { choices = [], time_zone: zone } = details;
      const choose = ({ move_quiet: move }) => send({ ...request(), move_quiet: move });
      const choice = (one) =>
        button(one.move_quiet ? t('night.later', { time: atTheirTime(one.at, zone) }) : t('night.now'), {
          'data-act': 'night',
          onclick: () => choose(one),
        });
      const question = t('night.question', { time: clock(Date.now(), zone), whom: firstName(getState().context.to) });
      showQuestion(question, choices.map(choice));
      announce(question);
      $('[data-act=night]:last-child').focus();
    },

    /** Says that nobody knows whether the text has gone. */
    showUnknown(cause) {
      const words = t(cause === 'network' ? 'popup.kept' : 'popup.kept.ours');
      const change = () => dispatch({ type: 'changeAnyway' });
      showProblem(words, ' ', link(t('popup.kept.other'), change));
      sendButton.focus();
    },
  };
}

/** What stands above Send: each part puts its own warnings there and takes them back. */
function warningPlace(root) {
  const parts = new Map();
  return {
    put(name, notes) {
      parts.set(name, notes);
      root.replaceChildren(...[...parts.values()].flat());
      root.hidden = !root.childElementCount;
    },
  };
}

/** "8:00 AM", or "Tue, Nov 24, 8:00 AM" where it is further than a day away. */
const atTheirTime = (at, zone) =>
  Date.parse(at) - Date.now() > DAY ? t('when.day', { day: dayWords(at, zone), time: clock(at, zone) }) : clock(at, zone);

/** Shows a question with the buttons that answer it. */
function showQuestion(message, buttons) {
  const place = $('#problem');
  place.hidden = false;
  place.replaceChildren(note('warn', h('div', { class: 'stack grow' }, h('p', {}, message), buttonRow(...buttons))));
  place.scrollIntoView({ block: 'nearest' });
}

/**
 * Shows what is wrong, or with no content nothing. Send is in sight wherever one is.
 */
function showProblem(...content) {
  const place = $('#problem');
  place.hidden = content.length === 0;
  announce(''); // "Sending…" is no longer true
  place.replaceChildren(...(content.length ? [note('bad', ...content)] : []));
  if (content.length) place.scrollIntoView({ block: 'nearest' });
}
