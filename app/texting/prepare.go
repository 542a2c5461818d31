package texting

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// PrepareCounts is what one round of preparing did.
type PrepareCounts struct{ Pages, Queued, Skipped int }

// Prepare resolves a batch's recipients into messages, page by page, until it is through or the batch is no longer
// preparing. It may be killed anywhere and run again, also twice at once: a page is stored together with the cursor
// that follows it, only by whoever still finds the cursor it began with. An error means: again later.
func (x *Texting) Prepare(ctx context.Context, tenantID, batchID string) (n PrepareCounts, err error) {
	been := trail{}
	for {
		b, err := x.store.Batches.Get(ctx, tenantID, "", batchID)
		if errors.Is(err, models.ErrNotFound) || err == nil && b.State != ledger.BatchPreparing {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		t, err := x.store.Tenants.Get(ctx, tenantID)
		if err != nil {
			return n, err
		}
		done, err := x.preparePage(ctx, t, b, been, &n)
		if err != nil || done {
			return n, err
		}
	}
}

func (x *Texting) preparePage(ctx context.Context, t models.Tenant, b ledger.Batch, been trail, n *PrepareCounts) (done bool, err error) {
	if now := x.now(); waitsLate(b) && b.IsLate(*b.SendAt, now) {
		set := b.StoppedLate(now)
		set["started_at"] = nil // it never did; whoever resumes it starts it
		return false, moved(x.store.Batches.UpdateUnchanged(ctx, b, set))
	}
	sender, held, err := x.senderOf(ctx, t, b)
	if err != nil || held {
		return false, err
	}
	x.refreshOptOuts(ctx, b)
	w, err := wishOf(t, b)
	if err != nil {
		return true, x.end(ctx, b, "", "The text can't be read any more") // the fields were checked when it was written
	}
	p, err := x.recipients(ctx, w, b.Cursor)
	if err == nil {
		err = been.check(p.next)
	}
	if words := never(err); words != "" && b.StartedAt != nil && x.now().Sub(*b.StartedAt) > refusedMost {
		return false, x.hold(ctx, b, ledger.HeldRefused, words)
	}
	if err != nil {
		x.note(ctx, b, err)
		return false, err
	}
	twins{}.leaveOut(p.recipients) // those of other pages are the database's to find
	err = x.store.Tx(ctx, func(tx *models.Store) error { return x.storePage(ctx, tx, b, sender, p) })
	if errors.Is(err, models.ErrLost) {
		return false, nil // paused, cancelled, or another process was faster: look again
	}
	if err != nil {
		return false, err
	}
	been[p.next] = true
	n.Pages++
	for _, r := range p.recipients {
		if r.code == "" {
			n.Queued++
		} else {
			n.Skipped++
		}
	}
	x.wake()
	return p.next == "", nil
}

const (
	optOutsMost = 10 * time.Second
	// refusedMost is how long a CRM that refuses the records, or gives them in a form that can't be read, is asked again:
	// secrets may just be changing there, but a selection that it forgot stays forgotten.
	refusedMost = time.Hour
)

// refreshOptOuts has Dialpad's opt-outs read before a bulk. When that fails the bulk goes on: Dialpad keeps to its own
// list, and what we know of it is an hour old at most.
func (x *Texting) refreshOptOuts(ctx context.Context, b ledger.Batch) {
	if b.Source != ledger.SourceBulk || b.Cursor != "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, optOutsMost)
	defer cancel()
	if err := x.fresh(ctx, b.TenantID); err != nil {
		x.log.Warn("a bulk is prepared without reading Dialpad's opt-outs again", "tenant", b.TenantID, "batch", b.ID, "err", err)
	}
}

// waitsLate tells of a batch that was started for its time and has not got through its first page, since the CRM did not
// answer or every worker was gone.
func waitsLate(b ledger.Batch) bool {
	return b.SendAt != nil && b.StartedAt != nil && b.Cursor == "" && !b.IsLate(*b.SendAt, *b.StartedAt)
}

// never is the sentence for an answer of the CRM's that asking again hardly changes, "" for others.
func never(err error) string {
	switch crm.KindOf(err) {
	case crm.Refused:
		return wordsRefused
	case crm.Garbage:
		return wordsUnreadable
	}
	return ""
}

// note tells the person why preparing waits.
func (x *Texting) note(ctx context.Context, b ledger.Batch, cause error) {
	var p *Problem
	words := "Preparing failed and is tried again"
	switch {
	case !errors.As(cause, &p):
	case never(cause) != "":
		words = never(cause) + "; it is asked again"
	case p.Code == "crm_unreachable":
		words = "Waiting for Salesmate, which is not answering"
	}
	if words == b.PrepareNote {
		return
	}
	if err := x.store.Batches.Update(ctx, b.TenantID, b.ID, []string{ledger.BatchPreparing}, map[string]any{"prepare_note": words}); err != nil {
		x.log.Warn("noting a batch's delay failed", "tenant", b.TenantID, "batch", b.ID, "err", err)
	}
}

// senderOf asks again who sends: plan, installation, connection and account at this moment. Held: the batch waits
// for its tenant. Without an account the recipients still get their rows, failed with the words; before its time those of
// the account that was known wait for it, since the account may be back by then.
func (x *Texting) senderOf(ctx context.Context, t models.Tenant, b ledger.Batch) (senderID string, held bool, err error) {
	account, refusal, err := x.market.UserMay(ctx, t.ID, b.SenderEmail)
	switch {
	case err != nil:
		return "", false, err
	case refusal == nil:
		return account.DialpadID, false, nil
	case refusal.Code == "no_account":
		if b.SendAt != nil && b.SendAt.After(x.now()) {
			return b.SenderID, false, nil
		}
		return "", false, nil
	case refusal.Code == "dialpad_unreachable":
		return "", false, refusal
	}
	return "", true, x.hold(ctx, b, refusal.Held, refusal.Message)
}

// hold holds a batch that was being prepared, with the texts that it has already.
func (x *Texting) hold(ctx context.Context, b ledger.Batch, code, reason string) error {
	return moved(x.store.Tx(ctx, func(tx *models.Store) error {
		err := tx.Batches.UpdateUnchanged(ctx, b, map[string]any{"state": ledger.BatchHeld, "held_reason": reason, "held_code": code, "held_at": x.now().UTC()})
		if err != nil {
			return err
		}
		return tx.Enqueue(ctx, queue.ApplyBatchState{TenantID: b.TenantID, BatchID: b.ID})
	}))
}

// storePage writes a page's messages and moves the cursor, if the batch is still where the page began.
func (x *Texting) storePage(ctx context.Context, tx *models.Store, b ledger.Batch, sender string, p page) error {
	now, err := tx.Batches.Lock(ctx, b.TenantID, b.ID)
	if err != nil {
		return err
	}
	if now.State != ledger.BatchPreparing || now.Cursor != b.Cursor || now.Version != b.Version {
		return models.ErrLost
	}
	if err := x.queuePage(ctx, tx, b, sender, p.recipients); err != nil {
		return err
	}
	set := map[string]any{"cursor": p.next, "prepare_note": ""}
	if p.next == "" {
		set["prepared"], set["state"] = true, ledger.BatchSending
	}
	if err := tx.Batches.Update(ctx, b.TenantID, b.ID, []string{ledger.BatchPreparing}, set); err != nil {
		return err
	}
	if p.next == "" {
		return tx.Batches.Finish(ctx, []string{b.ID}) // everyone may have been left out
	}
	return nil
}

// queuePage turns recipients into messages: queued, waiting for their time, or skipped with the reason.
func (x *Texting) queuePage(ctx context.Context, tx *models.Store, b ledger.Batch, sender string, list []recipient) error {
	c, err := tx.Connections.Get(ctx, b.TenantID)
	if err != nil {
		return err
	}
	t, err := tx.Tenants.Get(ctx, b.TenantID)
	if err != nil {
		return err
	}
	lane, err := tx.Lanes.Get(ctx, b.TenantID, c.CompanyID)
	if err != nil {
		return err
	}
	messages := make([]ledger.Message, len(list))
	for i, r := range list {
		messages[i] = x.message(t, b, lane.ID, sender, r)
	}
	added, err := tx.Messages.Add(ctx, lane, messages)
	if err != nil {
		return err
	}
	if err := x.addTwins(ctx, tx, lane, b, messages, added); err != nil {
		return err
	}
	return tx.Lanes.MarkDue(ctx, b.TenantID, lane.ID, x.firstDue(messages))
}

// firstDue is when the lane should look: now, or at the first due moment.
func (x *Texting) firstDue(messages []ledger.Message) time.Time {
	now := x.now()
	first := time.Time{}
	for _, m := range messages {
		if m.State != ledger.Waiting || m.DueAt == nil {
			return now
		}
		if first.IsZero() || m.DueAt.Before(first) {
			first = *m.DueAt
		}
	}
	if first.IsZero() {
		return now
	}
	return first
}

func (x *Texting) message(t models.Tenant, b ledger.Batch, laneID, sender string, r recipient) ledger.Message {
	m := ledger.Message{ID: models.NewID(), TenantID: b.TenantID, BatchID: b.ID, LaneID: laneID, Class: b.Class, UserID: b.UserID,
		SenderID: sender, Module: b.Module, RecordID: r.recordID, ContactID: r.contactID, DealID: r.dealID, Name: r.name, Deal: r.deal,
		ToNumber: r.number, ToKey: r.key, Text: r.text, Segments: r.segments.Segments, State: ledger.Queued, TimelinePending: true}
	switch {
	case r.code != "":
		m.State, m.ErrorCode, m.ErrorText, m.Text, m.TimelinePending = ledger.Skipped, r.code, r.reason, "", false
		return m
	case sender == "":
		now := x.now().UTC()
		m.State, m.ErrorCode, m.ErrorText, m.SettledAt = ledger.Failed, "no_account", "No Dialpad account found", &now
		return m
	}
	now := x.now().UTC()
	at := now
	if b.SendAt != nil && b.SendAt.After(at) {
		at = *b.SendAt
	}
	if b.MoveQuiet {
		m.QuietZone = firstOf(r.timeZone, t.TimeZone)
		if until := compose.QuietUntil(at, m.QuietZone, t.QuietFrom, t.QuietTo); !until.IsZero() {
			at = until.UTC()
		}
	}
	if at.After(now) {
		m.State, m.DueAt = ledger.Waiting, &at
	}
	return m
}

// addTwins writes the rows that the database refused because their number already has a text in this batch, as
// skipped; those that were there already (a page stored before) stay as they are.
func (x *Texting) addTwins(ctx context.Context, tx *models.Store, lane ledger.Lane, b ledger.Batch, all []ledger.Message, added map[string]bool) error {
	var twins []ledger.Message
	for _, m := range all {
		if added[m.ID] {
			continue
		}
		other, err := tx.Messages.ByNumber(ctx, b.TenantID, b.ID, m.ToKey)
		if errors.Is(err, models.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if other.RecordID == m.RecordID && other.Module == m.Module {
			continue
		}
		m.ID, m.State, m.ErrorCode, m.ErrorText = models.NewID(), ledger.Skipped, codeDuplicate, sameNumber(whose(other.Name, other.Deal))
		m.Text, m.DueAt, m.Turn, m.TimelinePending = "", nil, 0, false
		twins = append(twins, m)
	}
	_, err := tx.Messages.Add(ctx, lane, twins)
	return err
}

// end cancels a batch that can't go on, if it is still as it was read; code is the models.HeldExpired of one held too long.
func (x *Texting) end(ctx context.Context, b ledger.Batch, code, reason string) error {
	return moved(x.store.Tx(ctx, func(tx *models.Store) error {
		err := tx.Batches.UpdateUnchanged(ctx, b, map[string]any{"state": ledger.BatchCancelled, "held_code": code, "held_reason": reason, "finished_at": x.now().UTC()})
		if err != nil {
			return err
		}
		return tx.Enqueue(ctx, queue.ApplyBatchState{TenantID: b.TenantID, BatchID: b.ID})
	}))
}
