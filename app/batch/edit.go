package batch

import (
	"context"
	"fmt"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/walltime"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
	"dialpad-texting/models/queue"
)

// EditRequest changes a batch before it starts; nil leaves a thing as
// it is.
type EditRequest struct {
	Version      *int64             `json:"version"` // as it was read; nil changes any version
	Message      *string            `json:"message" max:"text"`
	Schedule     *walltime.Schedule `json:"schedule"`
	Late         *Late              `json:"late"`
	MoveQuiet    *bool              `json:"move_quiet"`
	SenderUserID *string            `json:"sender_user_id"`       // admins: another CRM user whose Dialpad account sends
	Exclude      *[]string          `json:"exclude" max:"100000"` // all records that a bulk leaves out; [] is nobody
}

const errChanged = "This text has just started, or somebody else changed it. Look at it again."

// Edit changes a scheduled batch; the database decides whether it still
// is one. What was held before it started may be given another time, if
// its tenant and sender may text now.
func (x *Batches) Edit(ctx context.Context, a access.Asker, id string, r EditRequest) (ledger.Batch, error) {
	b, err := x.visible(ctx, a, id)
	if err != nil {
		return ledger.Batch{}, err
	}
	if r.Version != nil && *r.Version != b.Version {
		return ledger.Batch{}, apierror.Conflict(errChanged)
	}
	set := columns{"warning": "", "warned_at": nil}
	if err := x.editState(ctx, b, r, set); err != nil {
		return ledger.Batch{}, err
	}
	for _, edit := range []func() error{
		func() error { return x.editMessage(ctx, a, b, r.Message, set) },
		func() error { return editLate(b, r.Late, set) },
		func() error { return editSchedule(b, r.Schedule, x.cfg.Now(), set) },
		func() error { return x.editSender(ctx, a, r.SenderUserID, set) },
		func() error { return editExclude(b, r.Exclude, set) },
	} {
		if err := edit(); err != nil {
			return ledger.Batch{}, err
		}
	}
	if r.MoveQuiet != nil {
		set["move_quiet"] = *r.MoveQuiet
	}
	set["history"] = editMoment(x.now(), a, b, set)
	if err := saveEdit(ctx, x.store, a, b, set); err != nil {
		return ledger.Batch{}, apierror.Lost(err, errChanged)
	}
	return x.checkSchedule(ctx, a, id)
}

// saveEdit stores an edit. Who of a bulk is left out may be others than
// before: a job counts them again.
func saveEdit(ctx context.Context, store *models.Store, a access.Asker, b ledger.Batch, set columns) error {
	return store.Tx(ctx, func(tx *models.Store) error {
		if err := tx.Batches.UpdateUnchanged(ctx, b, set); err != nil {
			return err
		}
		if sender, changed := set["sender_user_id"].(string); changed && sender != b.Sender() {
			detail := map[string]string{"batch": b.ID, "sender": sender, "sender_before": b.Sender()}
			if err := tx.Audits.Add(ctx, b.TenantID, a.UserID, "batch.sender", detail); err != nil {
				return err
			}
		}
		if b.Source != ledger.SourceBulk {
			return nil
		}
		return tx.Enqueue(ctx, queue.ForecastBatch{TenantID: b.TenantID, BatchID: b.ID})
	})
}

// editMoment is what an edit adds to the history: a new time, or that
// it was edited.
func editMoment(now time.Time, a access.Asker, b ledger.Batch, set columns) any {
	at, moved := set["send_at"].(*time.Time)
	if !moved || b.State == ledger.BatchScheduled && b.SendAt != nil && at.Equal(*b.SendAt) {
		return happened(now, a, ledger.MomentEdited)
	}
	return ledger.Happened(ledger.Moment{At: now, What: ledger.MomentRescheduled, By: a.Name, SendAt: at})
}

// columns are a batch's columns to change.
type columns = map[string]any

// editState refuses what has started; a held batch with a new time is
// scheduled again, with the sender's account of now.
func (x *Batches) editState(ctx context.Context, b ledger.Batch, r EditRequest, set columns) error {
	if b.State == ledger.BatchScheduled {
		return nil
	}
	if b.State != ledger.BatchHeld || b.StartedAt != nil || r.Schedule == nil {
		return notEditable(b, x.now())
	}
	if r.SenderUserID == nil { // editSender checks a new one
		if err := x.renewSender(ctx, b, set); err != nil {
			return err
		}
	}
	set["state"], set["held_reason"], set["held_code"], set["held_at"] = ledger.BatchScheduled, "", "", nil
	return nil
}

// notEditable says why a batch can't be changed any more.
func notEditable(b ledger.Batch, now time.Time) error {
	switch {
	case !b.Ended() && b.SendAt != nil && b.SendAt.After(now) && b.StartedAt != nil:
		return apierror.Conflict("This text is ready for its time; it can't be changed any more. It can still be cancelled.")
	case b.State == ledger.BatchHeld && b.StartedAt == nil:
		return apierror.Conflict("This text is on hold. Give it another time, or resume it.")
	case b.State == ledger.BatchCancelled:
		return apierror.Conflict("This text was cancelled; it can't be changed any more.")
	}
	return apierror.Conflict("This text has already started; it can't be changed any more.")
}

// checkSchedule returns a batch that was made or changed, with its
// warning. A failing check leaves the batch as it is: the next check is
// a minute away.
func (x *Batches) checkSchedule(ctx context.Context, a access.Asker, id string) (ledger.Batch, error) {
	b, err := x.visible(ctx, a, id)
	if err != nil || b.State != ledger.BatchScheduled {
		return b, err
	}
	if err := x.Scheduler.warn(ctx, b, senderStates{}, &WarningCounts{}); err != nil {
		x.cfg.Log.Warn("schedule check failed", "tenant", b.TenantID, "batch", id, "err", err)
	}
	return x.visible(ctx, a, id)
}

func (x *Batches) editMessage(ctx context.Context, a access.Asker, b ledger.Batch, message *string, set columns) error {
	if message == nil {
		return nil
	}
	tpl, err := checkText(ctx, x.templates, a.Tenant, b, *message)
	set["message"] = tpl.String()
	return err
}

func editLate(b ledger.Batch, l *Late, set columns) error {
	err := setLate(&b, l)
	set["late_minutes"], set["late_do"] = b.LateMinutes, b.LateDo
	return err
}

func editSchedule(b ledger.Batch, s *walltime.Schedule, now time.Time, set columns) error {
	if s == nil {
		return nil
	}
	err := setSchedule(&b, *s, now)
	set["send_at"], set["local_time"], set["time_zone"], set["utc_offset"] = b.SendAt, b.LocalTime, b.TimeZone, b.UTCOffset
	return err
}

func (x *Batches) editSender(ctx context.Context, a access.Asker, userID *string, set columns) error {
	if userID == nil {
		return nil
	}
	if !a.IsAdmin() {
		return apierror.New("admin_required", "Only an admin can choose another sender.")
	}
	if _, err := x.store.Users.Get(ctx, a.Tenant.ID, *userID); err != nil {
		return apierror.NotFound(err)
	}
	from, err := x.senderFor(ctx, a.Tenant.ID, *userID)
	from.columns(set)
	return err
}

// maxExcluded bounds how many records one batch can leave out by name.
const maxExcluded = 10_000

// editExclude leaves single recipients out. They have no messages yet
// that could be cancelled: their ids are stored with the batch, and
// preparing skips them with the reason.
func editExclude(b ledger.Batch, exclude *[]string, set columns) error {
	if exclude == nil {
		return nil
	}
	out, err := excluded(b, *exclude)
	set["excluded"] = ledger.EncodeIDs(out)
	set["expected_skipped"] = max(0, b.ExpectedSkipped+len(out)-len(b.Excluded)) // until they are counted again
	return err
}

// excluded checks the ids of the records that a bulk leaves out.
func excluded(b ledger.Batch, exclude []string) ([]string, error) {
	out := audience.UniqueIDs(exclude)
	switch {
	case len(out) == 0:
		return nil, nil
	case b.Source != ledger.SourceBulk:
		return nil, apierror.Field("exclude", "Only a bulk can leave people out. Cancel this text instead.")
	case len(out) > maxExcluded:
		return nil, apierror.Field("exclude", fmt.Sprintf("At most %d people can be left out.", maxExcluded))
	case len(out) >= b.Expected:
		return nil, apierror.Field("exclude", "Nobody would be left. Cancel the texts instead.")
	}
	recipients := audience.IDSet(b.RecordIDs) // empty for a selection
	for _, id := range out {
		if id == "" || len(recipients) > 0 && !recipients[id] {
			return nil, apierror.Field("exclude", "Somebody who is to be left out is not among the recipients.")
		}
	}
	return out, nil
}
