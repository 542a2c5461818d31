// Merge fields as people see them while they write. In the text area a field is a chip
// with the field's label; what is stored and sent is {{Contact.firstName|there}}.
//
// A chip is its label between two invisible characters, so that it stays text: it can be
// typed around, copied, read out and undone.

const EDGE = '\u2063'; // INVISIBLE SEPARATOR
const CHIP = /\u2063[^\u2063\n]*\u2063/g;
const VARIABLE = /\{\{\s*(\w+\.\w+)\s*(?:\|([^{}|]*))?\}\}/g;

/** The chips of a shown text, each {from, to}. */
export const chipsIn = (shown) =>
  [...shown.matchAll(CHIP)].map(({ 0: found, index }) => ({ from: index, to: index + found.length }));

/** A shown text with blanks in place of its chips, as long as before. */
export const withoutChips = (shown) => shown.replace(CHIP, (chip) => ' '.repeat(chip.length));

/** A shown text without what marks its chips: as wide as it looks. */
export const visible = (shown) => shown.replaceAll(EDGE, '');

/** A stored text with its fields filled in by value(key, fallback). */
export const fill = (stored, value) =>
  stored.replace(VARIABLE, (whole, key, fallback = '') => value(key, fallback.trim()) ?? whole);

/**
 * Translates between the two forms.
 * @param fields [{key, label, module}] · @param withFallback words for a label with its fallback
 */
export function chipBook(fields, withFallback) {
  const variables = new Map(); // chip → variable
  const byKey = new Map(fields.map((field) => [field.key, field]));
  const isTaken = ({ key, label }) => fields.some((other) => other.label === label && other.key !== key);

  function chipOf(variable, key, fallback) {
    const field = byKey.get(key);
    if (!field) return variable;
    const name = isTaken(field) ? `${field.label} (${field.module})` : field.label;
    const label = (fallback ? withFallback(name, fallback) : name).replaceAll(EDGE, '');
    const chip = EDGE + label + EDGE;
    const other = variables.get(chip);
    if (other !== undefined && other !== variable) return variable; // two fields of one name stay as they are
    variables.set(chip, variable);
    return chip;
  }

  return {
    show(stored) {
      const chip = (variable, key, fallback = '') => chipOf(variable, key, fallback.trim());
      return stored.replaceAll(EDGE, '').replace(VARIABLE, chip);
    },
    store: (shown) => shown.replace(CHIP, (chip) => variables.get(chip) ?? chip).replaceAll(EDGE, ''),
  };
}

/**
 * What an edit at a selection has to select instead, so that it takes whole chips.
 * direction is -1 or 1 for a deletion, 0 for what is put in.
 */
export function wholeChips(shown, from, to, direction) {
  const chips = chipsIn(shown);
  if (from !== to) {
    const touched = chips.filter((chip) => chip.from < to && chip.to > from);
    return [Math.min(from, ...touched.map((chip) => chip.from)), Math.max(to, ...touched.map((chip) => chip.to))];
  }
  const inside = chips.find((chip) => chip.from < from && from < chip.to);
  if (!direction) return inside ? [inside.to, inside.to] : [from, to];
  const beside = inside || chips.find((chip) => (direction < 0 ? chip.to : chip.from) === from);
  return beside ? [beside.from, beside.to] : [from, to];
}

/** Where the cursor goes that stands inside a chip: its nearer end. */
export function outsideChips(shown, at) {
  const inside = chipsIn(shown).find((chip) => chip.from < at && at < chip.to);
  if (!inside) return at;
  return at - inside.from < inside.to - at ? inside.from : inside.to;
}
