// What a number's consent allows, without a page.

/** Only Dialpad's own list still stands against a text. */
export const dialpadBlocks = ({ opted_out: out, sources }) =>
  out && sources.every(({ source }) => source === 'dialpad');

/** The end of a past day as an instant; null is now, which the server knows better. */
export function momentOf(day, today) {
  if (!day || day >= today) return null;
  return new Date(`${day}T23:59:59`).toISOString();
}

/** What to offer for a number: "opt_out", "opt_in", or null where only Dialpad can. */
export function offerOf(contact) {
  if (!contact.opted_out) return 'opt_out';
  return dialpadBlocks(contact) ? null : 'opt_in';
}
