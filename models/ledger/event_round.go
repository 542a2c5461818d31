package ledger

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"dialpad-texting/models/database"
)

// AddMany stores delivery events (SMS events about outbound texts with a Dialpad
// id) in one statement, each body once. They wait in a table of their own,
// with few indexes, until a round applies them: see ApplyPendingAllTenants.
// It sets their IDs and ReceivedAt.
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
		e.ID, e.ReceivedAt = EventID(e.TenantID, e.BodyHash), now
		rows[i] = row{e.ID, e.TenantID, e.Kind, e.BodyHash, e.DialpadID, e.Direction, e.FromNumber, e.ToNumber,
			e.Status, e.Result, e.DeviceType, nil, now.Format(database.TimeFormat)}
		if e.EventAt != nil {
			at := e.EventAt.UTC().Format(database.TimeFormat)
			rows[i].EventAt = &at
		}
	}
	return s.l.exec(ctx, "add_incoming_events", map[string]any{"events": database.JSON(rows)})
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
		if err := tx.query(ctx, "pick_incoming_events", map[string]any{"now": now, "n": n}, &pending); err != nil || len(pending) == 0 {
			return err
		}
		round.Events = len(pending)
		matched, unmatched := partition(pending, func(e WebhookEvent) bool { return e.MessageID != "" })
		if round.Changed, err = tx.Events.applyMatched(ctx, matched, effect); err != nil {
			return err
		}
		young, old := partition(unmatched, func(e WebhookEvent) bool { return now.Sub(e.ReceivedAt) < minUnmatchedAge })
		round.Unmatched = old
		if err := tx.Events.postpone(ctx, young, now.Add(minUnmatchedAge)); err != nil {
			return err
		}
		if err := tx.Events.postpone(ctx, old, now.Add(retry)); err != nil {
			return err
		}
		return tx.Counters.count(ctx, round.Changed)
	})
	return round, err
}

// applyMatched changes the messages of events and archives the events.
func (s Events) applyMatched(ctx context.Context, matched []WebhookEvent, effect func(WebhookEvent) EventEffect) (changed []Transition, err error) {
	if len(matched) == 0 {
		return nil, nil
	}
	if effects := mergeEffects(matched, effect); len(effects) > 0 {
		args := map[string]any{"effects": database.JSON(effects), "now": s.l.db.Now()}
		if err := s.l.query(ctx, "apply_events", args, &changed); err != nil {
			return nil, err
		}
	}
	if err := s.l.enqueueCompletions(ctx, changed); err != nil {
		return nil, err
	}
	return changed, s.archive(ctx, EventApplied, matched)
}

// effectRow is what the events of one text change together.
type effectRow struct {
	ID       string `json:"id"`
	TenantID string `json:"tenant_id"`
	State    string `json:"state"`
	Code     string `json:"code"`
	Text     string `json:"text"`
}

// mergeEffects returns one effect for each text, in an order that all rounds
// lock the messages in. events are in the order of arrival.
func mergeEffects(events []WebhookEvent, effect func(WebhookEvent) EventEffect) []effectRow {
	byText := map[string]effectRow{}
	for _, e := range events {
		p := effect(e)
		if old, ok := byText[e.MessageID]; p.State == "" || ok && old.State != Sent {
			continue
		}
		byText[e.MessageID] = effectRow{e.MessageID, e.TenantID, p.State, p.Code, p.Text}
	}
	return slices.SortedFunc(maps.Values(byText), func(a, b effectRow) int { return cmp.Compare(a.ID, b.ID) })
}

// archive writes incoming events that are done with into webhook_events,
// with a state, and with their messages.
func (s Events) archive(ctx context.Context, state string, events []WebhookEvent) error {
	type row struct {
		ID        string `json:"id"`
		State     string `json:"state"`
		MessageID string `json:"message_id"`
	}
	rows := make([]row, len(events))
	for i, e := range events {
		rows[i] = row{e.ID, state, e.MessageID}
	}
	if err := s.l.exec(ctx, "archive_events", map[string]any{"events": database.JSON(rows), "now": s.l.db.Now()}); err != nil {
		return err
	}
	return s.l.exec(ctx, "delete_incoming_events", map[string]any{"ids": database.JSON(idsOf(events))})
}

// CloseIncoming archives a delivery event that no round could match, with a
// final state and the message it belongs to, "" for none.
func (s Events) CloseIncoming(ctx context.Context, e WebhookEvent, state, messageID string) error {
	e.MessageID = messageID
	return s.l.Tx(ctx, func(tx *Ledger) error { return tx.Events.archive(ctx, state, []WebhookEvent{e}) })
}

// CountIncomingAllTenants returns how many delivery events wait for a round.
func (s Events) CountIncomingAllTenants(ctx context.Context) (n int64, err error) {
	return n, s.l.q(ctx).Table("incoming_events").Count(&n).Error
}

func (s Events) postpone(ctx context.Context, events []WebhookEvent, at time.Time) error {
	if len(events) == 0 {
		return nil
	}
	return s.l.exec(ctx, "postpone_incoming_events", map[string]any{"ids": database.JSON(idsOf(events)), "at": at.UTC()})
}

// partition splits events by a condition; both parts keep the order.
func partition(events []WebhookEvent, condition func(WebhookEvent) bool) (yes, no []WebhookEvent) {
	for _, e := range events {
		if condition(e) {
			yes = append(yes, e)
		} else {
			no = append(no, e)
		}
	}
	return yes, no
}

func idsOf(events []WebhookEvent) []string {
	ids := make([]string, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return ids
}
