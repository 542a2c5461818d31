package ledger

import (
	"context"
	"time"

	"dialpad-texting/models/database"
)

// PostRef names a claimed message that is about to be posted.
type PostRef struct {
	ID      string `json:"id"`
	Attempt int    `json:"attempt"`
}

// PostCheck is what is known of a message right before its request.
type PostCheck struct {
	// Owned is false when the message is not the caller's any more: another
	// worker has taken its lane over. It must not be posted, nor settled.
	Owned       bool
	Suppressed  bool       // the number is opted out
	ReviewSince *time.Time // when a review of its opt-out began, nil for none
}

// MarkPostedAllTenants marks messages as posted, in one statement, and returns
// what is known of each, in their order. If a worker dies, its messages that
// were not marked are queued again. A message whose mark failed must not be
// posted.
func (s Messages) MarkPostedAllTenants(ctx context.Context, refs []PostRef) ([]PostCheck, error) {
	var rows []struct {
		PostRef
		Suppressed  bool
		ReviewSince *time.Time
	}
	if err := s.l.query(ctx, "mark_posted", map[string]any{"messages": database.JSON(refs)}, &rows); err != nil {
		return nil, err
	}
	checks := make(map[PostRef]PostCheck, len(rows))
	for _, r := range rows {
		checks[r.PostRef] = PostCheck{true, r.Suppressed, r.ReviewSince}
	}
	out := make([]PostCheck, len(refs))
	for i, r := range refs { // two attempts of one message may be asked for together
		out[i] = checks[r]
	}
	return out, nil
}
