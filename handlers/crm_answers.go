package handlers

import (
	"context"
	"errors"
	"net/http"

	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// only refuses calls of another type: each is signed for one address.
func only(callType string, answer call) call {
	return func(ctx context.Context, c crm.Call) (int, any, error) {
		if c.Type != callType {
			return 0, nil, badRequest("This address takes "+callType+" alone.").withDetail("type", c.Type)
		}
		return answer(ctx, c)
	}
}

func (h *crmCalls) definition(ctx context.Context, c crm.Call) (int, any, error) {
	block, err := crm.ParseDefinitionQuery(c)
	if err != nil {
		return 0, nil, badCall(err)
	}
	if block.ID != "" {
		if block, err = upsertTenant(ctx, h.store, block, c.Timestamp); err != nil && !errors.Is(err, models.ErrNotFound) {
			return 0, nil, err
		}
	}
	definition, err := h.automation.Definition(ctx, block)
	return http.StatusOK, definition, err
}

func (h *crmCalls) options(ctx context.Context, c crm.Call) (int, any, error) {
	query, err := crm.ParseOptionsQuery(c)
	if err != nil {
		return 0, nil, badCall(err)
	}
	if query.Tenant, err = upsertTenant(ctx, h.store, query.Tenant, c.Timestamp); err != nil {
		return 0, nil, err
	}
	options, err := h.automation.Options(ctx, query)
	if options.Options == nil {
		options.Options = []crm.Option{}
	}
	return http.StatusOK, options, err
}

func (h *crmCalls) execute(ctx context.Context, c crm.Call) (int, any, error) {
	execute, err := crm.ParseExecute(c)
	if err != nil {
		return 0, nil, badCall(err)
	}
	if execute.Tenant, err = updateTenant(ctx, h.store, execute.Tenant, c.Timestamp); err != nil {
		return 0, nil, err
	}
	execution, err := h.automation.Execute(ctx, execute)
	return http.StatusAccepted, execution, err
}

func (h *crmCalls) applyEvent(ctx context.Context, c crm.Call) (int, any, error) {
	event, err := crm.ParseEvent(c)
	if err != nil {
		return 0, nil, badCall(err)
	}
	if event.Tenant, err = updateTenantInOrder(ctx, h.store, event.Tenant, c); err != nil {
		return 0, nil, err
	}
	err = h.events.Apply(ctx, event, c.Seq)
	var reason compose.Reason
	if errors.As(err, &reason) { // an invalid number stays invalid when the CRM repeats it
		err = badCall(err).withDetail("reason", reason.Sentence())
	}
	return http.StatusAccepted, nil, err
}
