// What a text is checked for while it is written. The server checks it again.
import { SHORTENERS } from './shorteners.js';

const NOTHING = /^[\s\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\u2800]*$/u;

/** Reports whether a text shows nothing: white space and invisible characters alone. */
export const isBlank = (text) => NOTHING.test(text);

// A template's field without a value, as app/compose/outgoing.go marks it. Half a mark
// counts too.
const GAP = /⟦[^⟦⟧]*⟧|[⟦⟧]/g;

/** The gaps of a text, each {from, to, name}. */
export const gapsIn = (text) =>
  [...text.matchAll(GAP)].map(({ 0: found, index }) => ({
    from: index,
    to: index + found.length,
    name: found.replace(/[⟦⟧]/g, ''),
  }));

/** The text with blanks in place of its gaps, as long as before. */
export const withoutGaps = (text) => text.replace(GAP, (gap) => ' '.repeat(gap.length));

const HOSTS = SHORTENERS.map((host) => host.replaceAll('.', '\\.')).join('|');
const SHORT_LINK = new RegExp(
  `(?<![\\p{L}\\p{N}._@-])(?:www\\.)?(${HOSTS})(?![\\p{L}\\p{N}-]|\\.[\\p{L}\\p{N}])`,
  'giu',
);

/** The link shorteners that a text uses, each once: "bit.ly". */
export const shortenersIn = (text) => [
  ...new Set([...text.matchAll(SHORT_LINK)].map(([, host]) => host.toLowerCase())),
];

const LONG_LINK = 60; // characters
const LINK = /(?:https?:\/\/|www\.)[^\s\u2063]+/giu;

/** The links of a text that are long enough to cost something. */
export const longLinksIn = (text) =>
  [...text.matchAll(LINK)].map(([found]) => found).filter((found) => found.length >= LONG_LINK);

// "Hi there" is right where a name is missing; for a date or a number no word is.
const GREETED_BY = new Set(['Contact.firstName', 'Contact.name', 'Contact.fullName', 'Contact.nickName']);

/** True for a field whose place a word such as "there" can take. */
export const hasFallback = (key) => GREETED_BY.has(key);

/** A text without case and accents, to be searched in. */
export const fold = (text) =>
  text
    .normalize('NFKD')
    .replace(/[\p{Mn}\p{Default_Ignorable_Code_Point}]/gu, '')
    .toLowerCase();

/** An e-mail as the server compares it: A to Z in lower case, the rest as it is. */
export const foldEmail = (email) => email.trim().replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
