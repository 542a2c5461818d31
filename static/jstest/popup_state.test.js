import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { initial, next, obstacleIn } from '../js/popup_state.js';

const one = { mode: 'one', to: { number: '+14155550101' }, from: { number: '+14155550100' } };
const bulk = { mode: 'bulk', from: { number: '+14155550100' } };
const counts = { total: 1, queued: 0, sending: 0, failed: 0, undelivered: 0, uncertain: 0 };
const batch = { id: 'b1', state: 'sending', counts };

const lost = { code: 'network', status: 0, message: 'No connection.' };
const refusal = (code, status = 422) => ({ code, status, message: `Refused: ${code}.` });

/** A popup without a page: it runs the effects that matter here against a record. */
function popup(context = one, stored = {}) {
  const it = {
    state: initial,
    stored, // what the browser keeps
    requests: [], // what was sent: {body, key, stored}
    effects: [], // of the last event
    do(type, more = {}) {
      const answer = next(it.state, { type, ...more });
      it.state = answer.state;
      it.effects = answer.effects;
      for (const effect of answer.effects) {
        if (effect.type === 'saveDraft') it.stored = JSON.parse(JSON.stringify(effect.draft));
        if (effect.type === 'send')
          it.requests.push({ body: effect.body, key: effect.key, stored: it.stored });
      }
      return it;
    },
    /** Opens the popup with what the browser keeps. */
    open: (given = context) =>
      it.do('start').do('contextLoaded', { context: given, draft: JSON.parse(JSON.stringify(it.stored)) }),
    write: (text) => it.do('edited', { text }),
    send: (body = { message: it.state.draft.text }) =>
      it.do('submit', { body, key: `key ${(serial += 1)}`, complete: true }),
    ran: (type) => it.effects.find((effect) => effect.type === type),
  };
  return it;
}
let serial = 0;

/** A popup that was closed by the browser and opened again: only what was stored is left. */
const reloaded = (old, context = one) => popup(context, old.stored).open();

const written = (text = 'Hello') => popup().open().write(text);

describe('the guard against sending twice', () => {
  test('a double click sends one request', () => {
    const it = written().send().send().send();
    assert.equal(it.requests.length, 1);
  });

  test('the request and its key are stored before it leaves', () => {
    const it = written().send();
    const [{ body, key, stored }] = it.requests;
    assert.deepEqual(stored.unanswered, body);
    assert.equal(stored.key, key);
    assert.deepEqual(
      it.effects.map(({ type }) => type),
      ['saveDraft', 'clearProblem', 'send'],
    );
  });

  test('after a lost answer the same request is sent again under the same key', () => {
    const it = written().send().do('sendRefused', { refusal: lost });
    assert.equal(it.state.name, 'unknown');
    it.send({ message: 'Another text' });
    assert.equal(it.state.name, 'sending');
    assert.deepEqual(it.requests[1].body, it.requests[0].body);
    assert.equal(it.requests[1].key, it.requests[0].key);
  });

  test('a repeated request is sent once however often it is pressed', () => {
    const it = written().send().do('sendRefused', { refusal: lost }).send().send();
    assert.equal(it.requests.length, 2);
  });

  test('a text changed while its outcome is unknown is not taken', () => {
    const it = written().send().do('sendRefused', { refusal: lost }).write('Another text');
    assert.equal(it.state.draft.text, 'Hello');
  });

  test('an answer lost before a reload is still unknown after it', () => {
    const before = written().send().do('sendRefused', { refusal: lost });
    const it = reloaded(before);
    assert.equal(it.state.name, 'unknown');
    assert.ok(it.ran('showUnknown'));
    it.send({ message: 'Another text' });
    assert.deepEqual(it.requests[0].body, before.requests[0].body);
    assert.equal(it.requests[0].key, before.requests[0].key);
  });

  test('a popup closed while the request is on its way opens with an unknown outcome', () => {
    const before = written().send();
    const it = reloaded(before).send();
    assert.equal(it.requests[0].key, before.requests[0].key);
  });

  test('changed anyway and left as it was, the text keeps its key', () => {
    const it = written().send().do('sendRefused', { refusal: lost }).do('changeAnyway').send();
    assert.equal(it.state.name, 'sending');
    assert.equal(it.requests[1].key, it.requests[0].key);
  });

  test('changed anyway, also over a reload, another text gets another key', () => {
    const before = written().send().do('sendRefused', { refusal: lost }).do('changeAnyway');
    const it = reloaded(before);
    assert.equal(it.state.name, 'writing');
    it.write('Another text').send();
    assert.notEqual(it.requests[0].key, before.requests[0].key);
  });

  test('another time is another request', () => {
    const it = written()
      .send()
      .do('sendRefused', { refusal: refusal('quiet') });
    it.send({ message: 'Hello', schedule: { local: '2026-11-24T09:00' } });
    assert.notEqual(it.requests[1].key, it.requests[0].key);
  });

  test('a refused request that is sent unchanged keeps its key', () => {
    const it = written()
      .send()
      .do('sendRefused', { refusal: refusal('quiet') })
      .send();
    assert.equal(it.requests[1].key, it.requests[0].key);
  });

  test('the next text gets a key of its own, though it reads the same', () => {
    const it = written().send().do('accepted', { batch }).do('writeNew').write('Hello').send();
    assert.notEqual(it.requests[1].key, it.requests[0].key);
  });

  for (const [name, given] of [
    ['our own failure', refusal('unknown', 500)],
    ['a gateway that gave up', refusal('unknown', 504)],
    ['a lost answer', lost],
  ]) {
    test(`${name} leaves the outcome unknown`, () => {
      const it = written().send().do('sendRefused', { refusal: given });
      assert.equal(it.state.name, 'unknown');
      assert.ok(it.stored.unanswered);
    });
  }

  for (const given of [
    refusal('quiet'),
    refusal('crm_unreachable', 503),
    refusal('dialpad_unreachable', 502),
  ]) {
    test(`${given.code} says that nothing was sent`, () => {
      const it = written().send().do('sendRefused', { refusal: given });
      assert.equal(it.state.name, 'writing');
      assert.equal(it.stored.unanswered, null);
      assert.equal(it.ran('showProblem').message, given.message);
    });
  }

  test('an answer that comes when nothing is sent changes nothing', () => {
    const it = written();
    const before = it.state;
    assert.equal(it.do('accepted', { batch }).state, before);
    assert.equal(it.do('sendRefused', { refusal: lost }).state, before);
  });

  test('a popup shown again does not start anew while a request is on its way', () => {
    const it = written().do('shown').send().do('hidden').do('shown');
    assert.equal(it.state.name, 'sending');
  });
});

describe('opening', () => {
  test('an empty draft is written', () => {
    const it = popup().open();
    assert.equal(it.state.name, 'writing');
    assert.deepEqual(
      it.effects.map(({ type }) => type),
      ['openForm'],
    );
  });

  test('a kept text is still there', () => {
    assert.equal(popup(one, { text: 'Half a sen' }).open().state.draft.text, 'Half a sen');
  });

  test('a sent text is looked up first', () => {
    const it = popup(one, { batch: 'b1' }).open();
    assert.equal(it.state.name, 'loading');
    assert.equal(it.ran('loadBatch').id, 'b1');
  });

  for (const [name, given, follows] of [
    ['a text under way', { state: 'sending', counts }, true],
    ['a scheduled text', { state: 'scheduled', counts }, true],
    ['a failed text', { state: 'done', counts: { ...counts, failed: 1 } }, true],
    ['a text with an unknown outcome', { state: 'done', counts: { ...counts, uncertain: 1 } }, true],
    ['a delivered text', { state: 'done', counts }, false],
    ['a cancelled text', { state: 'cancelled', counts }, false],
  ]) {
    test(`${name} is ${follows ? 'followed' : 'forgotten'}`, () => {
      const it = popup(one, { batch: 'b1', text: 'Hello' }).open();
      it.do('batchLoaded', { batch: { id: 'b1', ...given } });
      assert.equal(it.state.name, follows ? 'following' : 'writing');
      if (!follows) assert.deepEqual(it.stored, {});
    });
  }

  test('a text that is gone is forgotten', () => {
    const it = popup(one, { batch: 'b1' }).open().do('batchMissing');
    assert.equal(it.state.name, 'writing');
    assert.deepEqual(it.stored, {});
  });
});

describe('what stands in the way', () => {
  const cases = [
    ['no account', { ...one, state: { code: 'no_account' } }, 'no_account'],
    ['an opt-out', { ...one, to: { opted_out: true } }, 'opted_out'],
    ['a number that is none', { ...one, to: { problem: { code: 'bad_number' } } }, 'invalid_number'],
    ['a record without a person', { ...one, to: { problem: { code: 'no_contact' } } }, 'no_contact'],
    ['a sender without a number', { ...one, from: {} }, 'no_number'],
    ['a bulk sender without a number', { ...bulk, from: null }, 'no_number'],
  ];
  for (const [name, context, code] of cases) {
    test(name, () => {
      assert.equal(obstacleIn(context).code, code);
      const it = popup(context).open();
      assert.equal(it.state.name, 'blocked');
      assert.equal(it.ran('showObstacle').obstacle.code, code);
    });
  }

  test('nothing', () => {
    assert.equal(obstacleIn(one), null);
    assert.equal(obstacleIn(bulk), null);
  });

  test('a plan lost while writing blocks, and the text is kept', () => {
    const it = written('Too late')
      .send()
      .do('sendRefused', { refusal: refusal('plan_required', 402) });
    assert.equal(it.state.name, 'blocked');
    assert.equal(reloaded(it).state.draft.text, 'Too late');
  });

  test('a network that is gone is tried again until it is back', () => {
    const it = popup().do('start').do('loadRefused', { refusal: lost });
    assert.deepEqual(
      it.effects.map(({ type }) => type),
      ['showObstacle', 'retryLater'],
    );
    it.do('retry');
    assert.deepEqual(
      it.effects.map(({ type }) => type),
      ['loadContext'],
    );
    it.do('loadRefused', { refusal: lost });
    assert.deepEqual(
      it.effects.map(({ type }) => type),
      ['retryLater'],
    );
    it.do('contextLoaded', { context: one, draft: {} });
    assert.equal(it.state.name, 'writing');
  });

  test('"online" starts anew only where something stands in the way', () => {
    const it = popup().do('start').do('loadRefused', { refusal: lost }).do('online');
    assert.equal(it.state.name, 'loading');
    it.do('contextLoaded', { context: one, draft: {} }).do('online');
    assert.equal(it.state.name, 'writing');
  });

  test('an answer or a retry that comes late changes nothing', () => {
    const it = written();
    const before = it.state;
    it.do('retry').do('loadRefused', { refusal: lost }).do('contextLoaded', { context: one, draft: {} });
    assert.equal(it.state, before);
  });
});

describe('sending', () => {
  test('what is incomplete is not sent', () => {
    const it = popup()
      .open()
      .do('submit', { body: { message: '' }, key: 'k', complete: false });
    assert.equal(it.requests.length, 0);
    assert.ok(it.ran('showIncomplete'));
  });

  test('a taken text is reported and followed', () => {
    const it = written().send().do('accepted', { batch });
    assert.deepEqual(
      it.effects.map(({ type }) => type),
      ['saveDraft', 'reportSent', 'follow'],
    );
    assert.equal(it.stored.batch, 'b1');
    assert.equal(it.stored.unanswered, null);
  });

  test('a question about the time is put to the person', () => {
    const it = written()
      .send()
      .do('sendRefused', { refusal: refusal('time_ambiguous') });
    assert.equal(it.state.name, 'writing');
    assert.ok(it.ran('askForTime'));
  });

  test('the answer to a question about quiet hours is a request of its own', () => {
    const it = written()
      .send()
      .do('sendRefused', { refusal: refusal('quiet_hours', 409) });
    assert.equal(it.state.name, 'writing');
    assert.equal(it.stored.unanswered, null);
    assert.ok(it.ran('askAboutNight'));
    it.send({ message: 'Hello', move_quiet: true });
    assert.equal(it.requests.length, 2);
    assert.notEqual(it.requests[0].key, it.requests[1].key);
  });
});

describe('following', () => {
  const followed = (context = one) => popup(context).open().write('Hello').send().do('accepted', { batch });

  test('one text is kept until it has left', () => {
    const it = followed().do('progressed', { id: 'b1', status: 'queued' });
    assert.equal(it.stored.text, 'Hello');
    it.do('progressed', { id: 'b1', status: 'sent' });
    assert.equal(it.stored.text, '');
    assert.equal(it.stored.key, null);
  });

  test('a failed text is kept', () => {
    const it = followed().do('progressed', { id: 'b1', status: 'failed' });
    assert.equal(it.stored.text, 'Hello');
  });

  test('a bulk text is not kept once it is taken', () => {
    assert.equal(followed(bulk).stored.text, '');
  });

  test('a text can be changed and sent anew', () => {
    const it = followed().do('editAgain', { text: 'Hello' });
    assert.equal(it.state.name, 'writing');
    assert.deepEqual(it.stored, { text: 'Hello' });
  });

  test('a text that is sent again is followed as the new one', () => {
    const it = followed().do('resent', { batch: { ...batch, id: 'b2' } });
    assert.equal(it.stored.batch, 'b2');
    assert.equal(it.ran('follow').batch.id, 'b2');
    assert.deepEqual(it.do('progressed', { id: 'b1', status: 'sent' }).effects, []);
  });

  for (const [status, anew] of [
    ['queued', false],
    ['scheduled', false],
    ['uncertain', false],
    ['sent', true],
    ['failed', true],
    ['done', true],
  ]) {
    test(`shown again, a ${status} text is ${anew ? 'followed no more' : 'still followed'}`, () => {
      const it = popup().do('shown').open().write('Hello').send().do('accepted', { batch });
      it.do('progressed', { id: 'b1', status }).do('hidden').do('shown');
      assert.equal(it.state.name, anew ? 'loading' : 'following');
    });
  }

  test('another bulk text is watched while one is being written', () => {
    const it = popup(bulk).open().write('Hello').do('watch', { batch });
    assert.equal(it.state.name, 'watching');
    it.do('progressed', { id: 'b1', status: 'done' }).do('back');
    assert.equal(it.state.name, 'writing');
    assert.equal(it.state.draft.text, 'Hello');
  });
});

test('a part of the form that can not be loaded blocks until the network is back', () => {
  const it = popup(bulk, { text: 'Hello' }).open().do('moduleRefused', { refusal: lost });
  assert.equal(it.state.name, 'blocked');
  it.do('retry').do('contextLoaded', { context: bulk, draft: it.state.draft });
  assert.equal(it.state.draft.text, 'Hello');
});

test('a popup shown for the first time does not start twice', () => {
  const it = popup().do('start').do('hidden').do('shown');
  assert.deepEqual(
    it.effects.map(({ type }) => type),
    ['focusTextIfNothingHasFocus'],
  );
});

describe('a bulk text to many people', () => {
  const asked = () => {
    const it = popup(bulk).open().write('Hello all');
    return it.do('submit', { body: { message: 'Hello all', undo_seconds: 10 }, key: 'k1', complete: true, ask: true });
  };

  test('is asked about before it is sent', () => {
    const it = asked();
    assert.equal(it.state.name, 'confirming');
    assert.equal(it.requests.length, 0);
    assert.ok(it.ran('askToConfirm'));
    it.send(); // Ctrl+Enter once more
    assert.equal(it.requests.length, 0);
  });

  test('is sent once, with the answer and the key of the question', () => {
    const body = { message: 'Hello all', undo_seconds: 10, move_quiet: false };
    const it = asked().do('confirm', { body }).do('confirm', { body });
    assert.equal(it.requests.length, 1);
    assert.deepEqual([it.requests[0].body, it.requests[0].key], [body, 'k1']);
    assert.deepEqual(it.stored.unanswered, body);
  });

  test('goes back to the form with its words', () => {
    const it = asked().do('reconsider');
    assert.equal(it.state.name, 'writing');
    assert.ok(it.ran('focusSend'));
    assert.equal(it.stored.text, 'Hello all');
  });

  test('comes back when it is undone, and is a new text then', () => {
    const body = { message: 'Hello all', undo_seconds: 10 };
    const it = asked().do('confirm', { body }).do('accepted', { batch });
    assert.equal(it.stored.text, '');
    it.do('undone', { text: 'Hello all' });
    assert.equal(it.state.name, 'writing');
    assert.deepEqual(it.stored, { text: 'Hello all' });
    assert.ok(it.ran('sayUndone'));
    it.send();
    assert.notEqual(it.requests[1].key, it.requests[0].key);
  });
});
