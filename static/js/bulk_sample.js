// How a bulk text reads for real people, one at a time.
import { $, announce, button, count, formatNumber, h, icon, note, segmentWords, t, tn, when } from './dom.js';

/** @param move the checkbox that moves texts out of the quiet hours */
export function sampleView({ move }) {
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
    const { samples, quiet } = counted;
    if (!samples.length || !written) {
      root.hidden = true;
      return;
    }
    const sample = samples[Math.min(at, samples.length - 1)];
    const parts = [
      h('div', { class: 'row' }, heading(counted, written)),
      samplePanel(sample),
      costLine(counted),
    ];
    if (quiet) {
      parts.push(note('warn', tn('bulk.quiet', quiet)));
      parts.push(h('label', { class: 'check' }, move, h('span', {}, t('bulk.quiet.move'))));
    }
    replace(...parts);
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

  return {
    draw,
    replace,
    rewind() {
      at = 0;
    },
  };
}

function samplePanel(sample) {
  const { name, deal, to, text } = sample;
  const number = h('span', { class: 'nowrap' }, formatNumber(to));
  const details = h('small', { class: 'num' }, deal ? ` · ${deal}` : '', ' · ', number);
  return h(
    'div',
    { class: 'panel' },
    h('div', {}, h('strong', {}, name), details),
    h('p', { class: 'bubble' }, text),
    h('small', { class: 'num' }, segmentWords(sample)),
  );
}

function costLine({ segments, lastAt, complete }) {
  const last = lastAt && complete ? t('bulk.last_at', { time: when(lastAt) }) : '';
  return h('small', { class: 'num' }, [tn('bulk.worst', segments || 1), last].filter(Boolean).join(' · '));
}
