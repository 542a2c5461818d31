package accounts

import (
	"context"
	"errors"
	"strings"
	"time"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

const (
	accountsPerRound = 100
	// resumeWindow is how old an unfinished directory may be for a later run
	// to resume it.
	resumeWindow = 2 * time.Minute
)

// SyncDirectory reads all users of the tenant's Dialpad company, in all
// states, then one by one those that the directory did not list: not found
// means deleted. It stores a cursor, so that the next run resumes where this
// one had to stop. Errors: *eligibility.Refusal, or models.ErrLost when
// another company was connected meanwhile.
func (a *Accounts) SyncDirectory(ctx context.Context, tenantID string) (Counts, error) {
	c, err := a.store.Connections.Get(ctx, tenantID)
	if err != nil {
		return Counts{}, err
	}
	s := directorySync{a: a, c: c, startedAt: a.now()}
	if c.DirectoryBegunAt != nil && a.now().Sub(*c.DirectoryBegunAt) < resumeWindow {
		s.startedAt = *c.DirectoryBegunAt
		s.cursor, s.resumed = strings.CutPrefix(c.DirectoryCursor, pageCursor)
		s.allPages = !s.resumed
	}
	if err := s.readPages(ctx); err != nil {
		return s.counts, err
	}
	if err := s.readUnlisted(ctx); err != nil {
		return s.counts, err
	}
	if err := a.store.Connections.SaveDirectoryCursor(ctx, c, s.startedAt, ""); err != nil {
		return s.counts, err
	}
	return s.counts, a.store.Connections.SetMoment(ctx, tenantID, models.DirectoryRead)
}

// A stored cursor is Dialpad's after pageCursor, or unlistedCursor once all
// pages are read.
const (
	pageCursor     = "page:"
	unlistedCursor = "unseen"
)

// directorySync is one run of SyncDirectory.
type directorySync struct {
	a         *Accounts
	c         models.Connection
	startedAt time.Time
	cursor    string
	resumed   bool // from another run's cursor, which may have expired
	allPages  bool
	counts    Counts
}

func (s *directorySync) readPages(ctx context.Context) error {
	for seen := map[string]bool{}; !s.allPages; {
		readAt := s.a.now()
		var page dialpad.UserPage
		err := s.a.request(ctx, s.c.TenantID, s.a.pageLimiters, func(token string) (err error) {
			page, err = s.a.dp.Users(ctx, token, dialpad.UsersQuery{Cursor: s.cursor})
			return err
		})
		if s.resumed && dialpad.KindOf(err) == dialpad.Refused {
			s.cursor, s.startedAt, s.resumed = "", readAt, false
			continue
		}
		if err != nil {
			return err
		}
		saved, err := s.a.save(ctx, s.c, readAt, accountsOf(s.c, page.Items))
		s.counts.add(saved)
		if err != nil {
			return err
		}
		if seen[page.Cursor] {
			return errors.New("directory cursor repeats")
		}
		seen[page.Cursor] = true
		s.cursor, s.allPages = page.Cursor, page.Cursor == ""
		stored := pageCursor + s.cursor
		if s.allPages {
			stored = unlistedCursor
		}
		if err := s.a.store.Connections.SaveDirectoryCursor(ctx, s.c, s.startedAt, stored); err != nil {
			return err
		}
	}
	return nil
}

// readUnlisted reads the known users that no page listed.
func (s *directorySync) readUnlisted(ctx context.Context) error {
	for after := ""; ; {
		list, err := s.a.store.Accounts.Unseen(ctx, s.c.TenantID, s.startedAt, after, accountsPerRound)
		if err != nil || len(list) == 0 {
			return err
		}
		read, err := s.a.readEach(ctx, s.c, list)
		s.counts.add(read)
		if err != nil {
			return err
		}
		after = list[len(list)-1].DialpadID
	}
}
