package optout

import (
	"context"
	"slices"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/compose"
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
	err = o.eachPage(ctx, c, o.dialpad.OptOuts, func(numbers []string) error {
		for _, number := range numbers {
			listed[number] = true
		}
		n.Listed += len(numbers)
		return o.applyOptOuts(ctx, tenantID, numbers, &n)
	})
	if err != nil {
		return n, err
	}
	err = o.eachPage(ctx, c, o.dialpad.OptIns, func(numbers []string) error {
		// A number in both lists opted in to only some of the company's
		// numbers: the opt-out wins.
		numbers = slices.DeleteFunc(numbers, func(number string) bool { return listed[number] })
		return o.applyOptIns(ctx, tenantID, numbers, begun, &n)
	})
	if err != nil {
		return n, err
	}
	return n, o.store.Connections.MarkOptOutsRead(ctx, tenantID, c.OptOutsAt)
}

type listReader func(ctx context.Context, token, companyID, cursor string) (dialpad.OptOutPage, error)

// eachPage calls f with each page's numbers, without those that no text
// could go to.
func (o *OptOuts) eachPage(ctx context.Context, c models.Connection, read listReader, f func(numbers []string) error) error {
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
		var numbers []string
		for _, item := range page.Items {
			if number, err := compose.Identify(item.Number, ""); err == nil {
				numbers = append(numbers, number)
			}
		}
		if err := f(numbers); err != nil {
			return err
		}
		if cursor = page.Cursor; cursor == "" || seen[cursor] { // a repeated cursor would loop for ever
			return nil
		}
		seen[cursor] = true
	}
}

func (o *OptOuts) applyOptOuts(ctx context.Context, tenantID string, numbers []string, n *ListCounts) error {
	known, err := o.store.Suppressions.Numbers(ctx, tenantID, numbers, models.OptOutDialpad)
	if err != nil {
		return err
	}
	for _, number := range numbers {
		if known[number] {
			continue
		}
		changed, err := o.optOut(ctx, tenantID, number, models.OptOutDialpad)
		if err != nil {
			return err
		}
		if changed {
			n.OptedOut++
		}
	}
	return nil
}

// applyOptIns also lifts an earlier STOP reply: Dialpad received it
// too, and lists what the person said after it.
func (o *OptOuts) applyOptIns(ctx context.Context, tenantID string, numbers []string, at time.Time, n *ListCounts) error {
	sources := []string{models.OptOutDialpad, models.OptOutReply}
	known, err := o.store.Suppressions.Numbers(ctx, tenantID, numbers, sources...)
	if err != nil {
		return err
	}
	for number := range known {
		changed, err := o.optIn(ctx, tenantID, number, at, sources...)
		if err != nil {
			return err
		}
		if changed {
			n.OptedIn++
		}
	}
	return nil
}
