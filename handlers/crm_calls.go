package handlers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/singleflight"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// crmCalls answers the calls that the CRM's servers sign.
type crmCalls struct {
	secrets    crm.Secrets
	store      *models.Store
	automation Automation
	events     Events
	now        func() time.Time
	running    singleflight.Group
}

// call answers one signed call. A nil value is an empty body.
type call func(ctx context.Context, c crm.Call) (status int, value any, err error)

// callTimeout bounds a signed call. The call survives its first client,
// since others may wait for the same answer.
const callTimeout = 20 * time.Second

// signed verifies the signature and answers a repeated call as before. A
// call whose headers can't be right is refused before its body is read.
// Simultaneous repetitions run once in this process. Another process
// may run them too: the answer stored first counts.
func (h *crmCalls) signed(answer call) handler {
	return func(c *gin.Context) error {
		if err := crm.CheckHeaders(c.Request.Header, h.now()); err != nil {
			return err
		}
		body, err := readBody(c)
		if err != nil {
			return err
		}
		webhookID, _, err := h.secrets.Verify(c.Request.Header, body, h.now())
		if err != nil {
			return err
		}
		bodyOf(c).Release() // the CRM's own; it may wait for its answer
		// The same id at another address is another call.
		key := models.CallAnswer{WebhookID: c.FullPath() + " " + webhookID, BodyHash: contentHash(body)}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), callTimeout)
		defer cancel()
		stored, err, _ := h.running.Do(key.WebhookID+" "+key.BodyHash, func() (any, error) {
			return h.answerOnce(ctx, key, body, answer)
		})
		if err != nil {
			return err
		}
		writeAnswer(c, stored.(models.CallAnswer))
		return nil
	}
}

func writeAnswer(c *gin.Context, a models.CallAnswer) {
	if a.Body == "" {
		c.Status(a.Status)
		return
	}
	c.Data(a.Status, gin.MIMEJSON, []byte(a.Body))
}

// answerOnce returns the stored answer of a call, or runs the call
// and stores its answer if that is final.
func (h *crmCalls) answerOnce(ctx context.Context, key models.CallAnswer, body []byte, answer call) (models.CallAnswer, error) {
	stored, err := h.store.CRMCalls.AnswerAllTenants(ctx, key.WebhookID)
	if !errors.Is(err, models.ErrNotFound) {
		return h.sameContent(stored, key, err)
	}
	status, value, err := runCall(ctx, body, answer)
	if err != nil {
		r := asRefusal(err)
		if !isFinal(r.status) {
			return key, err
		}
		status, value = r.status, r.envelope()
	}
	first := key
	if first.Status = status; value != nil {
		text, err := json.Marshal(value)
		if err != nil {
			return first, err
		}
		first.Body = string(text)
	}
	stored, err = h.store.CRMCalls.SaveAnswer(ctx, first)
	if errors.Is(err, models.ErrNotFound) {
		return first, nil // an expired answer has the same key
	}
	return h.sameContent(stored, key, err)
}

// isFinal reports whether an answer is stored. Later the tenant may be
// known, and our own errors mended.
func isFinal(status int) bool {
	return status < http.StatusInternalServerError && status != http.StatusNotFound && status != http.StatusUnauthorized
}

// sameContent refuses a webhook id that was used for another content.
func (h *crmCalls) sameContent(stored, key models.CallAnswer, err error) (models.CallAnswer, error) {
	if err == nil && !h.store.CRMCalls.IsTo(stored, key.BodyHash) {
		return stored, refuse("webhook_id_conflict", "This webhook-id was used for another call.")
	}
	return stored, err
}

func runCall(ctx context.Context, body []byte, answer call) (int, any, error) {
	if !isStorable(body) {
		return 0, nil, badRequest("The call must be UTF-8 without NUL characters.")
	}
	c, err := crm.ParseCall(body)
	if err != nil {
		return 0, nil, badCall(err)
	}
	return answer(ctx, c)
}

// badCall returns the parser's error, which names the field.
func badCall(err error) *refusal {
	return badRequest("The call cannot be read.").withDetail("reason", err.Error()).withCause(err)
}

// contentHash hashes a call without its timestamp: a repetition
// may have a new one.
func contentHash(body []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // ids beyond 2^53
	var content map[string]any
	if decoder.Decode(&content) == nil {
		delete(content, "timestamp")
		if sorted, err := json.Marshal(content); err == nil {
			body = sorted
		}
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
