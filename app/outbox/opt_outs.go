package outbox

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/compose"
	"dialpad-texting/internal/spreadsheet"
	"dialpad-texting/models"
)

// OptOutsView is one page of a tenant's opt-outs, newest first.
type OptOutsView struct {
	OptOuts []OptOutRow `json:"opt_outs"`
	Total   int64       `json:"total"`
	Next    *string     `json:"next"`
}

// OptOutRow is an opt-out by one source. Number is "" once erased.
type OptOutRow struct {
	Number  string    `json:"number"`
	Display string    `json:"display"`
	Source  string    `json:"source"`
	SaidAt  time.Time `json:"said_at"`
	By      string    `json:"by"`
	How     string    `json:"how"`
}

// ReviewsView lists the numbers whose last text may mean an opt-out.
type ReviewsView struct {
	Reviews []ReviewRow `json:"reviews"`
}

// ReviewRow is one of them.
type ReviewRow struct {
	Number  string    `json:"number"`
	Display string    `json:"display"`
	Text    string    `json:"text"`
	SaidAt  time.Time `json:"said_at"`
}

const (
	optOutsPage   = 50
	optOutsReport = 1000
	maxReviews    = 100
)

// Reviews returns what waits for a decision: all for admins, for others
// the numbers that they texted.
func (x *Outbox) Reviews(ctx context.Context, a access.Asker) (ReviewsView, error) {
	v := ReviewsView{Reviews: []ReviewRow{}}
	list, err := x.store.Suppressions.Reviews(ctx, a.Tenant.ID, a.VisibleUserID(), maxReviews)
	for _, r := range list {
		if r.Number != "" { // an erased one can't be shown
			v.Reviews = append(v.Reviews, ReviewRow{r.Number, compose.Display(r.Number), r.Text, r.SaidAt})
		}
	}
	return v, err
}

// OptOuts returns a page of opt-outs. q is a number or part of one.
func (x *Outbox) OptOuts(ctx context.Context, a access.Asker, q, cursor string) (OptOutsView, error) {
	v := OptOutsView{OptOuts: []OptOutRow{}}
	list, err := x.optOuts(ctx, a, q, cursor, optOutsPage+1)
	if err != nil {
		return v, err
	}
	if len(list) > optOutsPage {
		list = list[:optOutsPage]
		next := list[optOutsPage-1].Cursor()
		v.Next = &next
	}
	names := map[string]string{}
	for _, s := range list {
		v.OptOuts = append(v.OptOuts, x.optOutRow(ctx, s, names))
	}
	v.Total, err = x.store.Suppressions.Count(ctx, a.Tenant.ID)
	return v, err
}

func (x *Outbox) optOuts(ctx context.Context, a access.Asker, q, cursor string, limit int) ([]models.Suppression, error) {
	number, err := compose.ParseAnyNumber(q, a.Tenant.Country)
	if err != nil {
		number = ""
	}
	list, err := x.store.Suppressions.List(ctx, a.Tenant.ID, models.SuppressionFilter{Search: q, Number: number}, cursor, limit)
	if errors.Is(err, models.ErrNotFound) && cursor != "" {
		return nil, apierror.Field("cursor", "There is no such page.")
	}
	return list, err
}

func (x *Outbox) optOutRow(ctx context.Context, s models.Suppression, names map[string]string) OptOutRow {
	by, known := names[s.UserID]
	if !known && s.UserID != "" {
		by = s.UserID
		if u, err := x.store.Users.Get(ctx, s.TenantID, s.UserID); err == nil {
			by = u.Name
		}
		names[s.UserID] = by
	}
	return OptOutRow{Number: s.Number, Display: compose.Display(s.Number), Source: s.Source, SaidAt: s.SaidAt, By: by, How: s.Reason}
}

var optOutColumns = []string{"Number", "Source", "Since (UTC)", "Recorded by", "How", "Key"}

// OptOutReport writes all opt-outs as CSV (RFC 4180, UTF-8). An erased
// number is known by its keyed hash alone.
func (x *Outbox) OptOutReport(ctx context.Context, a access.Asker, q string, w io.Writer) error {
	if err := x.store.Audits.Add(ctx, a.Tenant.ID, a.UserID, "opt_outs.exported", nil); err != nil {
		return err
	}
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(optOutColumns); err != nil {
		return err
	}
	names := map[string]string{}
	for cursor := ""; ; {
		list, err := x.optOuts(ctx, a, q, cursor, optOutsReport)
		if err != nil {
			return err
		}
		for _, s := range list {
			r := x.optOutRow(ctx, s, names)
			row := []string{r.Number, r.Source, r.SaidAt.UTC().Format(time.RFC3339), r.By, r.How, s.NumberKey}
			for i := range row {
				row[i] = spreadsheet.Escape(row[i])
			}
			if err := out.Write(row); err != nil {
				return err
			}
			cursor = s.Cursor()
		}
		if out.Flush(); out.Error() != nil || len(list) < optOutsReport {
			return out.Error()
		}
	}
}
