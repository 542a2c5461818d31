package ledger

import (
	"context"

	"dialpad-texting/models/database"
)

// Turns make bulks of several senders, and automations of several workflows,
// alternate whatever their sizes: a lane serves the lowest turn first, and each
// sender's texts have turns of their own, from where the lane is now.

// needsTurn tells whether a message is to get a turn. A text that was taken
// back from the wire keeps the one it had.
func (m Message) needsTurn() bool { return m.State == Queued && m.Turn == 0 }

// turnKey is who takes turns: senders among bulks, workflows (one batch each)
// among automations.
func (m Message) turnKey() string {
	if m.Class == ClassAutomation {
		return m.BatchID
	}
	return m.SenderID
}

// assignTurns numbers the messages that go to the queue now; those that wait
// get their turns when they are due.
func (s Lanes) assignTurns(ctx context.Context, l Lane, messages []Message) error {
	type key struct {
		class  int
		sender string
	}
	n := map[key]int{}
	for _, m := range messages {
		if m.needsTurn() {
			n[key{m.Class, m.turnKey()}]++
		}
	}
	next := map[key]int64{}
	for k, count := range n {
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
			if m.Class != ClassPerson {
				next[k]++
			}
		}
	}
	return nil
}

// nextTurns takes n turns for a sender in a class: after that sender's last
// one, and not before what the lane serves now.
func (s Lanes) nextTurns(ctx context.Context, l Lane, class int, sender string, n int) (first int64, err error) {
	if class == ClassPerson {
		return 0, nil
	}
	served := l.BulkTurn
	if class == ClassAutomation {
		served = l.ActionTurn
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

// ResetTurns lets a batch's sender, whose texts have left the queue, start
// again from where the lane is.
func (s Lanes) ResetTurns(ctx context.Context, b Batch, laneID, senderID string) error {
	key := Message{Class: b.Class, BatchID: b.ID, SenderID: senderID}.turnKey()
	return s.l.exec(ctx, "reset_turns", map[string]any{"lane": laneID, "class": b.Class, "sender": key})
}

// queue gives messages their turns and puts them into the queue.
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
	return s.l.exec(ctx, "queue_with_turns", map[string]any{"now": s.l.db.Now(), "turns": database.JSON(turns)})
}
