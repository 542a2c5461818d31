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

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// call answers one signed call of the CRM. A value of nil is an answer without a body.
type call func(ctx context.Context, c crm.Call) (status int, value any, err error)

// answerWithin bounds a signed call: it goes on when its first caller hangs up, since others may wait for its answer.
const answerWithin = 20 * time.Second

// signed lets calls through that the CRM signed, and answers a repeated one as it was answered first. Of two at once
// one runs; in two processes both may, and the answer stored first counts for both.
func (s *server) signed(answer call) handler {
	return func(c *gin.Context) error {
		body, err := readBody(c, maxJSON)
		if err != nil {
			return err
		}
		webhookID, _, err := s.Secrets.Verify(c.Request.Header, body, s.Now())
		if err != nil {
			return err
		}
		// An id is one message to one address: what another address said of it would be no answer here.
		first := models.CallAnswer{WebhookID: c.FullPath() + " " + webhookID, BodyHash: contentHash(body)}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), answerWithin)
		defer cancel()
		got, err, _ := s.calls.Do(first.WebhookID+" "+first.BodyHash, func() (any, error) {
			return s.answerOnce(ctx, first, body, answer)
		})
		if err != nil {
			return err
		}
		say(c, got.(models.CallAnswer))
		return nil
	}
}

func say(c *gin.Context, a models.CallAnswer) {
	if a.Body == "" {
		c.Status(a.Status)
		return
	}
	c.Data(a.Status, gin.MIMEJSON, []byte(a.Body))
}

func (s *server) answerOnce(ctx context.Context, first models.CallAnswer, body []byte, answer call) (models.CallAnswer, error) {
	before, err := s.Store.CRMCalls.AnswerAllTenants(ctx, first.WebhookID)
	if !errors.Is(err, models.ErrNotFound) {
		return same(before, first, err)
	}
	status, value, err := answerCall(ctx, body, answer)
	if err != nil {
		r := asRefusal(err)
		if !final(r.status) {
			return first, err
		}
		status, value = r.status, r.envelope()
	}
	if first.Status = status; value != nil {
		text, err := json.Marshal(value)
		if err != nil {
			return first, err
		}
		first.Body = string(text)
	}
	kept, err := s.Store.CRMCalls.SaveAnswer(ctx, first)
	if errors.Is(err, models.ErrNotFound) {
		return first, nil // an answer of yesterday stands in the way, which counts no more
	}
	return same(kept, first, err)
}

// final tells whether the same call could be answered otherwise tomorrow. A tenant that is unknown today may be known
// by then, and a fault of ours mended.
func final(status int) bool {
	return status < http.StatusInternalServerError && status != http.StatusNotFound && status != http.StatusUnauthorized
}

func same(kept, first models.CallAnswer, err error) (models.CallAnswer, error) {
	if err == nil && kept.BodyHash != first.BodyHash {
		return kept, refuse(http.StatusConflict, "webhook_id_conflict", "This webhook-id was used for another call.")
	}
	return kept, err
}

func answerCall(ctx context.Context, body []byte, answer call) (int, any, error) {
	if !storable(body) {
		return 0, nil, badRequest("The call must be UTF-8 without NUL characters.")
	}
	c, err := crm.ParseCall(body)
	if err != nil {
		return 0, nil, badCall(err)
	}
	return answer(ctx, c)
}

// badCall is for the CRM's developers: the parser's error names the field.
func badCall(err error) *refusal {
	return badRequest("The call cannot be read.").with("reason", err.Error()).because(err)
}

// contentHash names what a call says. A repetition may be written anew, with the moment of its own: that is no other
// content.
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
