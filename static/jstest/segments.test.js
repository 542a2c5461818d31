import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { replaceForcing, segments } from '../js/segments.js';

const { cases } = JSON.parse(
  readFileSync(new URL('../../app/compose/testdata/segments.json', import.meta.url), 'utf8'),
);

for (const c of cases) {
  test(`segments: ${c.name}`, () => {
    const text = c.parts.map(([part, times]) => part.repeat(times)).join('');
    assert.deepEqual(segments(text), {
      encoding: c.encoding,
      characters: c.characters,
      units: c.units,
      segments: c.segments,
      perSegment: c.per_segment,
      remaining: c.remaining,
      forcing: c.forcing,
    });
  });
}

test('replacing every forcing character of the table leaves GSM-7', () => {
  const table = cases.find((c) => c.name === 'every character of the table');
  assert.equal(segments(replaceForcing(table.parts[0][0])).encoding, 'GSM-7');
});

test('an emoji survives replacing', () => {
  assert.equal(replaceForcing('“Hi” 😀…'), '"Hi" 😀...');
});

test('half a surrogate pair is one unit and no crash', () => {
  const count = segments('a\ud83d');
  assert.deepEqual([count.encoding, count.units, count.segments], ['UCS-2', 2, 1]);
});
