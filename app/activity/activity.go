// Package activity shows a tenant's admins the audit log: who did what, and when.
package activity

import (
	"context"
	"encoding/csv"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/internal/spreadsheet"
	"dialpad-texting/models"
)

// Log reads the audit log. Safe for concurrent use.
type Log struct{ store *models.Store }

// New returns a Log.
func New(store *models.Store) *Log { return &Log{store} }

// PageView is one page of the log, newest first.
type PageView struct {
	Entries []EntryView `json:"entries"`
	Next    *string     `json:"next"`
}

// EntryView is one entry. UserID and By are "" where no user did it,
// BatchID is "" where it is about no batch.
type EntryView struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	UserID  string    `json:"user_id"`
	By      string    `json:"by"`
	Action  string    `json:"action"`
	What    string    `json:"what"`
	Detail  string    `json:"detail"`
	BatchID string    `json:"batch_id"`
}

const (
	page       = 50
	reportPage = 1000
	maxPeople  = 200 // whom a search by name may find
	batchKey   = "batch"
)

// Page returns a page of entries. search is part of a user's name or
// e-mail, or of an action's words. before is "" or the Next of a page.
func (l *Log) Page(ctx context.Context, a access.Asker, search, before string) (PageView, error) {
	v := PageView{Entries: []EntryView{}}
	list, err := l.entries(ctx, a, search, before, page+1)
	if err != nil {
		return v, err
	}
	if len(list) > page {
		list = list[:page]
		v.Next = &list[page-1].ID
	}
	names := map[string]string{}
	for _, e := range list {
		v.Entries = append(v.Entries, l.view(ctx, e, names))
	}
	return v, nil
}

func (l *Log) entries(ctx context.Context, a access.Asker, search, before string, limit int) ([]models.Audit, error) {
	var f models.AuditFilter
	if search = strings.TrimSpace(search); search != "" {
		var err error
		if f.UserIDs, err = l.store.Users.IDsByName(ctx, a.Tenant.ID, search, maxPeople); err != nil {
			return nil, err
		}
		if f.Actions = actionsLike(search); len(f.UserIDs)+len(f.Actions) == 0 {
			return nil, nil
		}
	}
	return l.store.Audits.Page(ctx, a.Tenant.ID, f, before, limit)
}

func (l *Log) view(ctx context.Context, e models.Audit, names map[string]string) EntryView {
	by, known := names[e.UserID]
	if !known && e.UserID != "" {
		by = e.UserID
		if u, err := l.store.Users.Get(ctx, e.TenantID, e.UserID); err == nil && u.Name != "" {
			by = u.Name
		}
		names[e.UserID] = by
	}
	return EntryView{ID: e.ID, At: e.CreatedAt, UserID: e.UserID, By: by, Action: e.Action, What: label(e.Action), Detail: describe(e.Detail),
		BatchID: e.Detail[batchKey]}
}

// describe writes a detail: "country US · reserve 0".
func describe(detail map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(detail)) {
		if value := detail[key]; value != "" && key != batchKey {
			parts = append(parts, strings.ReplaceAll(key, "_", " ")+" "+value)
		}
	}
	return strings.Join(parts, " · ")
}

const byteOrderMark = "\ufeff" // spreadsheets need it to read UTF-8

var columns = []string{"At (UTC)", "By", "What", "Detail", "Batch", "User id", "Action", "Id"}

// Report writes all entries of a search as CSV (RFC 4180, UTF-8).
// It adds an entry about that.
func (l *Log) Report(ctx context.Context, a access.Asker, search string, w io.Writer) error {
	if err := l.store.Audits.Add(ctx, a.Tenant.ID, a.UserID, "activity.exported", nil); err != nil {
		return err
	}
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(columns); err != nil {
		return err
	}
	names := map[string]string{}
	for before := ""; ; {
		list, err := l.entries(ctx, a, search, before, reportPage)
		if err != nil {
			return err
		}
		for _, e := range list {
			v := l.view(ctx, e, names)
			row := []string{v.At.UTC().Format(time.RFC3339), v.By, v.What, v.Detail, v.BatchID, v.UserID, v.Action, v.ID}
			for i := range row {
				row[i] = spreadsheet.Escape(row[i])
			}
			if err := out.Write(row); err != nil {
				return err
			}
			before = e.ID
		}
		if out.Flush(); out.Error() != nil || len(list) < reportPage {
			return out.Error()
		}
	}
}
