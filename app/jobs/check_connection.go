package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"dialpad-texting/models"
	"dialpad-texting/models/queue"
)

const (
	// brokenInterval is how often a broken connection
	// is checked: it may have been mended at Dialpad.
	brokenInterval = 5 * time.Minute
	// refusedInterval is how often a subscription that Dialpad
	// refused is asked for again: another app may have made room.
	refusedInterval = time.Hour
	checkInterval   = 24 * time.Hour
	// silentAfter is how long after a text without any event a connection and
	// its subscriptions are checked. Texts of the last silentWindow count.
	silentAfter  = 10 * time.Minute
	silentWindow = time.Hour
)

// checkConnection checks that the grant and our subscriptions still stand.
func (r *Runner) checkConnection(ctx context.Context, j queue.CheckConnection) error {
	return r.Connections.Check(ctx, j.TenantID)
}

// dueConnectionCheck returns the check that a connection is due for.
func (s sweeper) dueConnectionCheck(conn models.Connection) []river.JobArgs {
	interval := checkInterval
	switch {
	case conn.State == models.Broken:
		interval = brokenInterval
	case !conn.Usable():
		return nil
	case conn.SMSSubscription == "" || conn.ChangeSubscription == "":
		interval = refusedInterval
	}
	if !s.isOlder(conn.LastCheckedAt, interval, conn.TenantID) {
		return nil
	}
	return []river.JobArgs{queue.CheckConnection{TenantID: conn.TenantID}}
}

// enqueueSilentConnections checks the connections whose
// texts bring no events, or whose texts Dialpad has refused.
func (s sweeper) enqueueSilentConnections(ctx context.Context) error {
	now := s.Now()
	tenants, err := s.Store.Connections.SilentAllTenants(ctx, models.SilentFilter{
		Since: now.Add(-silentWindow), Before: now.Add(-silentAfter), CheckedBefore: now.Add(-silentAfter)})
	if err != nil {
		return err
	}
	return enqueueForTenants(ctx, s.Store, tenants, func(id string) queue.CheckConnection {
		return queue.CheckConnection{TenantID: id}
	})
}
