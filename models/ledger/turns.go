package ledger

import (
	"context"

	"dialpad-texting/models/database"
)

// Turns make the bulks of several senders, and the automations of
// several workflows, alternate whatever their sizes. A lane claims the
// lowest turn first. Each sender's messages are numbered separately,
// starting with the lane's current turn.

// needsTurn reports whether a message gets a turn. One that was
// claimed before keeps its turn.
func (m Message) needsTurn() bool { return m.State == Queued && m.Turn == 0 }

// turnKey returns the key by which a class alternates: the sender for
// bulks, the workflow's batch for automations.
func (m Message) turnKey() string {
	if m.Class == ClassAutomation {
		return m.BatchID
	}
	return m.SenderID
}

// assignTurns sets the turns of queued messages. Waiting messages get
// theirs when they are queued.
func (s Lanes) assignTurns(ctx context.Context, l Lane, messages []Message) error {
	type key struct {
		class  int
		sender string
	}
	counts := map[key]int{}
	for _, m := range messages {
		if m.needsTurn() {
			counts[key{m.Class, m.turnKey()}]++
		}
	}
	next := map[key]int64{}
	for k, count := range counts {
		first, err := s.nextTurns(ctx, l, k.class, k.sender, count)
		if err != nil {
			return err
		}
		next[k] = first
	}
	for i := range messages {
		if m := &messages[i]; m.needsTurn() {
			k := key{m.Class, m.turnKey()}
			m.Turn = next[k]
			if m.Class != ClassOneToOne {
				next[k]++
			}
		}
	}
	return nil
}

// nextTurns reserves n turns for a sender in a class and returns the
// first: the one after the sender's last turn or after the lane's
// current turn, whichever is later.
func (s Lanes) nextTurns(ctx context.Context, l Lane, class int, sender string, n int) (first int64, err error) {
	if class == ClassOneToOne {
		return 0, nil
	}
	served := l.BulkTurn
	if class == ClassAutomation {
		served = l.AutomationTurn
	}
	if err := s.l.exec(ctx, "take_turns", map[string]any{"lane": l.ID, "class": class, "sender": sender,
		"first": served + int64(n), "served": served, "n": n}); err != nil {
		return 0, err
	}
	var last int64
	err = s.l.q(ctx).Raw("SELECT turn FROM lane_turns WHERE lane_id = ? AND class = ? AND sender_id = ?", l.ID, class, sender).
		Scan(&last).Error
	return last - int64(n) + 1, err
}

// ResetTurns deletes the last turn of a batch's sender if none of the
// sender's messages is queued: the next ones start at the lane's
// current turn.
func (s Lanes) ResetTurns(ctx context.Context, b Batch, laneID, senderID string) error {
	key := Message{Class: b.Class, BatchID: b.ID, SenderID: senderID}.turnKey()
	return s.l.exec(ctx, "reset_turns", map[string]any{"lane": laneID, "class": b.Class, "sender": key})
}

// queue assigns turns to waiting or held messages and queues them.
func (s Lanes) queue(ctx context.Context, l Lane, messages []Message) error {
	if len(messages) == 0 {
		return nil
	}
	for i := range messages {
		messages[i].State = Queued
	}
	if err := s.assignTurns(ctx, l, messages); err != nil {
		return err
	}
	type turn struct {
		ID   string `json:"id"`
		Turn int64  `json:"turn"`
	}
	turns := make([]turn, len(messages))
	for i, m := range messages {
		turns[i] = turn{ID: m.ID, Turn: m.Turn}
	}
	var queued []Transition
	if err := s.l.query(ctx, "queue_with_turns", map[string]any{"now": s.l.db.Now(), "turns": database.JSON(turns)}, &queued); err != nil {
		return err
	}
	return s.l.Counters.count(ctx, queued)
}
