// A row of the outbox: whom a batch is for, its state, text, source and problems.
import { batchBadge, heldWords, meter, progressWords, recipientWords, sourceWords, timeLeft, waitLine } from './batch_parts.js';
import { lost, shownState } from './batch_state.js';
import { badge, h, icon, tn, when } from './dom.js';
import { readable } from './readable.js';

/** A batch in the list; link is the element that leads to it. */
export function batchRow(batch, link) {
  const { counts, by, to, state, text, created_at: at, warning, send_at: due, replied } = batch;
  const isMany = counts.total > 1;
  const facts = [to && to.deal, by && by.name, sourceWords(batch)];
  if (shownState(batch) !== 'scheduled' || !due) facts.push(when(at));
  const problem = warning || (state === 'held' && heldWords(batch));
  const progress = timeLeft(batch) || (isMany ? progressWords(counts) : '');
  link.append(
    h('strong', {}, recipientWords(batch)),
    h(
      'span',
      { class: 'side' },
      batchBadge(batch),
      isMany ? meter(counts) : '',
      h('small', { class: 'num' }, progress),
    ),
    h('span', { class: 'say' }, readable(text || '')),
    h(
      'span',
      { class: 'row' },
      h('small', {}, facts.filter(Boolean).join(' · ')),
      replied ? badge('accent', icon('reply'), tn('progress.replied', replied)) : '',
      lost(counts) ? badge('bad', icon('alert'), tn('texts.failed', lost(counts))) : '',
      counts.uncertain ? badge('warn', icon('alert'), tn('texts.uncertain', counts.uncertain)) : '',
    ),
    problem ? badge('warn wrap', icon('alert'), problem) : waitLine(batch),
  );
  return h('li', {}, link);
}
