// A text that is changed in the outbox, with what it costs.
import { gapsIn, isBlank } from './checks.js';
import { costWords, field, h, page, t } from './dom.js';
import { segments } from './segments.js';

/** A field with a batch's text. check() goes to what is missing, and returns true where nothing is. */
export function textField({ text }) {
  const area = h('textarea', { id: 'edit-text', rows: '5', 'aria-describedby': 'edit-cost' });
  const cost = h('small', { id: 'edit-cost', class: 'num' });
  const measure = () => {
    cost.textContent = costWords(segments(area.value));
  };
  area.value = text || '';
  area.addEventListener('input', measure);
  measure();
  return {
    root: field('edit-text', t('message.label'), area, cost),
    get value() {
      return area.value;
    },
    check() {
      const [gap] = gapsIn(area.value);
      if (!gap && !isBlank(area.value)) return true;
      area.focus();
      if (gap) area.setSelectionRange(gap.from, gap.to);
      return false;
    },
  };
}

/** The context of a schedule panel for a batch. */
export const scheduleContext = ({ to, quiet_hours: hours, source }) => ({
  time_zone: page.user.time_zone,
  to,
  quiet_hours: hours,
  mode: source,
});
