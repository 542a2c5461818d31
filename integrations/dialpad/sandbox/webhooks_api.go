package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

type webhook struct {
	id, url, secret string
}

// webhooksAPI serves /api/v2/webhooks.
type webhooksAPI struct{ *state }

func (s *webhooksAPI) register(mux *http.ServeMux, server *apiServer) {
	mux.Handle("POST /api/v2/webhooks", server.withToken(writeLock, s.create))
	mux.Handle("GET /api/v2/webhooks", server.withToken(readLock, s.list))
	mux.Handle("GET /api/v2/webhooks/{id}", server.withToken(readLock, s.get))
	mux.Handle("DELETE /api/v2/webhooks/{id}", server.withToken(writeLock, s.delete))
}

// webhookJSON holds the secret in clear, as at Dialpad.
func (st *state) webhookJSON(h *webhook) map[string]any {
	j := map[string]any{"id": st.restID(h.id), "hook_url": h.url}
	if h.secret != "" {
		j["signature"] = map[string]any{"algo": "HS256", "secret": h.secret, "type": "jwt"}
	}
	return j
}

func (s *webhooksAPI) create(c *apiRequest) response {
	var in struct {
		URL    string `json:"hook_url"`
		Secret string `json:"secret"`
	}
	if json.Unmarshal(c.body, &in) != nil {
		return refuse(http.StatusBadRequest, "Request body is not valid JSON")
	}
	u, err := url.Parse(in.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return refuse(http.StatusBadRequest, "hook_url is not a valid URL")
	}
	if strings.ContainsAny(in.Secret, "\r\n") {
		return refuse(http.StatusBadRequest, "secret must be a single line")
	}
	h := &webhook{id: s.newTextID(), url: in.URL, secret: in.Secret}
	c.company.webhooks = append(c.company.webhooks, h)
	return jsonResponse(s.webhookJSON(h))
}

func (s *webhooksAPI) list(c *apiRequest) response {
	var all []any
	for _, h := range c.company.webhooks {
		all = append(all, s.webhookJSON(h))
	}
	return pageResponse(c, all)
}

func (co *company) webhook(id string) *webhook {
	i := slices.IndexFunc(co.webhooks, func(h *webhook) bool { return h.id == id })
	if i < 0 {
		return nil
	}
	return co.webhooks[i]
}

func (s *webhooksAPI) get(c *apiRequest) response {
	h := c.company.webhook(c.http.PathValue("id"))
	if h == nil {
		return refuse(http.StatusNotFound, "Webhook not found")
	}
	return jsonResponse(s.webhookJSON(h))
}

// delete keeps the subscriptions, without a webhook.
func (s *webhooksAPI) delete(c *apiRequest) response {
	h := c.company.webhook(c.http.PathValue("id"))
	if h == nil {
		return refuse(http.StatusNotFound, "Webhook not found")
	}
	c.company.webhooks = slices.DeleteFunc(c.company.webhooks, func(w *webhook) bool { return w == h })
	for _, subs := range c.company.subscriptions {
		for _, sub := range subs {
			if sub.webhook == h {
				sub.webhook = nil
			}
		}
	}
	return jsonResponse(s.webhookJSON(h))
}
