// Texts with merge fields in lists, where no person's values are known.
import { fill } from './chips.js';

/** A stored text as it reads without anybody's values: "Hi there", "Hi [First name]". */
export const readable = (stored) =>
  fill(stored, (key, fallback) => {
    const name = key.split('.')[1].replace(/([a-z])([A-Z])/g, (whole, a, b) => `${a} ${b.toLowerCase()}`);
    return fallback || `[${name.charAt(0).toUpperCase()}${name.slice(1)}]`;
  });
