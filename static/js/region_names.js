// Names of countries in the person's language.
import { locale } from './dom.js';

const names = displayNames();

function displayNames() {
  try {
    return new Intl.DisplayNames(locale, { type: 'region', fallback: 'code' });
  } catch {
    return { of: (code) => code };
  }
}

/** "India" for "IN"; what is no code stays as it is. */
export const regionName = (code) => names.of(code);
