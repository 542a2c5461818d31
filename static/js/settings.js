// The settings dialog of the app page.
import { call } from './api.js';
import { fold } from './checks.js';
import { showDialog } from './dialogs.js';
import { $, h, locale, refusalNote, t, tn } from './dom.js';
import { pickField } from './pick_field.js';
import { regionName } from './region_names.js';
import { clockRange } from './times.js';

let countries = null; // as the server lists them
let countryField = null;

/** Shows the dialog; saved(settings) is called with what the server stored. */
export function settingsDialog({ settings }, saved) {
  const dialog = $('#settings');
  const form = $('form', dialog);
  const errors = $('.errors', form);
  fill(form, settings);
  showLaws($('#laws', form), settings.country).catch(() => {}); // the settings work without the list
  errors.replaceChildren();
  markInvalid(form, {});
  form.elements.quiet.onchange = () => enableQuietHours(form);
  $('.cancel', form).onclick = () => dialog.close();
  form.onsubmit = async (event) => {
    event.preventDefault();
    const save = $('.primary', form);
    save.disabled = true;
    try {
      const answer = await call('PUT', '/apps/dialpad/settings', { body: read(form) });
      dialog.close();
      saved(answer.settings);
    } catch (refusal) {
      errors.replaceChildren(refusalNote(refusal));
      markInvalid(form, refusal.details.fields || {});
    } finally {
      save.disabled = false;
    }
  };
  showDialog(dialog);
}

function fill(form, settings) {
  const { country, rate_per_minute: rate, reserve, quiet_hours: hours, keep_laws: laws, opt_out_line: line } = settings;
  const { elements } = form;
  countryField ??= pickField({ root: $('#set-country-pick'), label: t('settings.country'), load: findCountries });
  countryField.set(country || 'US', regionName(country || 'US'));
  elements.rate_per_minute.value = rate;
  elements.reserve.value = reserve;
  elements.quiet.checked = Boolean(hours);
  elements.from.value = hours ? hours.from : '20:00';
  elements.to.value = hours ? hours.to : '09:00';
  elements.keep_laws.checked = Boolean(laws);
  elements.opt_out_line.value = line || '';
  elements.confirm_over.value = settings.confirm_over;
  enableQuietHours(form);
}

/** The countries whose name, letters or calling code begin with a query. */
async function findCountries(query) {
  countries ??= (await call('GET', '/apps/dialpad/countries')).countries
    .map(({ code, calling_code: calling }) => ({ id: code, label: regionName(code), hint: `${code} · +${calling}` }))
    .sort((a, b) => a.label.localeCompare(b.label, locale));
  const wanted = fold(query.replace(/^\+/, ''));
  const fits = ({ id, label, hint }) =>
    fold(label).includes(wanted) || fold(id) === wanted || hint.split('+')[1].startsWith(wanted);
  return countries.filter((one) => !wanted || fits(one));
}

function enableQuietHours({ elements }) {
  elements.from.disabled = elements.to.disabled = !elements.quiet.checked;
}

function read({ elements }) {
  const number = (input) => (input.value.trim() === '' ? 0 : Number(input.value));
  const { country, rate_per_minute: rate, reserve, quiet, from, to, keep_laws: laws, opt_out_line: line } = elements;
  return {
    country: country.value,
    rate_per_minute: number(rate),
    reserve: number(reserve),
    quiet_hours: quiet.checked ? { from: from.value, to: to.value } : null,
    keep_laws: laws.checked,
    opt_out_line: line.value.trim(),
    confirm_over: number(elements.confirm_over),
  };
}

// Says which law the hours come from, with links to the sources.
async function showLaws(root, country) {
  const { laws, checked } = await call('GET', '/apps/dialpad/laws');
  const source = ({ name, source: href }) => h('a', { href, target: '_blank', rel: 'noreferrer' }, name);
  const ofCountry = laws.filter((law) => law.country === (country || 'US'));
  const whole = ofCountry.find((law) => !law.state);
  const states = ofCountry.filter((law) => law.state);
  if (!whole) {
    root.replaceChildren(h('small', {}, t('settings.laws.none')));
    return;
  }
  const isSame = ({ weekdays, saturday, sunday }) => weekdays === saturday && weekdays === sunday;
  const range = (hours) => (hours ? clockRange({ from: hours.slice(0, 5), to: hours.slice(6) }) : '');
  const days = ({ place, ...law }) => {
    const { weekdays, saturday, sunday } = law;
    const said = { place, weekdays: range(weekdays), saturday: range(saturday), sunday: range(sunday) };
    return t(isSame(law) ? 'settings.laws.same' : 'settings.laws.days', said);
  };
  const item = (law) => h('li', {}, h('small', {}, days(law), source(law)));
  const words = tn('settings.laws.states', states.length, { checked });
  root.replaceChildren(
    h('small', {}, days(whole), source(whole), '.'),
    h('details', {}, h('summary', {}, h('small', {}, words)), h('ul', { class: 'scroll' }, states.map(item))),
    h('small', {}, t('settings.laws.advice')),
  );
}

// Shows the reason beside each wrong field.
function markInvalid(form, fields) {
  for (const old of form.querySelectorAll('.wrong')) old.remove();
  for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
  let first = null;
  for (const [name, reason] of Object.entries(fields)) {
    const input = (name === 'country' ? $('#set-country') : form.elements[name]) || (name.startsWith('quiet') ? form.elements.quiet : null);
    if (!input) continue;
    const words = h('small', { class: 'wrong badge bad', id: `wrong-${name}` }, reason);
    input.setAttribute('aria-invalid', 'true');
    input.closest('.field, fieldset').append(words);
    first ??= input;
  }
  if (first) first.focus();
}
