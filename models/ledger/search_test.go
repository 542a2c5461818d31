package ledger_test

import (
	"testing"

	"dialpad-texting/models/ledger"
	"dialpad-texting/models/modeltest"
	"dialpad-texting/models/seed"
)

// TestSearchReadsSomeAtATime pages through searches that find all, few and
// nothing of more than one page of a search reads.
func TestSearchReadsSomeAtATime(t *testing.T) {
	t.Parallel()
	modeltest.Each(t, seed.Migrate, func(t *testing.T, dsn string) {
		ctx := t.Context()
		db := seed.Store(t, dsn, seed.NewClock().Now)
		db.Tenant("t_9").Connected("c9").Grow(dsn, 10_000)
		batches := func(query string) func(after string) ([]string, string, error) {
			return func(after string) (ids []string, next string, err error) {
				found, next, err := db.Batches.Search(ctx, "t_9", ledger.BatchFilter{Query: query}, after, 25)
				for _, b := range found {
					ids = append(ids, b.ID)
				}
				return ids, next, err
			}
		}
		messages := func(query string, states ...string) func(after string) ([]string, string, error) {
			return func(after string) (ids []string, next string, err error) {
				found, next, err := db.Messages.Search(ctx, "t_9", seed.GiantBulk, states, query, after, 100)
				for _, m := range found {
					ids = append(ids, m.ID)
				}
				return ids, next, err
			}
		}
		for name, search := range map[string]struct {
			page func(after string) ([]string, string, error)
			want int
		}{
			"all batches": {batches("order"), 1011}, "no batch": {batches("nobody"), 0}, "the last batch": {batches("Person 10000"), 1},
			"all messages": {messages("person"), 5000}, "no message": {messages("nobody"), 0}, "the last message": {messages("Person 9995"), 1},
			"messages in a state": {messages("person", ledger.Uncertain), 0}, "failed messages": {messages("person", ledger.Failed), 0},
			"queued messages": {messages("2000000001", ledger.Queued), 1},
		} {
			if found := allPages(t, search.page); len(found) != search.want {
				t.Errorf("%s: found %d, want %d", name, len(found), search.want)
			}
		}
	})
}

// allPages reads all pages, each result once.
func allPages(t *testing.T, page func(after string) ([]string, string, error)) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	for after, n := "", 0; ; n++ {
		ids, next, err := page(after)
		if err != nil || n > 100 {
			t.Fatalf("page %d: %v", n, err)
		}
		for _, id := range ids {
			if found[id] {
				t.Fatalf("%s is found twice", id)
			}
			found[id] = true
		}
		if next == "" {
			return found
		}
		after = next
	}
}
