package models

import (
	"context"
	"strings"
	"time"
)

// Look is what a lane's owner sees when it looks at the lane.
type Look struct {
	Tenant  Tenant
	NextDue *time.Time // of the first waiting text, nil when none waits
	More    bool       // texts from person to person are due still: look again once these are gone
}

// lookMost is how many texts of a lane one look queues, some seconds' worth. When a thousand companies have ten each due at
// the same moment, the first of each must not wait for the tenth of the others.
const lookMost = 4

// LookAllTenants looks at many lanes at once: it queues texts from person to person whose time has come, and reads each
// tenant's settings and when the next text is due. If that is past and there are no more such texts, what is due takes
// turns or is late: PromoteDue's business.
func (s *Store) LookAllTenants(ctx context.Context, lanes []Lane) ([]Look, error) {
	ids, tenantIDs := make([]string, len(lanes)), make([]string, len(lanes))
	for i, l := range lanes {
		ids[i], tenantIDs[i] = l.ID, l.TenantID
	}
	next, err := s.nextDueOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	var due []string
	queued := map[string]int{}
	for id, at := range next {
		if !at.After(s.Now()) {
			due = append(due, id)
		}
	}
	if len(due) > 0 {
		if queued, err = s.queuePeople(ctx, due); err != nil {
			return nil, err
		}
		if next, err = s.nextDueOf(ctx, ids); err != nil {
			return nil, err
		}
	}
	var tenants []Tenant
	if err := s.q(ctx).Where("id IN "+s.list(), toJSON(tenantIDs)).Find(&tenants).Error; err != nil {
		return nil, err
	}
	byID := make(map[string]Tenant, len(tenants))
	for _, t := range tenants {
		byID[t.ID] = t
	}
	looks := make([]Look, len(lanes))
	for i, l := range lanes {
		looks[i].Tenant = byID[l.TenantID]
		if at, waits := next[l.ID]; waits {
			looks[i].NextDue = &at
			looks[i].More = queued[l.ID] == lookMost && s.Now().Sub(at) < lateLook
		}
	}
	return looks, nil
}

// nextDueOf are the first due moments of lanes in which something waits, each found by its index.
func (s *Store) nextDueOf(ctx context.Context, lanes []string) (map[string]time.Time, error) {
	var first []Message
	err := s.q(ctx).Raw(`SELECT lane_id, due_at FROM messages WHERE state = 'waiting' AND id IN (
		SELECT (SELECT m.id FROM messages m WHERE m.lane_id = l.id AND m.state = 'waiting' ORDER BY m.due_at LIMIT 1) FROM lanes l WHERE l.id IN `+s.list()+`)`,
		toJSON(lanes)).Find(&first).Error
	next := make(map[string]time.Time, len(first))
	for _, m := range first {
		next[m.LaneID] = *m.DueAt
	}
	return next, err
}

// queuePeople queues the first texts from person to person that are due, of several lanes: they take no turns. It tells how
// many of each.
func (s *Store) queuePeople(ctx context.Context, lanes []string) (map[string]int, error) {
	var rows []Message
	err := s.q(ctx).Raw(`UPDATE messages SET state = 'queued', due_at = NULL, updated_at = @now WHERE state = 'waiting' AND id IN (
		SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY lane_id ORDER BY due_at, id) AS nth FROM messages
			WHERE lane_id IN `+strings.Replace(s.list(), "?", "@lanes", 1)+` AND state = 'waiting'
			AND due_at <= @now AND due_at > @late AND class = @person) AS due WHERE nth <= @most) RETURNING lane_id`,
		map[string]any{"now": s.Now(), "lanes": toJSON(lanes), "late": s.Now().Add(-lateLook), "person": ClassPerson, "most": lookMost}).Find(&rows).Error
	queued := make(map[string]int, len(lanes))
	for _, m := range rows {
		queued[m.LaneID]++
	}
	return queued, err
}
