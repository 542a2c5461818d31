package texting

import (
	"context"
	"fmt"
	"time"

	"dialpad-texting/models/ledger"
)

// EditRequest changes a batch before it starts; nil leaves a thing as it is.
type EditRequest struct {
	Version      *int64    `json:"version"` // as it was seen; nil changes it whatever it is by now
	Message      *string   `json:"message"`
	Schedule     *Schedule `json:"schedule"`
	Late         *Late     `json:"late"`
	MoveQuiet    *bool     `json:"move_quiet"`
	SenderUserID *string   `json:"sender_user_id"` // admins: another CRM user whose Dialpad account sends
	Exclude      *[]string `json:"exclude"`        // records that are left out of a bulk, all of them; [] takes everybody in again
}

const wordsChanged = "This text has just started, or somebody else changed it. Look at it again."

// excludeMost bounds how many records one batch can leave out by name.
const excludeMost = 10_000

// Edit changes a scheduled batch; whether it still was one is decided by the database. What was held before it began may
// be given another time, if its tenant and sender may text now.
func (x *Texting) Edit(ctx context.Context, a Asker, id string, r EditRequest) (BatchView, error) {
	b, err := x.store.Batches.Get(ctx, a.Tenant.ID, a.scope(), id)
	if err != nil {
		return BatchView{}, found(err)
	}
	if r.Version != nil && *r.Version != b.Version {
		return BatchView{}, problem("state_conflict", wordsChanged)
	}
	set := map[string]any{"warning": "", "warned_at": nil}
	if b.State == ledger.BatchHeld && b.StartedAt == nil && r.Schedule != nil {
		if r.SenderUserID == nil { // another one is judged when chosen
			if err := x.keepSender(ctx, b, set); err != nil {
				return BatchView{}, err
			}
		}
		set["state"], set["held_reason"], set["held_code"], set["held_at"] = ledger.BatchScheduled, "", "", nil
	} else if b.State != ledger.BatchScheduled {
		return BatchView{}, started(b, x.now())
	}
	for _, change := range []func() error{
		func() error { return x.editMessage(ctx, a, b, r.Message, set) },
		func() error { return editLate(b, r.Late, set) },
		func() error { return x.editSchedule(b, r.Schedule, set) },
		func() error { return x.editSender(ctx, a, r.SenderUserID, set) },
		func() error { return editExclude(b, r.Exclude, set) },
	} {
		if err := change(); err != nil {
			return BatchView{}, err
		}
	}
	if r.MoveQuiet != nil {
		set["move_quiet"] = *r.MoveQuiet
	}
	if err := x.store.Batches.UpdateUnchanged(ctx, b, set); err != nil {
		return BatchView{}, lost(err, wordsChanged)
	}
	return x.lookAgain(ctx, a, id)
}

// keepSender has a batch that was held go on by whoever was to send it.
func (x *Texting) keepSender(ctx context.Context, b ledger.Batch, set map[string]any) error {
	senderID, refusal, err := x.sendsFor(ctx, b)
	if err != nil {
		return err
	}
	if refusal != nil {
		return refusal
	}
	set["sender_id"] = senderID
	return nil
}

// started says why a batch can't be changed any more. What is made ready waits for its time, and no second one.
func started(b ledger.Batch, now time.Time) error {
	if !b.Ended() && b.SendAt != nil && b.SendAt.After(now) && b.StartedAt != nil {
		return problem("state_conflict", "This text is ready for its time; it can't be changed any more. It can still be cancelled.")
	}
	if b.State == ledger.BatchHeld && b.StartedAt == nil {
		return problem("state_conflict", "This text is on hold. Give it another time, or resume it.")
	}
	if b.State == ledger.BatchCancelled {
		return problem("state_conflict", "This text was cancelled; it can't be changed any more.")
	}
	return problem("state_conflict", "This text has already started; it can't be changed any more.")
}

// lookAgain answers a batch that was made or changed with what will go wrong with it. The change stands, whatever comes
// of the look: the next one is a minute away.
func (x *Texting) lookAgain(ctx context.Context, a Asker, id string) (BatchView, error) {
	b, err := x.store.Batches.Get(ctx, a.Tenant.ID, a.scope(), id)
	if err != nil {
		return BatchView{}, found(err)
	}
	if b.State == ledger.BatchScheduled {
		var n WarnCounts
		if err := x.foresee(ctx, b, map[[2]string]verdict{}, &n); err != nil {
			x.log.Warn("looking ahead at a schedule failed", "tenant", b.TenantID, "batch", id, "err", err)
		}
	}
	return x.Batch(ctx, a, id)
}

func (x *Texting) editMessage(ctx context.Context, a Asker, b ledger.Batch, message *string, set map[string]any) error {
	if message == nil {
		return nil
	}
	tpl, err := x.check(ctx, a.Tenant, b.Module, *message)
	set["message"] = tpl.String()
	return err
}

func editLate(b ledger.Batch, l *Late, set map[string]any) error {
	err := setLate(&b, l)
	set["late_minutes"], set["late_do"] = b.LateMinutes, b.LateDo
	return err
}

func (x *Texting) editSchedule(b ledger.Batch, s *Schedule, set map[string]any) error {
	if s == nil {
		return nil
	}
	err := x.setSchedule(&b, *s)
	set["send_at"], set["local_time"], set["time_zone"], set["utc_offset"] = b.SendAt, b.LocalTime, b.TimeZone, b.UTCOffset
	return err
}

func (x *Texting) editSender(ctx context.Context, a Asker, userID *string, set map[string]any) error {
	if userID == nil {
		return nil
	}
	if !a.Admin() {
		return problem("admin_required", "Only an admin can choose another sender.")
	}
	u, err := x.store.Users.Get(ctx, a.Tenant.ID, *userID)
	if err != nil {
		return found(err)
	}
	account, refusal, err := x.market.UserMay(ctx, a.Tenant.ID, u.Email)
	if err != nil {
		return err
	}
	if refusal != nil {
		return refusal
	}
	set["sender_id"], set["sender_email"] = account.DialpadID, u.Email
	return nil
}

// editExclude leaves single recipients out. There are no texts yet that could be cancelled one by one: who is left out
// is kept with the batch, and gets a row with the reason when it is prepared.
func editExclude(b ledger.Batch, exclude *[]string, set map[string]any) error {
	if exclude == nil {
		return nil
	}
	out := eachOnce(*exclude)
	bad := func(message string) error {
		return &Problem{Code: "bad_request", Message: message, Details: map[string]any{"field": "exclude"}}
	}
	switch {
	case b.Source != ledger.SourceBulk:
		return bad("Only a bulk can leave people out. Cancel this text instead.")
	case len(out) > excludeMost:
		return bad(fmt.Sprintf("At most %d people can be left out.", excludeMost))
	case len(out) >= b.Expected:
		return bad("Nobody would be left. Cancel the texts instead.")
	}
	asked := idSet(b.RecordIDs)
	for _, id := range out {
		if id == "" || len(asked) > 0 && !asked[id] {
			return bad("Somebody who is to be left out is not among the recipients.")
		}
	}
	set["excluded"] = ledger.IDList(out)
	return nil
}

func idSet(ids []string) map[string]bool {
	out := make(map[string]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out
}
