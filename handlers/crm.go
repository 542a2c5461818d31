package handlers

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"dialpad-texting/app/compose"
	"dialpad-texting/app/crmtenant"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// only lets a call of one type through: what was signed for one address is refused at another.
func only(callType string, answer call) call {
	return func(ctx context.Context, c crm.Call) (int, any, error) {
		if c.Type != callType {
			return 0, nil, badRequest("This address takes "+callType+" alone.").with("type", c.Type)
		}
		return answer(ctx, c)
	}
}

func (s *server) answerDefinition(ctx context.Context, c crm.Call) (int, any, error) {
	block, err := crm.ParseDefinitionQuery(c)
	if err != nil {
		return 0, nil, badCall(err)
	}
	if block.ID != "" {
		if block, err = learn(ctx, s.Store, block, c.Timestamp); err != nil && !errors.Is(err, models.ErrNotFound) {
			return 0, nil, err
		}
	}
	definition, err := s.Automation.Definition(ctx, block)
	return http.StatusOK, definition, err
}

func (s *server) answerOptions(ctx context.Context, c crm.Call) (int, any, error) {
	query, err := crm.ParseOptionsQuery(c)
	if err != nil {
		return 0, nil, badCall(err)
	}
	if query.Tenant, err = learn(ctx, s.Store, query.Tenant, c.Timestamp); err != nil {
		return 0, nil, err
	}
	options, err := s.Automation.Options(ctx, query)
	if options.Options == nil {
		options.Options = []crm.Option{}
	}
	return http.StatusOK, options, err
}

func (s *server) answerExecute(ctx context.Context, c crm.Call) (int, any, error) {
	execute, err := crm.ParseExecute(c)
	if err != nil {
		return 0, nil, badCall(err)
	}
	if execute.Tenant, err = s.known(ctx, execute.Tenant, c.Timestamp); err != nil {
		return 0, nil, err
	}
	execution, err := s.Automation.Execute(ctx, execute)
	return http.StatusAccepted, execution, err
}

func (s *server) answerEvent(ctx context.Context, c crm.Call) (int, any, error) {
	event, err := crm.ParseEvent(c)
	if err != nil {
		return 0, nil, badCall(err)
	}
	if event.Tenant, err = s.learnInOrder(ctx, event.Tenant, c); err != nil {
		return 0, nil, err
	}
	err = s.Events.Apply(ctx, event, c.Seq)
	var reason compose.Reason
	if errors.As(err, &reason) { // a number that is none stays one, however often the CRM repeats it
		err = badCall(err).with("reason", reason.Sentence())
	}
	return http.StatusAccepted, nil, err
}

// learnInOrder is known for events. They come in any order: an older block must not undo a newer one, whenever it was
// stamped.
func (s *server) learnInOrder(ctx context.Context, block crm.Tenant, c crm.Call) (out crm.Tenant, err error) {
	err = s.Store.Tx(ctx, func(tx *models.Store) error {
		t, err := tx.Tenants.Get(ctx, block.ID)
		if err != nil {
			return err
		}
		news := true
		if c.Seq != nil {
			if news, err = tx.CRMCalls.AdvanceSequence(ctx, t.ID, "tenant block", *c.Seq); err != nil {
				return err
			}
		}
		if out = crmtenant.Of(t); news {
			out, err = learn(ctx, tx, block, c.Timestamp)
		}
		return err
	})
	return out, err
}

// known is learn where the tenant must be one we know already.
func (s *server) known(ctx context.Context, block crm.Tenant, at time.Time) (crm.Tenant, error) {
	if _, err := s.Store.Tenants.Get(ctx, block.ID); err != nil {
		return block, err
	}
	return learn(ctx, s.Store, block, at)
}

// learn keeps what the CRM signed of a tenant, the newest counts, and gives the whole block: a call may leave out what
// it does not change. models.ErrNotFound where too little was said of a tenant that nobody knows.
func learn(ctx context.Context, store *models.Store, block crm.Tenant, at time.Time) (crm.Tenant, error) {
	old, err := store.Tenants.Get(ctx, block.ID)
	if err != nil && (!errors.Is(err, models.ErrNotFound) || block.Linkname == "" || block.Plan == "") {
		return block, err
	}
	if now := store.Now(); at.After(now) {
		at = now // a clock ahead must not shut out the next call
	}
	t, err := store.Tenants.SaveSigned(ctx, models.SignedTenant{
		ID: block.ID, Linkname: cmp.Or(block.Linkname, old.Linkname), Name: cmp.Or(block.Name, old.Name),
		Plan: cmp.Or(block.Plan, old.Plan), TimeZone: cmp.Or(block.TimeZone, old.TimeZone), SignedAt: at,
	})
	return crmtenant.Of(t), err
}
