// How a bulk text reads for real people, one at a time.
import { $, announce, button, count, formatNumber, h, icon, segmentWords, t, tn, when } from './dom.js';

/** @param leaveOut leaves somebody out, by record id */
export function sampleView({ leaveOut }) {
  const root = $('#preview');
  let at = 0;

  function replace(...content) {
    root.hidden = false;
    root.replaceChildren(...content);
  }

  /**
   * Draws what was counted (see audiencePart); written is false for an empty text.
   */
  function draw(counted, written) {
    const { samples } = counted;
    if (!samples.length || !written) {
      root.hidden = true;
      return;
    }
    const sample = samples[Math.min(at, samples.length - 1)];
    replace(h('div', { class: 'row' }, heading(counted, written)), samplePanel(sample), costLine(counted));
  }

  function heading(counted, written) {
    const { samples, will, complete } = counted;
    const step = (by, name) => {
      const onclick = () => {
        at = (at + by + samples.length) % samples.length;
        draw(counted, written);
        $(`[data-step=${name}]`, root).focus();
        announce(samples[at].text);
      };
      const label = t(`bulk.${name}`);
      const props = { class: 'icon', 'aria-label': label, 'data-step': name, 'data-act': name, onclick };
      return samples.length > 1 ? button(icon(name), props) : '';
    };
    const key = samples.length < will || !complete ? 'bulk.sample_first' : 'bulk.sample';
    const place = t(key, { at: count(at + 1), of: count(samples.length) });
    return [
      h('h2', { class: 'grow' }, t('bulk.preview')),
      step(-1, 'prev'),
      h('span', { class: 'num' }, place),
      step(1, 'next'),
    ];
  }

  function samplePanel(sample) {
    const { name, deal, to, text, record_id: id } = sample;
    const number = h('span', { class: 'nowrap' }, formatNumber(to));
    const details = h('small', { class: 'num' }, deal ? ` · ${deal}` : '', ' · ', number);
    const out = button(t('batch.leave_out'), {
      class: 'link',
      'data-act': 'sample-out',
      'aria-label': t('batch.leave_out_of', { name }),
      onclick: () => leaveOut(id),
    });
    return h(
      'div',
      { class: 'panel' },
      h('div', {}, h('strong', {}, name), details),
      h('p', { class: 'bubble' }, text),
      h('div', { class: 'row' }, h('small', { class: 'num grow' }, segmentWords(sample)), out),
    );
  }

  return {
    draw,
    replace,
    /** The id of the record that is shown. */
    record: ({ samples }) => samples[Math.min(at, samples.length - 1)]?.record_id,
    rewind() {
      at = 0;
    },
  };
}

function costLine({ segments, lastAt, complete }) {
  const last = lastAt && complete ? t('bulk.last_at', { time: when(lastAt) }) : '';
  return h('small', { class: 'num' }, [tn('bulk.worst', segments || 1), last].filter(Boolean).join(' · '));
}
