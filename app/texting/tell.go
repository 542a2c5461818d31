package texting

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/queue"
)

// How long a CRM that does not take an opt-out is left alone: a quarter of the time that it has been asked already.
const (
	tellSoonest = 2 * time.Second
	tellRarest  = 6 * time.Hour
)

// Tell tells the CRM of one change, unless it was undone meanwhile. A CRM that does not take it is asked again until it
// does, ever more rarely; it costs the job no attempt, since those end.
func (o *OptOuts) Tell(ctx context.Context, job queue.SyncOptOut) error {
	number, err := o.store.Suppressions.OpenNumber(job.TenantID, job.Number)
	if err != nil {
		return river.JobCancel(err)
	}
	t, err := o.store.Tenants.Get(ctx, job.TenantID)
	if err != nil {
		return err
	}
	out, err := o.store.Suppressions.Contains(ctx, job.TenantID, number)
	if err != nil || out != job.OptedOut {
		return err
	}
	id := fmt.Sprintf("opt_%s_%d_%t", job.NumberKey, job.Since, job.OptedOut)
	err = o.crm.UpsertOptOut(ctx, crmTenant(t), id, number, job.OptedOut, job.Source)
	if err == nil {
		return nil
	}
	var e *crm.Error
	if errors.As(err, &e) && neverTakes(e) {
		o.log.Warn("the CRM refused an opt-out for good", "tenant", job.TenantID, "err", err)
		return nil
	}
	asked := o.store.Now().Sub(time.Unix(0, job.Since))
	wait := min(max(asked/4, tellSoonest), tellRarest)
	if e != nil {
		wait = max(wait, min(e.RetryAfter, tellRarest))
	}
	o.log.Warn("the CRM does not take an opt-out; it is asked again", "tenant", job.TenantID, "after", wait, "err", err)
	return river.JobSnooze(wait)
}

// neverTakes tells whether a CRM's answer is about the number or the request itself. A 401 or 403 is not: secrets may just be
// changing there.
func neverTakes(e *crm.Error) bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity:
		return e.Kind == crm.Refused
	}
	return false
}
