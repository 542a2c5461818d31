package apptest

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Discard is a logger that writes nowhere.
var Discard = slog.New(slog.DiscardHandler)

// Must ends the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Refusal is an error's code and its sentence for the person.
func Refusal(err error) (code, message string) {
	var e *apierror.Error
	var r *eligibility.Refusal
	switch {
	case errors.As(err, &e):
		return e.Code, e.Message
	case errors.As(err, &r):
		return r.Code, r.Message
	case err != nil:
		return "error", err.Error()
	}
	return "", ""
}

// Suppress opts a number out, from a source.
func (w *World) Suppress(number, source string) {
	w.T.Helper()
	_, err := w.DB.Suppressions.Add(Ctx, Acme, number, source, "")
	Must(w.T, err)
}

// SetAccount stores another state of a Dialpad user.
func (w *World) SetAccount(id, email, state string) {
	w.T.Helper()
	w.Clock.Add(time.Millisecond)
	_, err := w.DB.Accounts.Save(Ctx, Acme, w.Clock.Now(), []models.Account{{DialpadID: id, Emails: []string{email}, Number: "+1415555010" + string(id[0]-1), State: state}})
	Must(w.T, err)
}

// SaveUser stores a CRM user of Acme as the CRM has the user now.
func (w *World) SaveUser(id, email string, active bool) {
	w.T.Helper()
	name := id
	for _, a := range users {
		if a.UserID == id {
			name = a.Name
		}
	}
	Must(w.T, w.DB.Users.Save(Ctx, Acme, []models.User{{UserID: id, Email: email, Name: name, Active: active}}))
}

// SetPlan stores a plan for Acme, as the CRM signs it.
func (w *World) SetPlan(plan string) {
	w.T.Helper()
	_, err := w.DB.Tenants.SaveSigned(Ctx, models.SignedTenant{ID: Acme, Linkname: "acme", Name: "Acme Inc", Plan: plan,
		TimeZone: "America/New_York", SignedAt: w.Clock.Now()})
	Must(w.T, err)
}

var users = map[string]access.Asker{
	"ana":  {UserID: "42", Email: "ana@acme.com", Name: "Ana Ruiz", Role: "admin", TimeZone: "America/New_York"},
	"ben":  {UserID: "43", Email: "ben@acme.com", Name: "Ben Okoro", Role: "user", TimeZone: "America/New_York"},
	"cleo": {UserID: "44", Email: "cleo@acme.com", Name: "Cleo Park", Role: "user", TimeZone: "America/New_York"},
	"dan":  {UserID: "45", Email: "dan@acme.com", Name: "Dan Weiss", Role: "user", TimeZone: "America/New_York"},
}

// Page is somebody on the outbox: the tenant as it is now, no ctx.
func (w *World) Page(who string) access.Asker {
	w.T.Helper()
	a := users[who]
	t, err := w.DB.Store.Tenants.Get(Ctx, Acme)
	Must(w.T, err)
	a.Tenant = t
	return a
}

// One is somebody in a popup about a contact's number.
func (w *World) One(who, contact, number string) access.Asker {
	a := w.Page(who)
	a.Target = &crm.LaunchTarget{Mode: crm.ModeOne, Module: crm.ModuleContact, RecordIDs: []string{contact}, ToNumber: number}
	return a
}

// Bulk is somebody in a popup about some records.
func (w *World) Bulk(who, module string, ids ...string) access.Asker {
	a := w.Page(who)
	a.Target = &crm.LaunchTarget{Mode: crm.ModeBulk, Module: module, RecordIDs: ids}
	return a
}

// Selection is somebody in a popup about all records that match q.
func (w *World) Selection(who, module, q string) access.Asker {
	w.T.Helper()
	a := w.Page(who)
	id, n, err := w.Host.Select(Acme, a.UserID, module, q)
	Must(w.T, err)
	a.Target = &crm.LaunchTarget{Mode: crm.ModeBulk, Module: module, Selection: id, Count: n}
	return a
}

// Claim claims all that may be sent now, as the worker that leases the
// lane.
func (w *World) Claim() []ledger.ClaimedMessage {
	w.T.Helper()
	if w.Lane.ID == "" {
		lanes, err := w.DB.Lanes.AcquireAllTenants(Ctx, "w1", 1000*time.Hour, 0, 1)
		Must(w.T, err)
		if len(lanes) == 0 {
			return nil
		}
		w.Lane = lanes[0]
	}
	_, _, err := w.DB.Lanes.QueueDue(Ctx, w.Lane, 1000)
	Must(w.T, err)
	claimed, _, err := w.DB.Lanes.Claim(Ctx, w.Lane, ledger.ClaimParams{N: 1000, Base: w.Clock.Now()})
	Must(w.T, err)
	return claimed
}

// Settle ends claimed messages in a state.
func (w *World) Settle(state string, claimed ...ledger.ClaimedMessage) {
	w.T.Helper()
	list := make([]ledger.Outcome, len(claimed))
	for i, c := range claimed {
		list[i] = ledger.Outcome{ID: c.ID, Attempt: c.Attempt, State: state, DialpadID: "d-" + c.ID}
	}
	moved, err := w.DB.Settle(Ctx, list)
	Must(w.T, err)
	Must(w.T, w.DB.FollowUp(Ctx, moved))
}

// CountJobs counts the jobs of a kind.
func (w *World) CountJobs(kind string) int { return w.DB.CountJobs(kind) }
