// The reviews on the large pages: numbers whose last text may mean an opt-out.
import { call } from './api.js';
import { reviewNote } from './consent.js';
import { $, h, keepFocus, refusalNote, t, tn } from './dom.js';

/** Draws the card of reviews into root, which is hidden while there are none. */
export async function showReviews(root) {
  let reviews = [];
  try {
    ({ reviews } = await call('GET', '/texts/api/reviews'));
  } catch (refusal) {
    if (!root.hidden) root.replaceChildren(refusalNote(refusal, () => showReviews(root)));
    return;
  }
  const items = reviews.map(({ number, display, ...review }) =>
    h('li', {}, reviewNote({ review, number, who: display, done: () => showReviews(root) })),
  );
  root.hidden = items.length === 0;
  const content = [
    h('h2', {}, tn('review.title', items.length)),
    h('p', { class: 'soft' }, t('review.what')),
    h('ul', { class: 'reviews' }, items),
  ];
  keepFocus(root, () => root.replaceChildren(...content), () => $('button', root) || $('#title, #next'));
}
