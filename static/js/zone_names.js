// Time zones that a browser may not know: the CRM, the server and the browser each have
// a list of their own.
const known = new Map();

/** Reports whether this browser knows a time zone. */
export function isKnownZone(zone) {
  if (typeof zone !== 'string' || !zone) return false;
  if (!known.has(zone)) known.set(zone, isAccepted(zone));
  return known.get(zone);
}

function isAccepted(zone) {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}

/** The first of the zones that is known, else UTC. */
export const knownZone = (...zones) => zones.find(isKnownZone) ?? 'UTC';
