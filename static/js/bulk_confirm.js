// The question before a bulk text to many people: how many, when, at what hour there,
// and how it reads for the first of them.
import { announce, button, h, note, t, tn, when } from './dom.js';
import { clockRange } from './times.js';

/**
 * @param {object} options
 *   counted  what was counted (bulk.js)
 *   context  of the popup
 *   later    the time in words, "" for now
 *   moves    whether texts wait for the end of quiet hours
 *   moveLabel · confirm (gets the choice about quiet hours) · back
 */
export function confirmBulk(root, { counted, context, later, moves, moveLabel, confirm, back }) {
  const { will, quiet, excluded, samples, lastAt } = counted;
  const title = tn(later ? 'confirm.title.later' : 'confirm.title.now', will);
  const move = h('input', { type: 'checkbox', checked: moves, 'data-act': 'confirm-move' });
  const [sample] = samples;
  const send = later ? tn('confirm.later', will) : tn('bulk.send', will);
  const night = quiet ? nightWords({ will, quiet, hours: context.quiet_hours }) : '';
  root.replaceChildren(
    h('h2', { id: 'confirm-title' }, title),
    later ? h('p', {}, later) : '',
    night ? note('warn', h('p', {}, h('strong', {}, night)), h('label', { class: 'check' }, move, h('span', {}, moveLabel))) : '',
    lastAt && !quiet ? h('p', { class: 'soft' }, t('confirm.when.now', { time: when(lastAt) })) : '',
    excluded.length ? h('p', { class: 'soft' }, tn('confirm.wont', excluded.length)) : '',
    h('p', {}, t('confirm.first', { name: sample.name })),
    h('p', { class: 'bubble' }, sample.text),
    h(
      'div',
      { class: 'foot' },
      button(t('confirm.back'), { 'data-act': 'confirm-back', onclick: back }),
      button(send, { class: 'primary', 'data-act': 'confirm-send', onclick: () => confirm(move.checked) }),
    ),
  );
  root.onkeydown = (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    back();
  };
  announce([title, night].filter(Boolean).join(' '));
  // Not the button: the key that asked must not answer too.
  root.focus();
}

function nightWords({ will, quiet, hours }) {
  const whom = quiet >= will ? t('confirm.night.all') : tn('confirm.night.some', quiet);
  return hours ? `${whom} ${t('confirm.night.hours', { hours: clockRange(hours) })}` : whom;
}
