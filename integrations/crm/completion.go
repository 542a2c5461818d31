package crm

import "context"

// Values of a Completion.
const (
	StateSuccess = "SUCCESS"
	StateFail    = "FAIL_CONTINUE"

	PortSend   = "send"
	PortFailed = "failed"

	SeverityNone   = "none"
	SeverityMedium = "medium"
	SeverityHigh   = "high"
)

// Completion ends a workflow's wait, once: StateSuccess on PortSend, or
// StateFail on PortFailed.
type Completion struct {
	CallbackID string            `json:"callback_id"`
	State      string            `json:"state"`
	Port       string            `json:"port"`
	Outputs    CompletionOutputs `json:"outputs"`
	Severity   string            `json:"severity"`
}

// CompletionOutputs are values for later steps of the workflow.
type CompletionOutputs struct {
	Status    string `json:"status"`
	MessageID string `json:"message_id"`
	ErrorCode string `json:"error_code"`
	ErrorText string `json:"error_text"`
}

// Complete reports an automation's outcome (automation.complete). id is
// the webhook-id: use the same one for every retry.
func (c *Client) Complete(ctx context.Context, t Tenant, id string, done Completion) error {
	return c.write(ctx, id, t, CallComplete, struct {
		Tenant Tenant `json:"tenant"`
		Completion
	}{t, done})
}
