package popup

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// Draft is what a person is writing in a popup, for browsers that store
// nothing in a frame. Unanswered is a request whose answer is not known
// yet, with the Idempotency-Key and the body that it went out with.
type Draft struct {
	Text       string          `json:"text,omitempty" max:"65536"`
	Key        string          `json:"key,omitempty"`
	Body       string          `json:"body,omitempty" max:"65536"`
	Unanswered json.RawMessage `json:"unanswered,omitempty" max:"65536"`
	Batch      string          `json:"batch,omitempty"` // that it became
}

// Preferences are what a person's popups remember.
type Preferences struct {
	RecentTemplates    []string `json:"recent_templates"` // ids, the last used first
	FavouriteTemplates []string `json:"favourite_templates"`
	TestNumber         string   `json:"test_number"` // of the person's own, as it was typed
}

const (
	maxDraft       = 64 << 10 // bytes of JSON
	maxRecent      = 10
	maxFavourites  = 100
	maxTemplateID  = 200 // bytes
	preferencesRow = "preferences"
)

// SaveDraft keeps what the asker is writing in this popup for a week;
// an empty draft deletes it.
func (x *Popup) SaveDraft(ctx context.Context, a access.Asker, d Draft) error {
	if a.Target == nil {
		return apierror.NoRecords()
	}
	if string(d.Unanswered) == "null" {
		d.Unanswered = nil
	}
	body, err := json.Marshal(d)
	switch {
	case err != nil:
		return err
	case len(body) > maxDraft:
		return apierror.Field("text", "This draft is too long to be kept.")
	case string(body) == "{}":
		body = nil
	}
	row := models.Draft{TenantID: a.Tenant.ID, UserID: a.UserID, Name: contextID(a.Target)}
	if a.Target.Mode == crm.ModeOne {
		if row.NumberKey, err = x.store.Tenants.NumberKey(ctx, a.Tenant.ID, clickedNumber(a).Number); err != nil {
			return err
		}
		if a.Target.Module == crm.ModuleContact {
			row.ContactID = a.Target.RecordIDs[0]
		}
	}
	return x.store.Drafts.Save(ctx, row, string(body), models.DraftLifetime)
}

// SavePreferences keeps what the asker's popups remember.
func (x *Popup) SavePreferences(ctx context.Context, a access.Asker, p Preferences) error {
	if len(p.RecentTemplates) > maxRecent || len(p.FavouriteTemplates) > maxFavourites {
		return apierror.Field("favourite_templates", "That is more than can be kept.")
	}
	for _, id := range slices.Concat(p.RecentTemplates, p.FavouriteTemplates) {
		if id == "" || len(id) > maxTemplateID {
			return apierror.Field("favourite_templates", "There is no such template.")
		}
	}
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	row := models.Draft{TenantID: a.Tenant.ID, UserID: a.UserID, Name: preferencesRow}
	return x.store.Drafts.Save(ctx, row, string(body), models.PreferencesLifetime)
}

// fillStored adds what was stored before. What can't be read any more,
// by other keys or another version, is as good as nothing.
func (x *Popup) fillStored(ctx context.Context, a access.Asker, v *ContextView) error {
	v.Preferences = Preferences{RecentTemplates: []string{}, FavouriteTemplates: []string{}}
	bodies, err := x.store.Drafts.Bodies(ctx, a.Tenant.ID, a.UserID, v.ID, preferencesRow)
	if err != nil {
		return err
	}
	var d Draft
	if body := bodies[v.ID]; body != "" && json.Unmarshal([]byte(body), &d) == nil {
		v.Draft = &d
	}
	var p Preferences
	if body := bodies[preferencesRow]; body != "" && json.Unmarshal([]byte(body), &p) == nil && p.RecentTemplates != nil && p.FavouriteTemplates != nil {
		v.Preferences = p
	}
	return nil
}

// lastTextAge is how far back a text to the same person is of interest.
const lastTextAge = 7 * 24 * time.Hour

// fillLastText adds who last texted the number.
func (x *Popup) fillLastText(ctx context.Context, a access.Asker, to *ToView) error {
	if to.Problem != nil {
		return nil
	}
	keys, err := x.store.Tenants.NumberKeys(ctx, a.Tenant.ID, to.Number)
	if err != nil {
		return err
	}
	m, err := x.store.Messages.LastSentTo(ctx, a.Tenant.ID, keys, x.store.Now().Add(-lastTextAge))
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	b, err := x.store.Batches.Get(ctx, a.Tenant.ID, "", m.BatchID)
	if err != nil {
		return apierror.IgnoreNotFound(err)
	}
	to.LastText = &LastTextView{By: cmp.Or(b.WorkflowName, b.UserName), Mine: b.UserID == a.UserID && b.WorkflowName == "", At: *m.SentAt}
	return nil
}
