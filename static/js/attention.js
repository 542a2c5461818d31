// What a person should look at: texts on hold, with "Resume all", and texts of one's
// own that failed or were answered since one last looked.
import { call } from './api.js';
import { confirmDialog } from './dialogs.js';
import { $, announce, button, count, h, has, keepFocus, link, note, refusalNote, t, tn } from './dom.js';
import { post } from './host.js';

/** How many things there are to look at: for a badge. */
const attentionCount = ({ failed = 0, uncertain = 0, replied = 0, held = [] }) =>
  failed + uncertain + replied + held.reduce((sum, { batches }) => sum + batches, 0);

/**
 * Draws the notes into #attention and tells the CRM how many things there are.
 * @param anchor (query, words) → a link to the outbox with these filters
 * @param changed called after something was resumed or dismissed
 * @param counted called with the number
 */
export async function showAttention({ anchor, changed, counted = () => {} }) {
  try {
    const attention = await call('GET', '/texts/api/attention');
    draw($('#attention'), attention, { anchor, changed });
    const things = attentionCount(attention);
    counted(things);
    post('badge', { count: things });
  } catch {
    // what else the page asks for says what is wrong
  }
}

function draw(root, attention, { anchor, changed }) {
  const { held, failed, uncertain, replied, many } = attention;
  const notes = held.map((cause) => heldNote(root, cause, { anchor, changed }));
  const more = many ? '+' : '';
  const seen = () => call('POST', '/texts/api/seen', { body: {} }).then(changed);
  const dismiss = () => link(t('attention.dismiss'), () => seen().catch((refusal) => show(root, refusal)));
  if (failed) notes.push(problemNote('failed', `${count(failed)}${more}`, failed, anchor, dismiss()));
  if (uncertain) notes.push(problemNote('unknown', `${count(uncertain)}${more}`, uncertain, anchor, dismiss()));
  if (replied) notes.push(problemNote('replied', `${count(replied)}${replied < MOST ? '' : '+'}`, replied, anchor, dismiss()));
  keepFocus(root, () => root.replaceChildren(...notes));
}

const NOTE_KIND = { failed: 'bad', unknown: 'warn', replied: 'good' };
const MOST = 100; // answers that are counted

const problemNote = (state, n, number, anchor, dismiss) =>
  note(
    NOTE_KIND[state],
    `${t(number === 1 ? `attention.${state}.one` : `attention.${state}.other`, { n })} `,
    anchor({ state }, t('attention.show')),
    ' · ',
    dismiss,
  );

function heldNote(root, cause, { anchor, changed }) {
  const { code, reason, batches, resumable } = cause;
  const gone = `held.${code}.back`;
  const words =
    resumable && has(gone) ? t(gone) : tn('held.why', batches, { reason: reason.replace(/\.$/, '') });
  const resume = () =>
    button(t('held.resume_all', { n: count(batches) }), {
      'data-act': `resume-${code}`,
      onclick: () => askToResume(root, cause, changed),
    });
  const said = h('span', { class: 'grow' }, `${words} `, anchor({ state: 'held' }, t(resumable ? 'held.review' : 'attention.show')));
  return note('warn', h('div', { class: 'row' }, said, resumable ? resume() : ''));
}

// What is past its time goes out the moment it is resumed.
function askToResume(root, { code, batches, overdue }, changed) {
  const run = () => resumeAll(root, code, changed);
  if (!overdue) return run();
  const later = batches - overdue;
  return confirmDialog($('#confirm'), {
    title: tn('held.sure', batches),
    lines: [tn('held.sure.now', overdue), ...(later ? [tn('held.sure.later', later)] : [])],
    yes: t('held.resume_all', { n: count(batches) }),
    no: t('sure.resume.no'),
    run,
  });
}

async function resumeAll(root, code, changed) {
  let after = null;
  let resumed = 0;
  let failed = 0;
  let why = '';
  try {
    do {
      const answer = await call('POST', '/texts/api/resume', { body: { code, after } });
      resumed += answer.resumed;
      failed += answer.failed;
      why ||= answer.reason;
      after = answer.next;
    } while (after);
  } catch (refusal) {
    show(root, refusal);
    return;
  }
  const words = tn('held.resumed', resumed);
  announce(words);
  await changed();
  root.prepend(note(failed ? 'warn' : 'good', words, failed ? ` ${tn('held.not_resumed', failed, { reason: why })}` : ''));
}

const show = (root, refusal) => root.prepend(h('div', { role: 'alert' }, refusalNote(refusal)));
