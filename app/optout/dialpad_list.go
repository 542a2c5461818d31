package optout

import (
	"context"
	"slices"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// ListCounts is what reading Dialpad's list changed.
type ListCounts struct{ Listed, OptedOut, OptedIn int }

// ReadList applies Dialpad's lists of opt-outs and opt-ins, page by
// page, and queues the sync to the CRM for each change.
func (o *OptOuts) ReadList(ctx context.Context, tenantID string) (n ListCounts, err error) {
	c, err := o.store.Connections.Get(ctx, tenantID)
	if err != nil || c.State != models.Connected {
		return n, apierror.IgnoreNotFound(err)
	}
	begun, listed := o.store.Now(), map[string]bool{}
	err = o.eachPage(ctx, c, o.dialpad.OptOuts, func(page []models.Said) error {
		for _, said := range page {
			listed[said.Number] = true
		}
		n.Listed += len(page)
		return o.applyOptOuts(ctx, tenantID, page, &n)
	})
	if err != nil {
		return n, err
	}
	err = o.eachPage(ctx, c, o.dialpad.OptIns, func(page []models.Said) error {
		// A number in both lists opted in to only some of the company's
		// numbers: the opt-out wins.
		page = slices.DeleteFunc(page, func(said models.Said) bool { return listed[said.Number] })
		return o.applyOptIns(ctx, tenantID, page, begun, &n)
	})
	if err != nil {
		return n, err
	}
	return n, o.store.Connections.MarkOptOutsRead(ctx, tenantID, c.OptOutsAt)
}

type listReader func(ctx context.Context, token, companyID, cursor string) (dialpad.OptOutPage, error)

// eachPage calls f with each page, without the numbers that no text
// could go to.
func (o *OptOuts) eachPage(ctx context.Context, c models.Connection, read listReader, f func([]models.Said) error) error {
	seen := map[string]bool{}
	for cursor := ""; ; {
		var page dialpad.OptOutPage
		err := o.tokens.Do(ctx, c.TenantID, func(token string) (err error) {
			page, err = read(ctx, token, c.CompanyID, cursor)
			return err
		})
		if err != nil {
			return err
		}
		if err := f(o.readPage(page)); err != nil {
			return err
		}
		if cursor = page.Cursor; cursor == "" || seen[cursor] { // a repeated cursor would loop for ever
			return nil
		}
		seen[cursor] = true
	}
}

func (o *OptOuts) readPage(page dialpad.OptOutPage) []models.Said {
	var out []models.Said
	for _, item := range page.Items {
		for _, number := range PossibleNumbers(item.Number, "") {
			out = append(out, models.Said{Number: number, Source: models.OptOutDialpad, At: item.At})
		}
	}
	return out
}

func numbersOf(page []models.Said) []string {
	out := make([]string, len(page))
	for i, said := range page {
		out[i] = said.Number
	}
	return out
}

func (o *OptOuts) applyOptOuts(ctx context.Context, tenantID string, page []models.Said, n *ListCounts) error {
	known, err := o.store.Suppressions.Numbers(ctx, tenantID, numbersOf(page), models.OptOutDialpad)
	if err != nil {
		return err
	}
	for _, said := range page {
		if known[said.Number] {
			continue
		}
		changed, err := o.addListed(ctx, tenantID, said)
		if err != nil {
			return err
		}
		if changed {
			n.OptedOut++
		}
	}
	return nil
}

// addListed suppresses a number of Dialpad's list, also if it opted in
// since: Dialpad refuses texts to it for as long as it is listed.
func (o *OptOuts) addListed(ctx context.Context, tenantID string, said models.Said) (changed bool, err error) {
	return o.change(ctx, tenantID, said, func(tx *models.Store) error {
		_, err := tx.Suppressions.Add(ctx, tenantID, said.Number, said.Source, "")
		return err
	})
}

// applyOptIns lifts Dialpad's own opt-outs that were known when the list
// was read, and the STOP replies before an opt-in: Dialpad received them
// too. The list lags, so it lifts nothing that was said later, and of
// the replies nothing by an opt-in without a time.
func (o *OptOuts) applyOptIns(ctx context.Context, tenantID string, page []models.Said, begun time.Time, n *ListCounts) error {
	known, err := o.store.Suppressions.Numbers(ctx, tenantID, numbersOf(page), models.OptOutDialpad, models.OptOutReply)
	if err != nil {
		return err
	}
	for _, said := range page {
		if !known[said.Number] {
			continue
		}
		changed, err := o.change(ctx, tenantID, said, func(tx *models.Store) error {
			_, err := tx.Suppressions.RemoveUntil(ctx, tenantID, said.Number, begun, models.OptOutDialpad)
			if err != nil || said.At.IsZero() || said.At.After(begun) {
				return err
			}
			_, err = tx.Suppressions.RemoveSaidBefore(ctx, tenantID, said.Number, said.At, models.OptOutReply)
			return err
		})
		if err != nil {
			return err
		}
		if changed {
			n.OptedIn++
		}
	}
	return nil
}
