package connection

import (
	"context"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

const eventsPath = "/dialpad/events/"

// hookClient reads and deletes webhooks and subscriptions at Dialpad.
type hookClient struct {
	dp     *dialpad.Client
	prefix string // of our webhooks' addresses
}

func newHookClient(dp *dialpad.Client, publicURL string) hookClient {
	return hookClient{dp: dp, prefix: publicURL + eventsPath}
}

// hooks is what a company has, other apps' included.
type hooks struct {
	webhooks     []dialpad.Webhook
	sms, changes []dialpad.Subscription
}

func (h hookClient) list(ctx context.Context, token string) (all hooks, err error) {
	if all.webhooks, err = h.dp.Webhooks(ctx, token); err != nil {
		return all, err
	}
	if all.sms, err = h.dp.SMSSubscriptions(ctx, token); err != nil {
		return all, err
	}
	all.changes, err = h.dp.ChangeLogSubscriptions(ctx, token)
	if dialpad.KindOf(err) == dialpad.Forbidden { // no longer a company admin; creating one will report it
		err = nil
	}
	return all, err
}

// deleteOwn deletes what one connection created, and nothing of a later
// connection.
func (h hookClient) deleteOwn(ctx context.Context, token, path string, own models.Subscriptions) error {
	all, err := h.list(ctx, token)
	if err != nil {
		return err
	}
	return h.delete(ctx, token, all, func(id, url string) bool {
		return path != "" && url == h.prefix+path || id == own.WebhookID || id == own.SMS || id == own.ChangeLog
	})
}

// delete deletes what match selects by id and address. Subscriptions go
// before their webhooks: without its webhook one can't be recognised.
func (h hookClient) delete(ctx context.Context, token string, all hooks, match func(id, url string) bool) error {
	for _, v := range all.sms {
		if match(v.ID, v.HookURL) {
			if err := ignoreNotFound(h.dp.DeleteSMSSubscription(ctx, token, v.ID)); err != nil {
				return err
			}
		}
	}
	for _, v := range all.changes {
		if match(v.ID, v.HookURL) {
			if err := ignoreNotFound(h.dp.DeleteChangeLogSubscription(ctx, token, v.ID)); err != nil {
				return err
			}
		}
	}
	for _, w := range all.webhooks {
		if match(w.ID, w.URL) {
			if err := ignoreNotFound(h.dp.DeleteWebhook(ctx, token, w.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

func ignoreNotFound(err error) error {
	if dialpad.KindOf(err) == dialpad.NotFound {
		return nil
	}
	return err
}

// subscriptionsOf returns the ids that a connection stores.
func subscriptionsOf(c models.Connection) models.Subscriptions {
	return models.Subscriptions{WebhookID: c.WebhookID, SMS: c.SMSSubscription, ChangeLog: c.ChangeSubscription}
}
