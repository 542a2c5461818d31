package audience

import (
	"context"
	"errors"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/ctxtime"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// PrepareCounts is what one run of Prepare did.
type PrepareCounts struct{ Pages, Queued, Skipped int }

// Prepare resolves a batch's recipients into messages, page by page,
// while the batch is in state preparing. It may be killed anywhere and
// run again, also twice at once: a page is stored together with the
// cursor after it, and only if the batch still has the cursor before
// it. After an error, run it again.
func (x *Audience) Prepare(ctx context.Context, tenantID, batchID string) (PrepareCounts, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop() // of a page that was asked for but is not wanted
	run := &preparation{seen: cursorSet{}, ahead: readAhead{read: x.Records}}
	for {
		b, err := x.store.Batches.Get(ctx, tenantID, "", batchID)
		if errors.Is(err, models.ErrNotFound) || err == nil && b.State != ledger.BatchPreparing {
			return run.counts, nil
		}
		if err != nil {
			return run.counts, err
		}
		t, err := x.store.Tenants.Get(ctx, tenantID)
		if err != nil {
			return run.counts, err
		}
		done, err := x.preparePage(ctx, t, b, run)
		if err != nil || done {
			return run.counts, err
		}
	}
}

// preparation is one run of Prepare.
type preparation struct {
	counts PrepareCounts
	seen   cursorSet
	ahead  readAhead
}

// page reads the page at a cursor and asks the CRM for the one after it.
func (run *preparation) page(ctx context.Context, x *Audience, spec audienceSpec, cursor string) (Page, error) {
	p, err := x.recipientsFrom(ctx, spec, cursor, run.ahead.records)
	if err != nil {
		return p, err
	}
	if err := run.seen.check(p.Next); err != nil || p.Next == "" {
		return p, err
	}
	if q, _, err := spec.query(p.Next); err == nil {
		run.ahead.start(ctx, spec.tenant, q)
	}
	return p, nil
}

// storeGrace is how long a page that was read may still be stored after ctx has
// ended; the job that prepares has more time left. Where a page takes about as
// long as a run has, each run would else read the same page and store nothing.
const storeGrace = 8 * time.Second

// preparePage prepares the page at the batch's cursor. done is false
// where the batch has to be read again: for its next page, or since its
// state changed.
func (x *Audience) preparePage(ctx context.Context, t models.Tenant, b ledger.Batch, run *preparation) (done bool, err error) {
	if now := x.now(); waitsForFirstPage(b) && b.IsLate(*b.SendAt, now) {
		set := b.LateStop(now)
		set["started_at"] = nil // it did not start; resuming starts it
		return false, apierror.IgnoreLost(x.store.Batches.UpdateUnchanged(ctx, b, set))
	}
	sender, held, err := x.senderOrHold(ctx, t, b)
	if err != nil || held {
		return false, err
	}
	x.refreshOptOuts(ctx, b)
	spec, err := specOf(t, b)
	if err != nil { // impossible: it was checked when it was written
		return true, CancelBatch(ctx, x.store, b, "", "The text can't be read any more", x.now())
	}
	p, err := run.page(ctx, x, spec, b.Cursor)
	if err != nil {
		return false, x.noteFailure(ctx, b, err)
	}
	excludeDuplicates(p.Recipients) // the database finds those of other pages
	storing, release := ctxtime.WithGrace(ctx, storeGrace)
	defer release()
	err = x.store.Tx(storing, func(tx *models.Store) error { return x.storePage(storing, tx, b, sender, p) })
	if errors.Is(err, models.ErrLost) {
		return false, nil // paused, cancelled, or another process was faster
	}
	if err != nil {
		return false, err
	}
	run.seen.add(p.Next) // not before: a page that was not stored is read again
	run.counts.add(p)
	x.cfg.Notify()
	return p.Next == "", nil
}

func (n *PrepareCounts) add(p Page) {
	n.Pages++
	for _, r := range p.Recipients {
		if r.Code == "" {
			n.Queued++
		} else {
			n.Skipped++
		}
	}
}

// waitsForFirstPage reports whether a scheduled batch was started in
// time and has no page yet: the CRM did not answer, or no worker was
// running.
func waitsForFirstPage(b ledger.Batch) bool {
	return b.SendAt != nil && b.StartedAt != nil && b.Cursor == "" && !b.IsLate(*b.SendAt, *b.StartedAt)
}

const optOutsTimeout = 10 * time.Second

// refreshOptOuts reads Dialpad's opt-outs before a bulk's first page.
// When that fails the bulk goes on: Dialpad enforces its own list, and
// ours is an hour old at most.
func (x *Audience) refreshOptOuts(ctx context.Context, b ledger.Batch) {
	if b.Source != ledger.SourceBulk || b.Cursor != "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, optOutsTimeout)
	defer cancel()
	if err := x.cfg.RefreshOptOuts(ctx, b.TenantID); err != nil {
		x.cfg.Log.Warn("opt-out refresh before a bulk failed", "tenant", b.TenantID, "batch", b.ID, "err", err)
	}
}

// refusedTimeout is how long a CRM is asked again that refuses the
// records or answers unreadably. Its secrets may just be changing; a
// selection that it forgot stays forgotten.
const refusedTimeout = time.Hour

// noteFailure stores why preparing waits, for the person, and returns
// the cause; or it holds the batch, where the CRM refuses for too long.
func (x *Audience) noteFailure(ctx context.Context, b ledger.Batch, cause error) error {
	permanent := permanentReason(cause)
	if permanent != "" && b.StartedAt != nil && x.now().Sub(*b.StartedAt) > refusedTimeout {
		return x.hold(ctx, b, ledger.HeldRecordsRefused, permanent)
	}
	var e *apierror.Error
	note := "Preparing failed and is tried again"
	switch {
	case !errors.As(cause, &e):
	case permanent != "":
		note = permanent + "; it is asked again"
	case e.Code == apierror.CodeCRMUnreachable:
		note = "Waiting for Salesmate, which is not answering"
	}
	if note != b.PrepareNote {
		err := x.store.Batches.Update(ctx, b.TenantID, b.ID, []string{ledger.BatchPreparing}, map[string]any{"prepare_note": note})
		if err != nil {
			x.cfg.Log.Warn("storing a batch's prepare note failed", "tenant", b.TenantID, "batch", b.ID, "err", err)
		}
	}
	return cause
}

// permanentReason is the sentence for an answer of the CRM's that
// asking again hardly changes, "" for others.
func permanentReason(err error) string {
	switch crm.KindOf(err) {
	case crm.Refused:
		return reasonRefused
	case crm.Garbage:
		return reasonUnreadable
	}
	return ""
}
