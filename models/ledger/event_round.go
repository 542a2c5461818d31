package ledger

import (
	"cmp"
	"context"
	"slices"
	"time"

	"dialpad-texting/models/database"
)

// AddMany stores delivery events (SMS events about outbound texts with a Dialpad
// id) in one statement, each body once. A round applies them: see
// ApplyPendingAllTenants. It sets their IDs and ReceivedAt.
func (s Events) AddMany(ctx context.Context, events []WebhookEvent) error {
	type row struct {
		ID         string  `json:"id"`
		TenantID   string  `json:"tenant_id"`
		Kind       string  `json:"kind"`
		BodyHash   string  `json:"body_hash"`
		DialpadID  string  `json:"dialpad_id"`
		Direction  string  `json:"direction"`
		FromNumber string  `json:"from_number"`
		ToNumber   string  `json:"to_number"`
		Status     string  `json:"status"`
		Result     string  `json:"result"`
		DeviceType string  `json:"device_type"`
		EventAt    *string `json:"event_at"`
		ReceivedAt string  `json:"received_at"`
	}
	now := s.l.db.Now()
	rows := make([]row, len(events))
	for i := range events {
		e := &events[i]
		e.ID, e.ReceivedAt = database.NewID(), now
		rows[i] = row{e.ID, e.TenantID, e.Kind, e.BodyHash, e.DialpadID, e.Direction, e.FromNumber, e.ToNumber,
			e.Status, e.Result, e.DeviceType, nil, now.Format(database.TimeFormat)}
		if e.EventAt != nil {
			at := e.EventAt.UTC().Format(database.TimeFormat)
			rows[i].EventAt = &at
		}
	}
	return s.l.exec(ctx, "add_events", map[string]any{"events": database.JSON(rows)})
}

// EventRound is what one round over pending events did.
type EventRound struct {
	Events    int            // tried
	Changed   []Transition   // for FollowUp
	Unmatched []WebhookEvent // their Dialpad id belongs to no message yet; postponed
}

// minUnmatchedAge: an event younger than this is only postponed, for the
// response that brings its text's id may be a moment behind.
const minUnmatchedAge = 300 * time.Millisecond

// ApplyPendingAllTenants applies up to n pending delivery events together, in a
// transaction that other workers' rounds do not wait for. effect returns what
// an event changes; of several events of one text the first final one counts.
// Events that match no message are tried again after retry.
func (s Events) ApplyPendingAllTenants(ctx context.Context, n int, retry time.Duration, effect func(WebhookEvent) EventEffect) (round EventRound, err error) {
	err = s.l.Tx(ctx, func(tx *Ledger) error {
		round = EventRound{}
		var pending []WebhookEvent
		now := tx.db.Now()
		if err := tx.query(ctx, "pending_events", map[string]any{"now": now, "n": n}, &pending); err != nil || len(pending) == 0 {
			return err
		}
		round.Events = len(pending)
		args := map[string]any{"effects": database.JSON(mergeEffects(pending, effect)), "now": now}
		if err := tx.query(ctx, "apply_events", args, &round.Changed); err != nil {
			return err
		}
		if err := tx.enqueueCompletions(ctx, round.Changed); err != nil {
			return err
		}
		unmatched, err := tx.Events.closeMatched(ctx, pending)
		if err != nil || len(unmatched) == 0 {
			return err
		}
		young, old := splitYoung(unmatched, now)
		round.Unmatched = old
		if err := tx.Events.postpone(ctx, young, now.Add(minUnmatchedAge)); err != nil {
			return err
		}
		return tx.Events.postpone(ctx, old, now.Add(retry))
	})
	return round, err
}

// effectRow is what the events of one text change together.
type effectRow struct {
	TenantID  string `json:"tenant_id"`
	DialpadID string `json:"dialpad_id"`
	State     string `json:"state"`
	Code      string `json:"code"`
	Text      string `json:"text"`
}

// mergeEffects returns one effect for each text, in an order that all rounds
// lock the messages in. pending is in the order of arrival.
func mergeEffects(pending []WebhookEvent, effect func(WebhookEvent) EventEffect) []effectRow {
	type text struct{ tenantID, dialpadID string }
	byText := map[text]effectRow{}
	for _, e := range pending {
		key := text{e.TenantID, e.DialpadID}
		p := effect(e)
		if old, ok := byText[key]; p.State == "" || ok && old.State != Sent {
			continue
		}
		byText[key] = effectRow{e.TenantID, e.DialpadID, p.State, p.Code, p.Text}
	}
	rows := make([]effectRow, 0, len(byText))
	for _, r := range byText {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b effectRow) int {
		return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), cmp.Compare(a.DialpadID, b.DialpadID))
	})
	return rows
}

// closeMatched closes the events of known texts and returns the others.
func (s Events) closeMatched(ctx context.Context, pending []WebhookEvent) (unmatched []WebhookEvent, err error) {
	var closed []string
	if err := s.l.query(ctx, "close_matched_events", map[string]any{"ids": database.JSON(idsOf(pending)), "now": s.l.db.Now()}, &closed); err != nil {
		return nil, err
	}
	matched := setOf(closed)
	for _, e := range pending {
		if !matched[e.ID] {
			unmatched = append(unmatched, e)
		}
	}
	return unmatched, nil
}

func (s Events) postpone(ctx context.Context, events []WebhookEvent, at time.Time) error {
	if len(events) == 0 {
		return nil
	}
	return s.l.exec(ctx, "postpone_events", map[string]any{"ids": database.JSON(idsOf(events)), "at": at.UTC()})
}

func splitYoung(events []WebhookEvent, now time.Time) (young, old []WebhookEvent) {
	for _, e := range events {
		if now.Sub(e.ReceivedAt) < minUnmatchedAge {
			young = append(young, e)
		} else {
			old = append(old, e)
		}
	}
	return young, old
}

func idsOf(events []WebhookEvent) []string {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return ids
}
