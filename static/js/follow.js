// After Send: what becomes of a text or a bulk, moving by itself until nothing more
// can happen.
import { followBulk } from './follow_bulk.js';
import { followOne } from './follow_one.js';

/**
 * Shows a batch in root and keeps it current. Returns a function that ends it.
 *
 * @param {object} options
 *   batch       the batch to begin with
 *   context     the answer of GET /embed/api/context
 *   text        what was written, until the batch is read
 *   onProgress  gets the state at each change
 *   onEdit      gets the text back, to be changed and sent anew
 *   onNew       begins another text
 *   onResent    gets the new batch after a resend
 *   onBack      goes back to what is being written; then there is no onEdit, onNew and onResent
 */
export const follow = (root, options) =>
  options.context.mode === 'bulk' ? followBulk(root, options) : followOne(root, options);
