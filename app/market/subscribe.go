package market

import (
	"context"
	"errors"
	"strings"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

const eventsPath = "/dialpad/events/"

func (m *Market) hookURL(path string) string { return m.cfg.PublicURL + eventsPath + path }

// Subscribe makes our one webhook and the subscriptions for texts and the change log, or finds them: it may run
// again. Ours of earlier connections go first, since a company has room for ten. What Dialpad refuses is told in
// Note, and stored; *Refusal or an error of Dialpad's where it could not be asked.
func (m *Market) Subscribe(ctx context.Context, tenantID string) (models.Subscriptions, error) {
	c, err := m.live(ctx, tenantID)
	if err != nil {
		return models.Subscriptions{}, err
	}
	path, secret, err := m.store.Connections.OpenHook(c)
	if err != nil {
		return models.Subscriptions{}, err
	}
	if err := m.store.ConnectAttempts.SetFinishingStep(ctx, tenantID, models.StepSubscribes, ""); err != nil {
		return models.Subscriptions{}, err
	}
	var subs models.Subscriptions
	err = m.Do(ctx, tenantID, func(token string) error {
		s := subscriber{m: m, token: token, url: m.hookURL(path), secret: secret, known: known(c)}
		var err error
		subs, err = s.run(ctx)
		return err
	})
	if err != nil {
		return subs, err
	}
	return subs, m.store.Connections.SaveSubscriptions(ctx, tenantID, c.HookPathHash, subs)
}

func known(c models.Connection) models.Subscriptions {
	return models.Subscriptions{WebhookID: c.WebhookID, SMS: c.SMSSubscription, ChangeLog: c.ChangeSubscription}
}

// subscriber brings one company's hooks to what they should be.
type subscriber struct {
	m      *Market
	token  string
	url    string // of the webhook that should be
	secret string
	known  models.Subscriptions
	notes  []string
}

func (s *subscriber) run(ctx context.Context) (out models.Subscriptions, err error) {
	h, err := s.m.hooks(ctx, s.token)
	if err != nil {
		return out, err
	}
	keep := s.keep(h)
	prefix := s.m.hookURL("")
	if err := s.m.deleteHooks(ctx, s.token, h, func(id, url string) bool {
		return !keep[id] && (strings.HasPrefix(url, prefix) || s.isKnown(id))
	}); err != nil {
		return out, err
	}
	if out.WebhookID, err = s.webhook(ctx, h, keep); err != nil || out.WebhookID == "" {
		out.Note = strings.Join(s.notes, " ")
		return out, err
	}
	out.SMS, err = s.subscription(ctx, "texts", keptOf(h.sms, keep), func() (dialpad.Subscription, error) {
		return s.m.dp.CreateSMSSubscription(ctx, s.token, out.WebhookID)
	})
	if err != nil {
		return out, err
	}
	out.ChangeLog, err = s.subscription(ctx, "the change log", keptOf(h.changes, keep), func() (dialpad.Subscription, error) {
		return s.m.dp.CreateChangeLogSubscription(ctx, s.token, out.WebhookID)
	})
	out.Note = strings.Join(s.notes, " ")
	return out, err
}

func (s *subscriber) isKnown(id string) bool {
	return id != "" && (id == s.known.WebhookID || id == s.known.SMS || id == s.known.ChangeLog)
}

// keep picks the one webhook with our address and the one good subscription of each type on it.
func (s *subscriber) keep(h hooks) map[string]bool {
	ids := map[string]bool{}
	hook := ""
	for _, w := range h.webhooks {
		if w.URL == s.url && (hook == "" || w.ID == s.known.WebhookID) {
			hook = w.ID
		}
	}
	if hook == "" {
		return ids
	}
	ids[hook] = true
	for _, v := range h.sms {
		if v.WebhookID == hook && v.Enabled && v.Direction == "all" && v.Status && v.IncludeInternal && v.TargetID == "" {
			ids[v.ID] = true
			break
		}
	}
	for _, v := range h.changes {
		if v.WebhookID == hook && v.Enabled {
			ids[v.ID] = true
			break
		}
	}
	return ids
}

func keptOf(list []dialpad.Subscription, keep map[string]bool) string {
	for _, v := range list {
		if keep[v.ID] {
			return v.ID
		}
	}
	return ""
}

func (s *subscriber) webhook(ctx context.Context, h hooks, keep map[string]bool) (string, error) {
	for _, w := range h.webhooks {
		if keep[w.ID] {
			return w.ID, nil
		}
	}
	w, err := s.m.dp.CreateWebhook(ctx, s.token, s.url, s.secret)
	return w.ID, s.refused("the webhook", err)
}

func (s *subscriber) subscription(ctx context.Context, what, kept string, create func() (dialpad.Subscription, error)) (string, error) {
	if kept != "" {
		return kept, nil
	}
	v, err := create()
	return v.ID, s.refused(what, err)
}

// refused turns Dialpad's no into a note; other errors pass through. A 403 that speaks of a limit or quota is a full
// company, not a rate: waiting would not help.
func (s *subscriber) refused(what string, err error) error {
	var e *dialpad.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Kind != dialpad.Refused && e.Kind != dialpad.Forbidden && e.Kind != dialpad.NotFound && (e.Kind != dialpad.RateLimited || e.Status != 403) {
		return err
	}
	words := e.Message
	if words == "" {
		words = "no reason given"
	}
	s.notes = append(s.notes, "Dialpad refused "+what+": "+sentence(words))
	return nil
}

// hooks is everything of the company's, of other apps too.
type hooks struct {
	webhooks     []dialpad.Webhook
	sms, changes []dialpad.Subscription
}

func (m *Market) hooks(ctx context.Context, token string) (h hooks, err error) {
	if h.webhooks, err = m.dp.Webhooks(ctx, token); err != nil {
		return h, err
	}
	if h.sms, err = m.dp.SMSSubscriptions(ctx, token); err != nil {
		return h, err
	}
	h.changes, err = m.dp.ChangeLogSubscriptions(ctx, token)
	if dialpad.KindOf(err) == dialpad.Forbidden { // no company admin any more; creating one will say so
		err = nil
	}
	return h, err
}

// deleteHooks deletes what is mine, by id and address: subscriptions before their webhooks, since one without its
// webhook can't be told apart any more.
func (m *Market) deleteHooks(ctx context.Context, token string, h hooks, mine func(id, url string) bool) error {
	gone := func(err error) error {
		if dialpad.KindOf(err) == dialpad.NotFound {
			return nil
		}
		return err
	}
	for _, v := range h.sms {
		if mine(v.ID, v.HookURL) {
			if err := gone(m.dp.DeleteSMSSubscription(ctx, token, v.ID)); err != nil {
				return err
			}
		}
	}
	for _, v := range h.changes {
		if mine(v.ID, v.HookURL) {
			if err := gone(m.dp.DeleteChangeLogSubscription(ctx, token, v.ID)); err != nil {
				return err
			}
		}
	}
	for _, w := range h.webhooks {
		if mine(w.ID, w.URL) {
			if err := gone(m.dp.DeleteWebhook(ctx, token, w.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}
