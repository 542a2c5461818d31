import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standFor } from './page.js';

const kept = []; // what the server was asked to keep
let listeners = 0;
let room = 1; // how often the browser stores something

standFor({ id: '42' });
Object.assign(globalThis.document, {
  querySelector: () => ({ content: 'token' }),
  addEventListener: () => (listeners += 1),
});
const storage = {
  getItem: () => null,
  setItem() {
    room -= 1;
    if (room < 0) throw new Error('full');
  },
};
globalThis.window = { sessionStorage: storage, addEventListener: () => (listeners += 1) };
globalThis.window.parent = globalThis.window;
globalThis.fetch = async (address, { body }) => {
  kept.push(JSON.parse(body));
  return new Response(null, { status: 204 });
};
const { draftStore } = await import('../js/draft.js');

test('a draft that the browser does not store is kept at the server', () => {
  const store = draftStore('7', { draft: null });
  store.write({ text: 'Hi', key: 'k1', unanswered: { message: 'Hi' } });
  assert.equal(store.read().text, 'Hi');
  assert.deepEqual(kept, [{ text: 'Hi', key: 'k1', unanswered: { message: 'Hi' } }]);
});

test('a popup that opens again adds no listeners', () => {
  const before = listeners;
  for (let n = 0; n < 3; n += 1) draftStore('7', { draft: null }).write({ text: 'Hi', key: 'k2' });
  assert.equal(listeners, before);
  assert.equal(draftStore('7', {}).read().key, 'k2');
});
