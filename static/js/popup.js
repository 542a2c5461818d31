// The text popup: runs the state machine of popup_state.js against the page and the
// server.
import { Refused, call, loaded } from './api.js';
import { $, announce, t } from './dom.js';
import { draftStore } from './draft.js';
import { followHeight, framed, post } from './host.js';
import { showObstacle } from './obstacle.js';
import { popupForm } from './popup_form.js';
import { RETRY_DELAY, initial, isForm, next } from './popup_state.js';

// The section of the page that each state shows.
const SECTION_OF = {
  loading: 'loading',
  blocked: 'state',
  writing: 'compose',
  confirming: 'confirm',
  sending: 'compose',
  unknown: 'compose',
  following: 'progress',
  watching: 'progress',
};
const SECTIONS = ['loading', 'state', 'compose', 'confirm', 'progress'];

let state = initial;
const form = popupForm({ getState: () => state, dispatch });

// What the effects leave behind for later ones.
const resources = { draftStore: null, stopFollowing: () => {}, retryTimer: 0 };

function dispatch(event) {
  const { state: after, effects } = next(state, event);
  if (after.name !== state.name) resources.stopFollowing();
  state = after;
  render();
  for (const effect of effects) run[effect.type](effect);
}

function render() {
  const current = SECTION_OF[state.name];
  for (const section of SECTIONS) $(`#${section}`).hidden = section !== current;
  const isBulk = state.context?.mode === 'bulk';
  if (isBulk && state.name !== 'blocked') $('#title').textContent = t('popup.title_bulk');
  form.render();
}

/**
 * Sends a refusal to the state machine. Any other error is a fault of the page and
 * goes to the console.
 */
function dispatchRefusal(type, error) {
  if (!(error instanceof Refused)) throw error;
  dispatch({ type, refusal: error });
}

// The effects of popup_state.js.
const run = {
  async loadContext() {
    try {
      const context = await call('GET', '/embed/api/context');
      const name = context.id || (context.to && context.to.number) || context.mode;
      resources.draftStore = draftStore(name, context);
      dispatch({ type: 'contextLoaded', context, draft: resources.draftStore.read() });
    } catch (error) {
      dispatchRefusal('loadRefused', error);
    }
  },

  async loadBatch({ id }) {
    try {
      const { batch } = await call('GET', `/embed/api/batches/${id}`);
      await loaded(import('./follow.js')); // so that no empty screen is shown meanwhile
      dispatch({ type: 'batchLoaded', batch });
    } catch (error) {
      if (error.status === 404) dispatch({ type: 'batchMissing' });
      else dispatchRefusal('loadRefused', error);
    }
  },

  // The event "online" alone may come before the server can be reached, or never.
  retryLater() {
    clearTimeout(resources.retryTimer);
    resources.retryTimer = setTimeout(() => dispatch({ type: 'retry' }), RETRY_DELAY);
  },

  showObstacle({ obstacle }) {
    const again = () => dispatch({ type: 'start' });
    clearTimeout(resources.retryTimer);
    showObstacle($('#state'), obstacle, { context: state.context, again });
  },

  saveDraft: ({ draft }) => resources.draftStore.write(draft),

  async send({ body, key }) {
    announce(t('popup.sending'));
    try {
      const headers = { 'Idempotency-Key': key };
      const { batch } = await call('POST', '/embed/api/batches', { body, headers });
      dispatch({ type: 'accepted', batch });
    } catch (error) {
      dispatchRefusal('sendRefused', error);
    }
  },

  reportSent: ({ id }) => post('sent', { batch_id: id }),

  follow: ({ batch }) =>
    follow({
      batch,
      text: state.draft.text,
      onEdit: (text) => dispatch({ type: 'editAgain', text }),
      onUndone: (text) => dispatch({ type: 'undone', text }),
      onNew: () => dispatch({ type: 'writeNew' }),
      onResent: (resent) => dispatch({ type: 'resent', batch: resent }),
    }),

  watch: ({ batch }) => follow({ batch, onBack: () => dispatch({ type: 'back' }) }),

  openForm: form.open,
  showIncomplete: form.showIncomplete,
  askToConfirm: ({ body }) => form.askToConfirm(body),
  sayUndone: form.sayUndone,
  askForTime: ({ refusal }) => form.askForTime(refusal),
  askAboutNight: ({ refusal }) => form.askAboutNight(refusal),
  showProblem: ({ message }) => form.showProblem(message),
  clearProblem: () => form.showProblem(),
  showUnknown: () => form.showUnknown(state.cause),
  focusSend: form.focusSend,
  focusText: form.focusText,

  // It could not have the focus while the CRM hid the popup.
  focusTextIfNothingHasFocus() {
    if (isForm(state) && document.activeElement === document.body) form.focusText();
  },
};

async function follow(options) {
  try {
    const { follow: start } = await loaded(import('./follow.js'));
    const { id } = options.batch;
    const onProgress = (status) => dispatch({ type: 'progressed', id, status });
    resources.stopFollowing(); // the same text, sent again
    resources.stopFollowing = start($('#progress'), { ...options, context: state.context, onProgress });
    $('#progress').focus();
  } catch (error) {
    dispatchRefusal('moduleRefused', error);
  }
}

function close() {
  post('close');
  if (!framed && window.opener) window.close();
}

const isMac = /Mac|iP(hone|ad)/.test(navigator.platform);
$('#keys').textContent = isMac ? '⌘↵' : 'Ctrl ↵';
$('#close').addEventListener('click', close);
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !event.defaultPrevented) close();
});
window.addEventListener('online', () => dispatch({ type: 'online' }));
// All of the page is observed: its head may be scrolled out of sight while somebody
// writes.
new IntersectionObserver(([entry]) => {
  dispatch({ type: entry.isIntersecting ? 'shown' : 'hidden' });
}).observe($('#main'));
followHeight($('#main'));
post('ready');
dispatch({ type: 'start' });
