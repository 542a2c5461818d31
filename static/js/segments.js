// Counts the segments of a text, as app/compose does on the server: both are tested with
// app/compose/testdata/segments.json. Characters are code points; indexes are places in
// a JavaScript string.

const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
    '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑ\u00DC\u00A7¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const EXTENSION = new Set('\f^{}\\[~]|€');

// Characters that word processors, phones and web pages slip into a text.
const KNOWN = new Map(
  Object.entries({
    '\u2018': ['curly quote', "'"],
    '\u2019': ['curly apostrophe', "'"],
    '\u201A': ['low quote', "'"],
    '\u201B': ['curly quote', "'"],
    '\u201C': ['curly quote', '"'],
    '\u201D': ['curly quote', '"'],
    '\u201E': ['low quote', '"'],
    '\u201F': ['curly quote', '"'],
    '\u2039': ['angle quote', '<'],
    '\u203A': ['angle quote', '>'],
    '\u00AB': ['angle quote', '"'],
    '\u00BB': ['angle quote', '"'],
    '\u2032': ['prime', "'"],
    '\u2033': ['double prime', '"'],
    '\u00B4': ['acute accent', "'"],
    '`': ['backtick', "'"],
    '\u2010': ['hyphen', '-'],
    '\u2011': ['non-breaking hyphen', '-'],
    '\u2012': ['figure dash', '-'],
    '\u2013': ['en dash', '-'],
    '\u2014': ['em dash', '-'],
    '\u2015': ['horizontal bar', '-'],
    '\u2212': ['minus sign', '-'],
    '\u2043': ['hyphen bullet', '-'],
    '\u2026': ['ellipsis', '...'],
    '\u2022': ['bullet', '-'],
    '\u00B7': ['middle dot', '.'],
    '\u2027': ['middle dot', '.'],
    '\u00A0': ['non-breaking space', ' '],
    '\u202F': ['narrow non-breaking space', ' '],
    '\u2007': ['figure space', ' '],
    '\u2009': ['thin space', ' '],
    '\u200A': ['hair space', ' '],
    '\u2002': ['en space', ' '],
    '\u2003': ['em space', ' '],
    '\u3000': ['wide space', ' '],
    '\t': ['tab', ' '],
    '\u2028': ['line separator', '\n'],
    '\u2029': ['paragraph separator', '\n'],
    '\u200B': ['zero-width space', ''],
    '\uFEFF': ['byte order mark', ''],
    '\u00AD': ['soft hyphen', ''],
    '\u200E': ['direction mark', ''],
    '\u200F': ['direction mark', ''],
    '\uFE0F': ['emoji style mark', ''],
    '\u2044': ['fraction slash', '/'],
    '\u00D7': ['multiplication sign', 'x'],
    '\u00F7': ['division sign', '/'],
    '\u00A9': ['copyright sign', '(c)'],
    '\u00AE': ['registered sign', '(R)'],
    '\u2122': ['trade mark sign', 'TM'],
    '\u2192': ['arrow', '->'],
    '\u2190': ['arrow', '<-'],
    '\u2713': ['check mark', 'OK'],
    '\u0141': ['letter with a stroke', 'L'],
    '\u0142': ['letter with a stroke', 'l'],
    '\u0110': ['letter with a stroke', 'D'],
    '\u0111': ['letter with a stroke', 'd'],
    '\u0152': ['joined letters', 'OE'],
    '\u0153': ['joined letters', 'oe'],
    '\u0131': ['dotless i', 'i'],
    '\u1E9E': ['capital sharp s', 'SS'],
  }),
);

const SCRIPTS = [
  ['Arabic', /^(?=\p{L})\p{Script=Arabic}/u],
  ['Armenian', /^(?=\p{L})\p{Script=Armenian}/u],
  ['Bengali', /^(?=\p{L})\p{Script=Bengali}/u],
  ['Cyrillic', /^(?=\p{L})\p{Script=Cyrillic}/u],
  ['Devanagari', /^(?=\p{L})\p{Script=Devanagari}/u],
  ['Georgian', /^(?=\p{L})\p{Script=Georgian}/u],
  ['Greek', /^(?=\p{L})\p{Script=Greek}/u],
  ['Hangul', /^(?=\p{L})\p{Script=Hangul}/u],
  ['Hebrew', /^(?=\p{L})\p{Script=Hebrew}/u],
  ['Hiragana', /^(?=\p{L})\p{Script=Hiragana}/u],
  ['Katakana', /^(?=\p{L})\p{Script=Katakana}/u],
  ['Latin', /^(?=\p{L})\p{Script=Latin}/u],
  ['Tamil', /^(?=\p{L})\p{Script=Tamil}/u],
  ['Thai', /^(?=\p{L})\p{Script=Thai}/u],
];

const isGSM = (char) => BASIC.has(char) || EXTENSION.has(char);
const septets = (char) => (EXTENSION.has(char) ? 2 : 1);
const utf16Units = (char) => char.length;

/**
 * Counts what a text costs.
 * @param {string} text
 * @returns {{encoding: "GSM-7"|"UCS-2", characters: number, units: number,
 *   segments: number, perSegment: number, remaining: number,
 *   forcing: {char: string, name: string, replacement: string|null, index: number}[]}}
 *   `forcing` names each character outside GSM-7 once, at its first place;
 *   a replacement of "" means leave it out, null that nothing sensible exists.
 */
export function segments(text) {
  const chars = Array.from(text);
  const forcing = forcingOf(chars);
  const ucs2 = forcing.length > 0;
  const width = ucs2 ? utf16Units : septets;
  const [single, multi] = ucs2 ? [70, 67] : [160, 153];
  const units = chars.reduce((sum, char) => sum + width(char), 0);
  const count = { encoding: ucs2 ? 'UCS-2' : 'GSM-7', characters: chars.length, units, forcing };
  if (units <= single) {
    return { ...count, segments: Math.min(units, 1), perSegment: single, remaining: single - units };
  }
  return { ...count, perSegment: multi, ...pack(chars, width, multi) };
}

/**
 * Reports whether the language itself needs Unicode: it has letters that nothing in
 * GSM-7 stands for.
 */
export const needsUnicode = (forcing) =>
  forcing.some(({ char, replacement }) => replacement === null && /\p{L}/u.test(char));

/** Swaps each character that has a GSM-7 replacement, everywhere it occurs. */
export function replaceForcing(text) {
  return Array.from(text, (char) => (isGSM(char) ? char : (describe(char)[1] ?? char))).join('');
}

// A character of two units (] in GSM-7, an emoji in UCS-2) never straddles two
// segments: the one before it stays one short.
function pack(chars, width, capacity) {
  let [count, remaining] = [0, 0];
  for (const char of chars) {
    if (width(char) > remaining) {
      count += 1;
      remaining = capacity;
    }
    remaining -= width(char);
  }
  return { segments: count, remaining };
}

function forcingOf(chars) {
  const forced = new Map();
  let index = 0;
  for (const char of chars) {
    if (!isGSM(char) && !forced.has(char)) {
      const [name, replacement] = describe(char);
      forced.set(char, { char, name, replacement, index });
    }
    index += char.length;
  }
  return [...forced.values()];
}

function describe(char) {
  if (KNOWN.has(char)) return KNOWN.get(char);
  if (/^\p{M}$/u.test(char)) return ['combining mark', ''];
  const plain = withoutMarks(char.normalize('NFD'));
  if (plain !== null) return ['accented letter', plain];
  const compatible = withoutMarks(char.normalize('NFKD'));
  if (compatible !== null) return ['look-alike character', compatible];
  return [kind(char), null];
}

function withoutMarks(decomposed) {
  const plain = decomposed.replace(/\p{M}/gu, '');
  return plain !== '' && Array.from(plain).every(isGSM) ? plain : null;
}

function kind(char) {
  const code = char.codePointAt(0);
  if (code === 0x200d) return 'emoji joiner';
  if ((code >= 0x1f000 && code <= 0x1faff) || (code >= 0x2600 && code <= 0x27bf)) return 'emoji';
  if (/\p{Script=Han}/u.test(char)) return 'Chinese character';
  const script = SCRIPTS.find(([, pattern]) => pattern.test(char));
  if (script) return `${script[0]} letter`;
  if (/\p{S}/u.test(char)) return 'symbol';
  return `character U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}
