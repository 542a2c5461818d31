package optout

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/compose"
	"dialpad-texting/models"
	"dialpad-texting/models/queue"
)

// What somebody may decide about a number.
const (
	ActionOptOut = "opt_out" // the person wants no texts
	ActionOptIn  = "opt_in"  // the person gave consent anew
	ActionKeep   = "keep"    // the reviewed text was no opt-out
)

// Decision is what somebody of the tenant decides about a number.
type Decision struct {
	Action    string     `json:"action"`
	Number    string     `json:"number"`     // or
	MessageID string     `json:"message_id"` // of a text to the number
	How       string     `json:"how"`        // how the person said it; needed for an opt-in
	At        *time.Time `json:"at"`         // when, for keep that of the reviewed text; nil is now
}

// ContactView is what is known of a number's consent.
type ContactView struct {
	Number   string        `json:"number"`
	Display  string        `json:"display"`
	OptedOut bool          `json:"opted_out"`
	Review   *ReviewView   `json:"review"`
	Sources  []OptOutView  `json:"sources"` // in force; empty unless opted out
	History  []ConsentView `json:"history"` // newest first
}

// ReviewView is a text that may mean an opt-out.
type ReviewView struct {
	Text   string    `json:"text"` // "" where Dialpad does not give it
	SaidAt time.Time `json:"said_at"`
}

// OptOutView is an opt-out in force.
type OptOutView struct {
	Source string    `json:"source"`
	SaidAt time.Time `json:"said_at"`
	By     string    `json:"by"` // who recorded it, "" for nobody
	How    string    `json:"how"`
}

// ConsentView is one thing that was said.
type ConsentView struct {
	OptedOut bool `json:"opted_out"`
	OptOutView
}

const (
	maxHow         = 300 // characters
	maxHistory     = 20
	syncNowTimeout = 3 * time.Second
)

// Decide records a decision: who, when and how. The asker needs a text
// or a popup to the number, or be an admin.
func (o *OptOuts) Decide(ctx context.Context, a access.Asker, d Decision) (ContactView, error) {
	number, err := o.numberFor(ctx, a, d.Number, d.MessageID)
	if err != nil {
		return ContactView{}, err
	}
	said := models.Said{Number: number, Source: models.OptOutPerson, UserID: a.UserID, Note: strings.TrimSpace(d.How), At: o.store.Now()}
	if err := check(d, &said); err != nil {
		return ContactView{}, err
	}
	var sync queue.SyncOptOut
	err = o.store.Tx(ctx, func(tx *models.Store) error {
		if sync, err = o.in(tx).decide(ctx, a, d.Action, said); err != nil {
			return err
		}
		return tx.Audits.Add(ctx, a.Tenant.ID, a.UserID, "opt_out."+d.Action, nil)
	})
	if err != nil {
		return ContactView{}, err
	}
	o.syncNow(ctx, sync)
	return o.view(ctx, a.Tenant.ID, number)
}

// syncNow syncs a change to the CRM before its job does: whoever decided
// reads the CRM's flag again at once. The job repeats what fails.
func (o *OptOuts) syncNow(ctx context.Context, job queue.SyncOptOut) {
	if job.TenantID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, syncNowTimeout)
	defer cancel()
	if err := o.SyncToCRM(ctx, job); err != nil {
		o.log.Info("opt-out sync left to its job", "tenant", job.TenantID, "err", err)
	}
}

func check(d Decision, said *models.Said) error {
	switch {
	case utf8.RuneCountInString(said.Note) > maxHow:
		return apierror.Field("how", "This note is too long: 300 characters at most.")
	case !utf8.ValidString(said.Note) || strings.ContainsRune(said.Note, 0):
		return apierror.Field("how", "This note can't be read.")
	case d.Action == ActionOptIn && !strings.ContainsFunc(said.Note, isWritten):
		return apierror.Field("how", "Write how this person gave consent, for example: signed the form at the front desk.")
	case d.At != nil && d.At.After(said.At.Add(time.Minute)):
		return apierror.Field("at", "This time has not come yet.")
	case d.At != nil && d.At.Year() < 2000:
		return apierror.Field("at", "This time is too long ago.")
	}
	if d.At != nil && d.At.Before(said.At) {
		said.At = *d.At
	}
	return nil
}

// isWritten reports whether a rune is more than white space.
func isWritten(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// decide applies a decision and returns its sync to the CRM, zero for
// none.
func (o *OptOuts) decide(ctx context.Context, a access.Asker, action string, said models.Said) (sync queue.SyncOptOut, err error) {
	tenantID := a.Tenant.ID
	switch action {
	case ActionOptOut:
		said.At = o.store.Now() // in force from now on, whenever it was said
		if _, err := o.store.Suppressions.OptOut(ctx, tenantID, said); err != nil {
			return sync, err
		}
		if _, err := o.store.Suppressions.CloseReview(ctx, tenantID, said.Number, said.At); err != nil {
			return sync, err
		}
		return enqueueSync(ctx, o.store, tenantID, said, true)
	case ActionOptIn:
		return o.consent(ctx, tenantID, said)
	case ActionKeep:
		return sync, o.keep(ctx, tenantID, said)
	}
	return sync, apierror.Field("action", "There is no such action: opt_out, opt_in or keep.")
}

// keep ends the review of the text that was decided about, not of a
// later one.
func (o *OptOuts) keep(ctx context.Context, tenantID string, said models.Said) error {
	closed, err := o.store.Suppressions.CloseReview(ctx, tenantID, said.Number, said.At)
	if err != nil || closed {
		return err
	}
	_, err = o.store.Suppressions.Review(ctx, tenantID, said.Number)
	switch {
	case err == nil:
		return apierror.Conflict("This person has written again. Read it before you decide.")
	case errors.Is(err, models.ErrNotFound):
		return apierror.Conflict("Somebody has decided about this number already.")
	}
	return err
}

// consent lifts all opt-outs that are older, but Dialpad's own: it
// refuses texts to a number until the person writes START.
func (o *OptOuts) consent(ctx context.Context, tenantID string, said models.Said) (sync queue.SyncOptOut, err error) {
	list, err := o.store.Suppressions.Of(ctx, tenantID, said.Number)
	if err != nil {
		return sync, err
	}
	for _, s := range list {
		if s.Source != models.OptOutDialpad && !s.SaidAt.Before(said.At) {
			return sync, apierror.Conflict("This person opted out after that time. Consent counts only if it was given later.")
		}
	}
	if _, err := o.store.Suppressions.OptIn(ctx, tenantID, said, models.OptOutCRM, models.OptOutReply, models.OptOutPerson); err != nil {
		return sync, err
	}
	if _, err := o.store.Suppressions.CloseReview(ctx, tenantID, said.Number, said.At); err != nil {
		return sync, err
	}
	out, err := o.store.Suppressions.Contains(ctx, tenantID, said.Number)
	if err != nil || out {
		return sync, err
	}
	return enqueueSync(ctx, o.store, tenantID, said, false) // its flag may be the only one
}

// Contact returns what is known of a number's consent.
func (o *OptOuts) Contact(ctx context.Context, a access.Asker, number, messageID string) (ContactView, error) {
	number, err := o.numberFor(ctx, a, number, messageID)
	if err != nil {
		return ContactView{}, err
	}
	return o.view(ctx, a.Tenant.ID, number)
}

// numberFor returns the number (E.164) that the asker names, if it may
// be decided by them.
func (o *OptOuts) numberFor(ctx context.Context, a access.Asker, number, messageID string) (string, error) {
	if messageID != "" {
		if !models.IsID(messageID) {
			return "", apierror.NotFound(models.ErrNotFound)
		}
		m, err := o.store.Messages.Get(ctx, a.Tenant.ID, a.VisibleUserID(), messageID)
		if err != nil {
			return "", apierror.NotFound(err)
		}
		if m.Erased() || m.ToNumber == "" {
			return "", apierror.New(apierror.CodeNotFound, "This text has no number any more.")
		}
		return m.ToNumber, nil
	}
	e164, err := compose.E164(number, a.Tenant.Country)
	if err != nil {
		var r compose.Reason
		if errors.As(err, &r) {
			return "", apierror.Field("number", r.Sentence()+".")
		}
		return "", err
	}
	if a.IsAdmin() || a.Target != nil && sameNumber(a.Target.ToNumber, e164, a.Tenant.Country) {
		return e164, nil
	}
	key, err := o.store.Tenants.NumberKey(ctx, a.Tenant.ID, e164)
	if err != nil {
		return "", err
	}
	texted, err := o.store.Messages.TextedBy(ctx, a.Tenant.ID, a.UserID, key)
	if err == nil && !texted {
		err = apierror.New(apierror.CodeNotFound, "You have not texted this number.")
	}
	return e164, err
}

func sameNumber(raw, e164, country string) bool {
	number, err := compose.E164(raw, country)
	return err == nil && number == e164
}

func (o *OptOuts) view(ctx context.Context, tenantID, number string) (ContactView, error) {
	v := ContactView{Number: number, Display: compose.Display(number), Sources: []OptOutView{}, History: []ConsentView{}}
	list, err := o.store.Suppressions.Of(ctx, tenantID, number)
	if err != nil {
		return v, err
	}
	v.OptedOut = len(list) > 0
	name := o.names(ctx, tenantID)
	for _, s := range list {
		v.Sources = append(v.Sources, OptOutView{s.Source, s.SaidAt, name(s.UserID), s.Reason})
	}
	history, err := o.store.Suppressions.Consents(ctx, tenantID, number, maxHistory)
	for _, c := range history {
		v.History = append(v.History, ConsentView{c.OptedOut, OptOutView{c.Source, c.SaidAt, name(c.UserID), c.Note}})
	}
	if err != nil {
		return v, err
	}
	v.Review, err = ReviewOf(ctx, o.store, tenantID, number)
	return v, err
}

// names returns a function that gives users' names, each read once.
func (o *OptOuts) names(ctx context.Context, tenantID string) func(userID string) string {
	known := map[string]string{"": ""}
	return func(userID string) string {
		if _, ok := known[userID]; !ok {
			known[userID] = userID
			if u, err := o.store.Users.Get(ctx, tenantID, userID); err == nil {
				known[userID] = u.Name
			}
		}
		return known[userID]
	}
}

// ReviewOf returns a number's review, nil for none.
func ReviewOf(ctx context.Context, store *models.Store, tenantID, number string) (*ReviewView, error) {
	r, err := store.Suppressions.Review(ctx, tenantID, number)
	if errors.Is(err, models.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &ReviewView{r.Text, r.SaidAt}, nil
}
