package optout

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/app/crmtenant"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models/queue"
)

// Bounds of the backoff, which is a quarter of the time since the
// change.
const (
	minSyncBackoff = 2 * time.Second
	maxSyncBackoff = 6 * time.Hour
)

// SyncToCRM writes one change to the CRM, unless it was undone
// meanwhile. A CRM that fails is asked again, without limit: the job is
// snoozed, which costs it none of its attempts.
func (o *OptOuts) SyncToCRM(ctx context.Context, job queue.SyncOptOut) error {
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
	err = o.crm.UpsertOptOut(ctx, crmtenant.Of(t), id, number, job.OptedOut, job.Source)
	if err == nil {
		return nil
	}
	var e *crm.Error
	if errors.As(err, &e) && isPermanent(e) {
		o.log.Warn("opt-out refused by the crm", "tenant", job.TenantID, "err", err)
		return nil
	}
	elapsed := o.store.Now().Sub(time.Unix(0, job.Since))
	backoff := min(max(elapsed/4, minSyncBackoff), maxSyncBackoff)
	if e != nil {
		backoff = max(backoff, min(e.RetryAfter, maxSyncBackoff))
	}
	o.log.Warn("opt-out sync to the crm failed", "tenant", job.TenantID, "retry_after", backoff, "err", err)
	return river.JobSnooze(backoff)
}

// isPermanent reports whether the CRM refused the number or the request
// itself. A 401 or 403 is temporary: its secrets may just be changing.
func isPermanent(e *crm.Error) bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity:
		return e.Kind == crm.Refused
	}
	return false
}
