package automation

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/compose"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/text"
	"dialpad-texting/models"
)

const optionsPageSize = 50

// Options lists the choices of an input. It
// returns *Invalid for an input that has none.
func (a *Automation) Options(ctx context.Context, q crm.OptionsQuery) (crm.Options, error) {
	t, err := a.store.Tenants.Get(ctx, q.Tenant.ID)
	if err != nil {
		return crm.Options{}, err
	}
	list := map[string]func(context.Context, models.Tenant, crm.OptionsQuery) (crm.Options, error){
		fieldFromUser: a.senders, fieldTo: a.phoneFields, fieldTemplate: a.templateOptions}[q.Field]
	if list == nil {
		return crm.Options{}, &Invalid{Field: "field", Message: "This input has no list of choices."}
	}
	// First for each input: before somebody has connected,
	// the CRM can't be asked for templates in anybody's name.
	refusal, err := a.eligible.CheckTenant(ctx, t.ID)
	if err != nil {
		return crm.Options{}, err
	}
	if refusal != nil {
		return refusedOptions(refusal), nil
	}
	return list(ctx, t, q)
}

// senders lists the CRM users who may text, or says why
// nobody may. The CRM itself offers the record's owner.
func (a *Automation) senders(ctx context.Context, t models.Tenant, q crm.OptionsQuery) (crm.Options, error) {
	refusal, err := a.senderRefusal(ctx, t)
	if err != nil {
		return crm.Options{}, err
	}
	if refusal != nil {
		return refusedOptions(refusal), nil
	}
	after, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil {
		return crm.Options{}, &Invalid{Field: "cursor", Message: "This cursor is none of ours."}
	}
	people, next, err := a.store.Users.People(ctx, t.ID, q.Q, true, string(after), optionsPageSize)
	if err != nil {
		return crm.Options{}, err
	}
	out := crm.Options{Options: make([]crm.Option, 0, len(people)+1)}
	listed := false
	for _, p := range people {
		listed = listed || p.UserID == q.Value
		out.Options = append(out.Options, senderOption(p))
	}
	if next != "" {
		cursor := base64.RawURLEncoding.EncodeToString([]byte(next))
		out.Next = &cursor
	}
	if q.Cursor == "" && q.Value != "" && q.Value != crm.OwnerValue && !listed {
		return a.addSavedSender(ctx, t, q, out)
	}
	return out, nil
}

// senderRefusal says why no sender can be chosen now,
// nil if one can. It reads people again first, so that
// a user who was suspended a minute ago is not offered.
func (a *Automation) senderRefusal(ctx context.Context, t models.Tenant) (*eligibility.Refusal, error) {
	var refusal *eligibility.Refusal
	if a.cfg.RefreshPeople != nil {
		err := a.cfg.RefreshPeople(ctx, t.ID)
		if errors.As(err, &refusal) {
			// If Dialpad has just refused the grant, the connection
			// is broken. That refusal says the same and has a link.
			if broken, err := a.eligible.CheckTenant(ctx, t.ID); err != nil || broken != nil {
				return broken, err
			}
			return refusal, nil
		}
		if err != nil {
			a.cfg.Log.Warn("refresh people failed", "tenant", t.ID, "err", err)
		}
	}
	anybody, _, err := a.store.Users.People(ctx, t.ID, "", true, "", 1)
	if err == nil && len(anybody) == 0 {
		refusal = eligibility.NoAccounts()
	}
	return refusal, err
}

func refusedOptions(r *eligibility.Refusal) crm.Options {
	out := crm.Options{Options: []crm.Option{}, State: &crm.State{Code: r.Code, Message: r.Message}}
	if r.Link != nil {
		out.State.Link = &crm.Link{Text: r.Link.Text, URL: r.Link.URL}
	}
	return out
}

func senderOption(p models.Person) crm.Option {
	return crm.Option{Value: p.UserID, Label: cmp.Or(p.Name, p.Email, p.UserID), Description: describe(p.Email, compose.Display(p.Number))}
}

func describe(email, more string) string {
	if email == "" || more == "" {
		return email + more
	}
	return email + " · " + more
}

// addSavedSender puts the saved user first if the page does not
// hold it. One who can't text any more is marked, with the
// reason. One who can is left out of a search for something else.
func (a *Automation) addSavedSender(ctx context.Context, t models.Tenant, q crm.OptionsQuery, out crm.Options) (crm.Options, error) {
	u, err := a.store.Users.Get(ctx, t.ID, q.Value)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return out, err
	}
	account := models.Account{}
	if u.Active {
		if account, err = a.store.Accounts.ByEmail(ctx, t.ID, u.Email); err != nil && !errors.Is(err, models.ErrNotFound) {
			return out, err
		}
	}
	saved := senderOption(models.Person{UserID: q.Value, Name: u.Name, Email: u.Email, Number: account.Number})
	if saved.Inactive = !account.CanText(); saved.Inactive {
		why := models.AccountProblem(account.State, account.Number)
		if !u.Active {
			why = "No longer active in Salesmate"
		}
		saved.Description = describe(u.Email, why)
	} else if q.Q != "" {
		return out, nil
	}
	out.Options = append([]crm.Option{saved}, out.Options...)
	return out, nil
}

// phoneFields lists the phone fields of contacts
// and of deals: the query names no module.
func (a *Automation) phoneFields(ctx context.Context, t models.Tenant, q crm.OptionsQuery) (crm.Options, error) {
	out := crm.Options{Options: []crm.Option{}}
	seen := map[string]bool{}
	for _, module := range []string{crm.ModuleContact, crm.ModuleDeal} {
		list, err := a.texts.Templates.PhoneFields(ctx, t, module)
		if err != nil {
			return out, err
		}
		for _, f := range list {
			if !seen[f.Key] && matches(q.Q, f.Label, f.Key) {
				out.Options = append(out.Options, crm.Option{Value: f.Key, Label: cmp.Or(f.Label, f.Key)})
			}
			seen[f.Key] = true
		}
	}
	if q.Value != "" && !seen[q.Value] {
		out.Options = append(out.Options, crm.Option{Value: q.Value, Label: q.Value, Description: "No longer a phone field", Inactive: true})
	}
	return out, nil
}

// matches reports whether one of the words contains q, without case and
// accents.
func matches(q string, words ...string) bool {
	q = text.Fold(q)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text.Fold(w), q) })
}

// templateOptions lists the CRM's templates.
// A saved one that is gone is marked.
func (a *Automation) templateOptions(ctx context.Context, t models.Tenant, q crm.OptionsQuery) (crm.Options, error) {
	out := crm.Options{Options: []crm.Option{}}
	apiUser, err := a.apiUser(ctx, t.ID)
	if err != nil {
		return out, err
	}
	page, err := a.texts.Templates.List(ctx, t, apiUser, q.Q, q.Cursor)
	if err != nil {
		return out, err
	}
	listed := false
	for _, v := range page.Templates {
		listed = listed || v.ID == q.Value
		out.Options = append(out.Options, templateOption(v))
	}
	if page.Next != "" {
		out.Next = &page.Next
	}
	if q.Cursor != "" || q.Value == "" || listed {
		return out, nil
	}
	return a.addSavedTemplate(ctx, t, apiUser, q, out)
}

// addSavedTemplate puts the saved template first if
// the page does not hold it, marked if it is gone.
func (a *Automation) addSavedTemplate(ctx context.Context, t models.Tenant, apiUser string, q crm.OptionsQuery, out crm.Options) (crm.Options, error) {
	saved := crm.Option{Value: q.Value, Label: q.Value, Description: "This template no longer exists", Inactive: true}
	v, err := a.texts.Templates.Find(ctx, t, apiUser, q.Value)
	var gone *apierror.Error
	switch {
	case err == nil && q.Q != "":
		return out, nil // it exists, and something else is searched for
	case err == nil:
		saved = templateOption(v)
	case !errors.As(err, &gone) || gone.Code != apierror.CodeNotFound:
		return out, err
	}
	out.Options = append([]crm.Option{saved}, out.Options...)
	return out, nil
}

func templateOption(v crm.Template) crm.Option {
	return crm.Option{Value: v.ID, Label: cmp.Or(v.Name, v.ID), Description: v.Folder}
}
