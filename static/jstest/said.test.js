import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { standFor } from './page.js';

const read = (language) => JSON.parse(readFileSync(new URL(`../words/${language}.json`, import.meta.url), 'utf8'));

// The server makes words/server.es.js of the catalogues.
const [english, spanish] = [read('en'), read('es')];
const pairs = Object.keys(english)
  .filter((key) => key.startsWith('server.'))
  .map((key) => [english[key], spanish[key]])
  .sort(([a], [b]) => a.split('{').length - b.split('{').length || b.length - a.length);
standFor({ locale: 'es-MX' }, 'es');
const said = await import('../js/said.js');
const translated = (answer) => said.translated(answer, () => ({ default: pairs }));

test("the server's sentences are in the language of the page", async () => {
  const given = {
    batch: { text: 'Not a valid number', reason: 'Your plan no longer includes Dialpad', warnings: ['Dialpad is not connected.'] },
    excluded: [{ name: 'Not a valid number', reason: 'Same number as Bob {x} $1' }],
    draft: { unanswered: { message: 'The text is empty.' } },
    timeline: [{ text: 'Attempt 2: plan, connection, sender and opt-outs checked' }],
    error: {
      message: 'There is no field {{Contact.fristName}}. Did you mean {{Contact.firstName}}?',
      details: { fields: { rate: 'Enter 1 to 1200.' } },
    },
    other: { message: 'Dialpad says no' },
  };
  const got = await translated(given);
  assert.equal(got.batch.text, 'Not a valid number');
  assert.equal(got.batch.reason, 'Tu plan ya no incluye Dialpad');
  assert.deepEqual(got.batch.warnings, ['Dialpad no está conectado.']);
  assert.deepEqual(got.excluded, [{ name: 'Not a valid number', reason: 'Mismo número que Bob {x} $1' }]);
  assert.equal(got.draft.unanswered.message, 'The text is empty.');
  assert.equal(got.timeline[0].text, 'Intento 2: comprobados plan, conexión, remitente y bajas');
  assert.equal(got.error.message, 'No existe el campo {{Contact.fristName}}. ¿Querías decir {{Contact.firstName}}?');
  assert.equal(got.error.details.fields.rate, 'Escribe un número de 1 a 1200.');
  assert.equal(got.other.message, 'Dialpad says no');
});

test('a sentence inside another one is replaced too', async () => {
  for (const [english, spanish] of [
    [
      "Ana's Dialpad account is suspended: this will fail on Friday.",
      'La cuenta de Dialpad de Ana está suspendida: este envío fallará el viernes.',
    ],
    [
      'The connection to Dialpad is broken: this will be held today.',
      'La conexión con Dialpad está interrumpida: este envío quedará en espera hoy.',
    ],
    ['Checked: Not a valid number', 'Comprobado: No es un número válido'],
  ]) {
    assert.equal((await translated({ warning: english })).warning, spanish);
  }
});

test('every sentence finds its own translation', async () => {
  for (const [sentence, words] of pairs) {
    const filled = sentence.replace(/\{(\w+)\}/g, '7');
    const { message } = await translated({ message: filled });
    assert.equal(message, words.replace(/\{(\w+)\}/g, '7'), sentence);
  }
});
