// The settings dialog of the app page.
import { call } from './api.js';
import { showDialog } from './dialogs.js';
import { $, h, locale, note, t } from './dom.js';

// Where Dialpad texts at all (help.dialpad.com, "Send a message").
const COUNTRIES = ['US', 'CA', 'GB', 'AU'];

export function settingsDialog({ settings }, saved) {
  const dialog = $('#settings');
  const form = $('form', dialog);
  const errors = $('.errors', form);
  fill(form, settings);
  errors.replaceChildren();
  mark(form, {});
  form.elements.quiet.onchange = () => quiet(form);
  $('.cancel', form).onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    const button = $('.primary', form);
    button.disabled = true;
    try {
      const answer = await call('PUT', '/apps/dialpad/settings', { body: read(form) });
      dialog.close();
      saved(answer.settings);
    } catch (refused) {
      errors.replaceChildren(note('bad', refused.message));
      mark(form, refused.details.fields || {});
    } finally {
      button.disabled = false;
    }
  };
  showDialog(dialog);
}

function fill(
  { elements },
  { country, rate_per_minute: rate, reserve, quiet_hours: hours, opt_out_line: line },
) {
  const names = new Intl.DisplayNames([locale], { type: 'region' });
  const all = COUNTRIES.includes(country) || !country ? COUNTRIES : [country, ...COUNTRIES];
  elements.country.replaceChildren(...all.map((code) => h('option', { value: code }, names.of(code))));
  elements.country.value = country || 'US';
  elements.rate_per_minute.value = rate;
  elements.reserve.value = reserve;
  elements.quiet.checked = Boolean(hours);
  elements.from.value = hours ? hours.from : '20:00';
  elements.to.value = hours ? hours.to : '08:00';
  elements.opt_out_line.value = line || '';
  quiet({ elements });
}

function quiet({ elements }) {
  elements.from.disabled = elements.to.disabled = !elements.quiet.checked;
}

function read({ elements }) {
  const number = (input) => (input.value.trim() === '' ? 0 : Number(input.value));
  return {
    country: elements.country.value,
    rate_per_minute: number(elements.rate_per_minute),
    reserve: number(elements.reserve),
    quiet_hours: elements.quiet.checked ? { from: elements.from.value, to: elements.to.value } : null,
    opt_out_line: elements.opt_out_line.value.trim(),
  };
}

// Each wrong field says so itself, where its help stands.
function mark(form, fields) {
  for (const old of form.querySelectorAll('.wrong')) old.remove();
  for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
  let first = null;
  for (const [name, why] of Object.entries(fields)) {
    const input = form.elements[name] || (name.startsWith('quiet') ? form.elements.quiet : null);
    if (!input) continue;
    input.setAttribute('aria-invalid', 'true');
    input
      .closest('.field, fieldset')
      .append(h('small', { class: 'wrong badge bad', id: `wrong-${name}` }, why));
    first ??= input;
  }
  if (first) first.focus();
}
