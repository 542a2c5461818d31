// The life of one text in the popup, as a state machine. next(state, event) is pure:
// it returns the next state and the effects that the page has to run, in order.
//
//   loading    reads the context, and what became of the last text
//   blocked    this person can't text now; `obstacle` says why
//   writing    the form
//   confirming asks before a bulk text to many people
//   sending    the request is on its way
//   unknown    its answer was lost: the text may have gone or not
//   following  the text is accepted; shows its state until nothing more can happen
//   watching   another bulk text of this person, while one is being written
//
// The guard against sending twice:
//   - while a request is on its way, nothing else can be sent;
//   - the draft keeps the request (`unanswered`) and its Idempotency-Key before it
//     leaves, also over a reload, until it is known what became of it;
//   - until then only the same request can be sent again, under the same key;
//   - the key belongs to the body: a changed text gets a new one.
//
// A draft is {text, key, body, unanswered, batch}: what is written, the last key and the
// body (as JSON) that it belongs to, the request without an answer, the batch it became.

/** How long to wait before asking again whether the network is back. */
export const RETRY_DELAY = 4000;

// These refusals of a send concern the whole popup; others are shown beside the text.
const BLOCKING = new Set([
  'plan_required',
  'not_installed',
  'not_connected',
  'no_accounts',
  'no_account',
  'opted_out',
  'session_over',
]);

// The text has left: nothing of it has to be kept.
const LEFT = new Set(['sent', 'delivered']);

// Nothing changes any more: the popup may start anew when it is shown again.
const OVER = new Set(['sent', 'delivered', 'undelivered', 'failed', 'skipped', 'cancelled', 'done']);

/**
 * visibility is "never", "shown" or "hidden": the CRM shows the popup only when it is
 * ready.
 */
export const initial = { name: 'loading', visibility: 'never', context: null, draft: {} };

/**
 * Returns {state, effects} for an event {type, …}. An event that a state does not
 * know changes nothing. A changed draft is saved before any other effect.
 */
export function next(state, event) {
  const handle = transitions[state.name][event.type] ?? everywhere[event.type];
  if (!handle) return { state, effects: [] };
  const [after, ...effects] = handle(state, event);
  const changed = after.draft !== state.draft && after.draft !== event.draft;
  return {
    state: after,
    effects: changed ? [{ type: 'saveDraft', draft: after.draft }, ...effects] : effects,
  };
}

/** True while the form is on the screen. */
export const isForm = ({ name }) => name === 'writing' || name === 'sending' || name === 'unknown';

/** What stands in the way of texting at all, or null. */
export function obstacleIn({ state, mode, to, from }) {
  if (state) return state;
  if (mode === 'one' && to.opted_out) return { code: 'opted_out' };
  if (mode === 'one' && to.problem) {
    return /number/.test(to.problem.code) ? { ...to.problem, code: 'invalid_number' } : to.problem;
  }
  if (!from || !from.number) return { code: 'no_number' };
  return null;
}

// Fields that belong to one state alone do not survive it.
const enter = ({ visibility, context, draft }, name, fields = {}) => ({
  visibility,
  context,
  draft,
  name,
  ...fields,
});
const withDraft = (state, changes) => ({ ...state, draft: { ...state.draft, ...changes } });
const withText = (state, text) => (text === state.draft.text ? state : withDraft(state, { text }));

const start = (state) => [enter(state, 'loading'), { type: 'loadContext' }];

function block(state, obstacle) {
  const blocked = enter(state, 'blocked', { obstacle });
  const retry = obstacle.code === 'network' ? [{ type: 'retryLater' }] : [];
  return [blocked, { type: 'showObstacle', obstacle }, ...retry];
}

const openForm = (state) =>
  state.draft.unanswered
    ? [enter(state, 'unknown', { cause: 'network' }), { type: 'openForm' }, { type: 'showUnknown' }]
    : [enter(state, 'writing'), { type: 'openForm' }];

const openEmptyForm = (state, draft = {}) => openForm({ ...state, draft });

function contextLoaded(state, { context, draft }) {
  const loaded = { ...state, context, draft };
  const obstacle = obstacleIn(context);
  if (obstacle) return block(loaded, obstacle);
  if (draft.batch) return [enter(loaded, 'loading'), { type: 'loadBatch', id: draft.batch }];
  return openForm(loaded);
}

/**
 * A text that arrived, or was cancelled, needs no attention: the next one can be
 * written.
 */
function needsAttention({ state, counts }) {
  if (state === 'cancelled') return false;
  return state !== 'done' || Boolean(counts.failed || counts.undelivered || counts.uncertain);
}

const batchLoaded = (state, { batch }) =>
  needsAttention(batch) ? follow(state, batch) : openEmptyForm(state);

// Many texts go on by themselves as soon as they are taken; one text is kept until it
// has left.
function follow(state, batch) {
  const sent = { batch: batch.id, unanswered: null };
  if (state.context.mode === 'bulk') Object.assign(sent, { text: '', key: null });
  const following = enter(withDraft(state, sent), 'following', { id: batch.id, status: '' });
  return [following, { type: 'follow', batch }];
}

function submit(state, { body, key, complete, ask }) {
  if (!complete) return [state, { type: 'showIncomplete' }];
  if (ask) return [enter(state, 'confirming', { body, key }), { type: 'clearProblem' }, { type: 'askToConfirm', body }];
  return send(state, body, key, false);
}

function send(state, request, newKey, again) {
  const body = JSON.stringify(request);
  const { draft } = state;
  const key = draft.key && draft.body === body ? draft.key : newKey;
  const sending = enter(withDraft(state, { unanswered: request, key, body }), 'sending', { again });
  return [sending, { type: 'clearProblem' }, { type: 'send', body: request, key }];
}

// Our own failures and lost answers leave open what became of the request; an
// upstream that could not be reached was asked before anything was stored.
const isOutcomeKnown = ({ code, status }) =>
  code !== 'network' && (status < 500 || code.endsWith('_unreachable'));

function sendRefused(state, { refusal }) {
  if (!isOutcomeKnown(refusal)) {
    const cause = refusal.code === 'network' ? 'network' : 'server';
    return [enter(state, 'unknown', { cause }), { type: 'showUnknown' }];
  }
  const known = withDraft(state, { unanswered: null });
  const writing = enter(known, 'writing');
  if (refusal.code.startsWith('time_')) return [writing, { type: 'askForTime', refusal }];
  if (refusal.code === 'quiet_hours') return [writing, { type: 'askAboutNight', refusal }];
  if (BLOCKING.has(refusal.code)) return block(known, refusal);
  return [writing, { type: 'showProblem', message: refusal.message }, { type: 'focusSend' }];
}

// The person accepts that the first text may have gone. Unchanged, it keeps its key
// and goes once.
const changeAnyway = (state) => [
  enter(withDraft(state, { unanswered: null }), 'writing'),
  { type: 'clearProblem' },
  { type: 'focusText' },
];

function progressed(state, { id, status }) {
  if (id !== state.id) return [state];
  const moved = { ...state, status };
  return [state.name === 'following' && LEFT.has(status) ? withDraft(moved, { text: '', key: null }) : moved];
}

// The CRM keeps a closed popup, hidden. When it is shown again the world may have
// changed: ask anew, unless a text is on its way right now.
function shown(state) {
  const visible = { ...state, visibility: 'shown' };
  if (state.visibility === 'hidden' && canStartAnew(state)) return start(visible);
  return [visible, { type: 'focusTextIfNothingHasFocus' }];
}

function canStartAnew({ name, status }) {
  if (name === 'following' || name === 'watching') return OVER.has(status);
  return name !== 'sending' && name !== 'loading';
}

const hidden = (state) => [state.visibility === 'never' ? state : { ...state, visibility: 'hidden' }];

const edited = (state, { text }) => [withText(state, text)];
const problem = (state, { message }) => [state, { type: 'showProblem', message }];
const loadRefused = (state, { refusal }) => block(state, refusal);
// A script of the page could not be loaded.
const moduleRefused = loadRefused;

const everywhere = { start, shown, hidden };

const transitions = {
  loading: { contextLoaded, batchLoaded, batchMissing: (state) => openEmptyForm(state), loadRefused },
  blocked: {
    contextLoaded,
    // Still offline: what is shown stays as it is.
    loadRefused: (state, { refusal }) =>
      refusal.code === 'network' ? [state, { type: 'retryLater' }] : block(state, refusal),
    retry: (state) => [state, { type: 'loadContext' }],
    online: start,
  },
  writing: {
    edited,
    problem,
    submit,
    moduleRefused,
    watch: (state, { batch }) => [
      enter(state, 'watching', { id: batch.id, status: '' }),
      { type: 'watch', batch },
    ],
  },
  confirming: {
    confirm: (state, { body }) => send(state, body, state.key, false),
    reconsider: (state) => [enter(state, 'writing'), { type: 'focusSend' }],
  },
  sending: {
    edited,
    accepted: (state, { batch }) => {
      const [following, ...effects] = follow(state, batch);
      return [following, { type: 'reportSent', id: batch.id }, ...effects];
    },
    sendRefused,
  },
  unknown: {
    changeAnyway,
    moduleRefused,
    submit: (state, { key }) => send(state, state.draft.unanswered, key, true),
  },
  following: {
    progressed,
    resent: (state, { batch }) => follow(state, batch),
    editAgain: (state, { text }) => openEmptyForm(state, { text }),
    undone: (state, { text }) => [...openEmptyForm(state, { text }), { type: 'sayUndone' }],
    writeNew: (state) => openEmptyForm(state),
    moduleRefused,
  },
  watching: { progressed, back: openForm, moduleRefused },
};
