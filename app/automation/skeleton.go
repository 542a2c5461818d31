package automation

import (
	"context"
	"errors"

	"dialpad-texting/integrations/crm"
)

var errUnfinished = errors.New("automation: not there yet")

// Options answers automation.options.
func (a *Automation) Options(context.Context, crm.OptionsQuery) (crm.Options, error) {
	return crm.Options{}, errUnfinished
}

// Execute answers automation.execute.
func (a *Automation) Execute(context.Context, crm.Execute) (crm.Execution, error) {
	return crm.Execution{}, errUnfinished
}

// Carry is the job ExecuteCallback.
func (a *Automation) Carry(context.Context, string, string) error { return errUnfinished }

// Complete is the job CompleteCallback.
func (a *Automation) Complete(context.Context, string, string) error { return errUnfinished }

// PickUp enqueues calls that stood still again.
func (a *Automation) PickUp(context.Context) error { return nil }
