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
}

// lookMost bounds the texts that one look queues; those that are left are due still.
const lookMost = 5000

// LookAllTenants looks at many lanes at once: it queues the texts from person to person whose time has come, and reads each
// tenant's settings and when the next text is due. What is due afterwards takes turns or is late: PromoteDue's business.
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
	for id, at := range next {
		if !at.After(s.Now()) {
			due = append(due, id)
		}
	}
	if len(due) > 0 {
		if err := s.queuePeople(ctx, due); err != nil {
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

// queuePeople queues the texts from person to person that are due, of several lanes: they take no turns.
func (s *Store) queuePeople(ctx context.Context, lanes []string) error {
	return s.q(ctx).Exec(`UPDATE messages SET state = 'queued', due_at = NULL, updated_at = @now WHERE state = 'waiting' AND id IN (
		SELECT id FROM messages WHERE lane_id IN `+strings.Replace(s.list(), "?", "@lanes", 1)+` AND state = 'waiting'
		AND due_at <= @now AND due_at > @late AND class = @person ORDER BY due_at, id LIMIT @most)`,
		map[string]any{"now": s.Now(), "lanes": toJSON(lanes), "late": s.Now().Add(-lateLook), "person": ClassPerson, "most": lookMost}).Error
}
