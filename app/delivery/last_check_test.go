package delivery_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/delivery"
	"dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// stoppingTokens stores a STOP of everybody who is claimed before it gives
// the token: after the recheck, before the POST.
type stoppingTokens struct {
	*connection.Tokens
	r       *rig
	batch   string
	stopped map[string]bool
	stops   atomic.Int64
}

func (s *stoppingTokens) Token(ctx context.Context, tenantID string) (connection.Token, error) {
	list, err := s.r.db.Messages.List(ctx, tenantID, s.batch, []string{ledger.Sending}, "", 1000)
	if err != nil {
		return connection.Token{}, err
	}
	for _, m := range list {
		if s.stopped[m.ID] {
			continue
		}
		s.stopped[m.ID] = true
		s.stops.Add(1)
		said := models.Said{Number: m.ToNumber, Source: models.OptOutReply, At: time.Now()}
		err := s.r.db.Tx(ctx, func(tx *models.Store) error { _, err := tx.Suppressions.OptOut(ctx, tenantID, said); return err })
		if err != nil {
			return connection.Token{}, err
		}
	}
	return s.Tokens.Token(ctx, tenantID)
}

func TestStopBetweenClaimAndPostStopsTheText(t *testing.T) {
	const tries = 300
	each(t, func(r *rig) {
		r.acme.Batch("b1", ledger.ClassBulk, sandbox.AnaID, "ana@acme.com", tries)
		tokens := &stoppingTokens{Tokens: r.tokens, r: r, batch: "b1", stopped: map[string]bool{}}
		people := accounts.New(r.db.Store, r.client, r.tokens, nil, time.Now, nil)
		e := delivery.New(r.db.Store, r.client, r.eligible, tokens, people, delivery.Config{WorkerID: "w1", Poll: 10 * time.Millisecond})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { _ = e.Run(ctx); close(done) }()
		t.Cleanup(func() { cancel(); <-done })
		r.until("all are refused", func() bool { return r.counts().Failed == tries })
		if got := r.phone.SMSPosts(); got != 0 || tokens.stops.Load() != tries {
			t.Errorf("%d texts went out after %d of %d STOPs", got, tokens.stops.Load(), tries)
		}
		list, err := r.db.Messages.List(ctx, "t_9", "b1", nil, "", 1)
		r.must(err)
		if m := list[0]; m.ErrorCode != "opted_out" || m.ErrorText != "Unsubscribed from Text" || m.Attempt != 1 {
			t.Errorf("%q %q, attempt %d", m.ErrorCode, m.ErrorText, m.Attempt)
		}
	})
}

func TestTextsWaitForAReview(t *testing.T) {
	each(t, func(r *rig) {
		ctx := context.Background()
		bulk := r.acme.Batch("b1", ledger.ClassBulk, sandbox.AnaID, "ana@acme.com", 3)
		for i, m := range bulk[:2] {
			r.must(r.db.Suppressions.AddReview(ctx, "t_9", models.Said{Number: m.ToNumber, Note: "please stop", At: r.db.Now().Add(time.Duration(i) * time.Millisecond)}))
		}
		r.acme.Batch("b2", ledger.ClassOneToOne, sandbox.BenID, "ben@acme.com", 1) // to the first number
		action := r.acme.Batch("b3", ledger.ClassAutomation, sandbox.BenID, "ben@acme.com", 1)
		r.run(delivery.Config{})
		r.until("the others went out", func() bool { return r.counts().Sent == 2 })
		r.until("three wait", func() bool {
			for _, m := range []ledger.Message{bulk[0], bulk[1], action[0]} {
				if got := r.message(m.ID); got.State != ledger.Waiting || got.ErrorCode != ledger.CodeReview || got.ErrorText == "" || got.DueAt == nil {
					return false
				}
			}
			return true
		})
		decide := func(number string, optOut bool) {
			r.must(r.db.Tx(ctx, func(tx *models.Store) error {
				if optOut {
					if _, err := tx.Suppressions.OptOut(ctx, "t_9", models.Said{Number: number, Source: models.OptOutPerson, At: tx.Now()}); err != nil {
						return err
					}
				}
				_, err := tx.Suppressions.CloseReview(ctx, "t_9", number, tx.Now().Add(time.Second))
				return err
			}))
		}
		decide(bulk[0].ToNumber, false)
		r.until("what was kept went out", func() bool { return r.counts().Sent == 4 })
		decide(bulk[1].ToNumber, true)
		r.until("the opted out one failed", func() bool { return r.message(bulk[1].ID).State == ledger.Failed })
		if got := r.message(bulk[1].ID); got.ErrorCode != "opted_out" || r.phone.SMSPosts() != 4 {
			t.Errorf("%q, %d texts", got.ErrorCode, r.phone.SMSPosts())
		}
	})
}
