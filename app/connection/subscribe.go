package connection

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// Subscribe creates our webhook and the subscriptions for texts and the
// change log, or finds them: it may run again. Ours of earlier connections
// are deleted first, since a company has room for ten. What Dialpad refuses
// is stored and returned in Note. Errors: *eligibility.Refusal, or Dialpad's
// where it could not be asked.
func (c *Connections) Subscribe(ctx context.Context, tenantID string) (models.Subscriptions, error) {
	conn, err := c.tokens.readConnected(ctx, tenantID)
	if err != nil {
		return models.Subscriptions{}, err
	}
	path, secret, err := c.store.Connections.OpenHook(conn)
	if err != nil {
		return models.Subscriptions{}, err
	}
	if err := c.store.ConnectAttempts.SetFinishingStep(ctx, tenantID, models.StepSubscriptions, ""); err != nil {
		return models.Subscriptions{}, err
	}
	var subs models.Subscriptions
	err = c.tokens.Do(ctx, tenantID, func(token string) error {
		s := subscriber{hookClient: c.hooks, token: token, url: c.hooks.prefix + path, secret: secret, known: subscriptionsOf(conn)}
		var err error
		subs, err = s.run(ctx)
		return err
	})
	if err != nil {
		return subs, err
	}
	return subs, c.store.Connections.SaveSubscriptions(ctx, tenantID, conn.HookPathHash, subs)
}

// subscriber creates what one company lacks and deletes what is left over.
type subscriber struct {
	hookClient
	token  string
	url    string // of the webhook
	secret string
	known  models.Subscriptions // from the run before
	notes  []string             // what Dialpad refused
}

func (s *subscriber) run(ctx context.Context) (out models.Subscriptions, err error) {
	all, err := s.list(ctx, s.token)
	if err != nil {
		return out, err
	}
	keep := s.keep(all)
	if err := s.delete(ctx, s.token, all, func(id, url string) bool {
		return !keep[id] && (strings.HasPrefix(url, s.prefix) || s.isKnown(id))
	}); err != nil {
		return out, err
	}
	if out.WebhookID, err = s.webhook(ctx, all, keep); err != nil || out.WebhookID == "" {
		out.Note = strings.Join(s.notes, " ")
		return out, err
	}
	out.SMS, err = s.subscription("texts", keptID(all.sms, keep), func() (dialpad.Subscription, error) {
		return s.dp.CreateSMSSubscription(ctx, s.token, out.WebhookID)
	})
	if err != nil {
		return out, err
	}
	out.ChangeLog, err = s.subscription("the change log", keptID(all.changes, keep), func() (dialpad.Subscription, error) {
		return s.dp.CreateChangeLogSubscription(ctx, s.token, out.WebhookID)
	})
	out.Note = strings.Join(s.notes, " ")
	return out, err
}

func (s *subscriber) isKnown(id string) bool {
	return id != "" && (id == s.known.WebhookID || id == s.known.SMS || id == s.known.ChangeLog)
}

// keep returns the ids of the one webhook with our address and of one usable
// subscription of each type on it.
func (s *subscriber) keep(all hooks) map[string]bool {
	ids := map[string]bool{}
	hook := ""
	for _, w := range all.webhooks {
		if w.URL == s.url && (hook == "" || w.ID == s.known.WebhookID) {
			hook = w.ID
		}
	}
	if hook == "" {
		return ids
	}
	ids[hook] = true
	for _, v := range all.sms {
		if v.WebhookID == hook && v.Enabled && v.Direction == "all" && v.Status && v.IncludeInternal && v.TargetID == "" {
			ids[v.ID] = true
			break
		}
	}
	for _, v := range all.changes {
		if v.WebhookID == hook && v.Enabled {
			ids[v.ID] = true
			break
		}
	}
	return ids
}

func keptID(list []dialpad.Subscription, keep map[string]bool) string {
	for _, v := range list {
		if keep[v.ID] {
			return v.ID
		}
	}
	return ""
}

func (s *subscriber) webhook(ctx context.Context, all hooks, keep map[string]bool) (string, error) {
	for _, w := range all.webhooks {
		if keep[w.ID] {
			return w.ID, nil
		}
	}
	w, err := s.dp.CreateWebhook(ctx, s.token, s.url, s.secret)
	return w.ID, s.noteRefusal("the webhook", err)
}

func (s *subscriber) subscription(name, kept string, create func() (dialpad.Subscription, error)) (string, error) {
	if kept != "" {
		return kept, nil
	}
	v, err := create()
	return v.ID, s.noteRefusal(name, err)
}

// noteRefusal turns Dialpad's refusal into a note; other errors pass
// through. A 403 that speaks of a limit or quota means a full company, not a
// rate: waiting would not help.
func (s *subscriber) noteRefusal(name string, err error) error {
	var e *dialpad.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Kind != dialpad.Refused && e.Kind != dialpad.Forbidden && e.Kind != dialpad.NotFound && (e.Kind != dialpad.RateLimited || e.Status != 403) {
		return err
	}
	s.notes = append(s.notes, "Dialpad refused "+name+": "+sentence(cmp.Or(e.Message, "no reason given")))
	return nil
}

// sentence ends text with a full stop.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}
