package handlers

import (
	"context"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/access"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/outbox"
	"dialpad-texting/models/ledger"
)

func (s *server) getContext(c *gin.Context) error {
	view, err := s.Popup.Context(c.Request.Context(), asker(c))
	return answer(c, http.StatusOK, view, err)
}

func (s *server) getTemplates(c *gin.Context) error {
	search, err := queries(c, "q", "cursor")
	if err != nil {
		return err
	}
	view, err := s.Popup.Templates(c.Request.Context(), asker(c), search["q"], search["cursor"])
	return answer(c, http.StatusOK, view, err)
}

func (s *server) postRender(c *gin.Context) error {
	var in struct {
		TemplateID id `json:"template_id"`
	}
	if err := bindJSON(c, &in); err != nil {
		return err
	}
	if in.TemplateID == "" {
		return badRequest("The field template_id is missing.").with("field", "template_id")
	}
	view, err := s.Popup.Render(c.Request.Context(), asker(c), string(in.TemplateID))
	return answer(c, http.StatusOK, view, err)
}

func (s *server) postPreview(c *gin.Context) error {
	var in audience.PreviewRequest
	if err := bindJSON(c, &in); err != nil {
		return err
	}
	view, err := s.Audience.Preview(c.Request.Context(), asker(c), in)
	return answer(c, http.StatusOK, view, err)
}

func (s *server) postBatch(c *gin.Context) error {
	key, err := idempotencyKey(c, true)
	if err != nil {
		return err
	}
	var in struct {
		TemplateID id `json:"template_id"` // in front of the embedded one: ids come as numbers too
		batch.Request
	}
	if err := bindJSON(c, &in); err != nil {
		return err
	}
	in.Request.TemplateID = string(in.TemplateID)
	b, err := s.Batches.Create(c.Request.Context(), asker(c), key, in.Request)
	return s.answerBatch(c, http.StatusAccepted, b, err)
}

func (s *server) getBatch(c *gin.Context) error {
	view, err := s.Outbox.Batch(c.Request.Context(), asker(c), c.Param("id"))
	return answer(c, http.StatusOK, gin.H{"batch": view}, err)
}

func (s *server) patchBatch(c *gin.Context) error {
	var in batch.EditRequest
	if err := bindJSON(c, &in); err != nil {
		return err
	}
	b, err := s.Batches.Edit(c.Request.Context(), asker(c), c.Param("id"), in)
	return s.answerBatch(c, http.StatusOK, b, err)
}

// changeBatch is for Cancel, Pause and Resume.
func (s *server) changeBatch(change func(context.Context, access.Asker, string) (ledger.Batch, error)) handler {
	return func(c *gin.Context) error {
		if err := bindNothing(c); err != nil {
			return err
		}
		b, err := change(c.Request.Context(), asker(c), c.Param("id"))
		return s.answerBatch(c, http.StatusOK, b, err)
	}
}

func (s *server) postResend(c *gin.Context) error {
	key, err := idempotencyKey(c, false)
	if err != nil {
		return err
	}
	var in batch.ResendRequest
	if err := bindJSON(c, &in); err != nil {
		return err
	}
	b, err := s.Batches.Resend(c.Request.Context(), asker(c), c.Param("id"), key, in)
	return s.answerBatch(c, http.StatusOK, b, err)
}

const csvType = "text/csv"

func (s *server) getMessages(c *gin.Context) error {
	search, err := queries(c, "state", "cursor")
	if err != nil {
		return err
	}
	if c.NegotiateFormat(gin.MIMEJSON, csvType) == csvType {
		c.Header("Content-Type", "text/csv; charset=utf-8")
		c.Header("Content-Disposition", `attachment; filename="texts.csv"`)
		return s.Outbox.Report(c.Request.Context(), asker(c), c.Param("id"), search["state"], c.Writer)
	}
	view, err := s.Outbox.Messages(c.Request.Context(), asker(c), c.Param("id"), search["state"], search["cursor"])
	return answer(c, http.StatusOK, view, err)
}

func (s *server) postCancelMessage(c *gin.Context) error {
	if err := bindNothing(c); err != nil {
		return err
	}
	m, err := s.Batches.CancelMessage(c.Request.Context(), asker(c), c.Param("id"))
	return answer(c, http.StatusOK, gin.H{"message": outbox.ViewMessage(m)}, err)
}

func (s *server) getReceipt(c *gin.Context) error {
	view, err := s.Outbox.Receipt(c.Request.Context(), asker(c), c.Param("id"))
	return answer(c, http.StatusOK, view, err)
}

func (s *server) getOutbox(c *gin.Context) error {
	search, err := queries(c, "state", "source", "q", "cursor")
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"", "scheduled", "preparing", "sending", "paused", "held", "done", "cancelled"}, search["state"]) {
		return badRequest("There is no such state.").with("field", "state")
	}
	if !slices.Contains([]string{"", "one", "bulk", "automation"}, search["source"]) {
		return badRequest("There is no such source.").with("field", "source")
	}
	view, err := s.Outbox.Batches(c.Request.Context(), asker(c), outbox.Filter{
		State: search["state"], Source: search["source"], Query: search["q"], Cursor: search["cursor"],
	})
	return answer(c, http.StatusOK, view, err)
}

const maxQuery = 1000 // characters of one

// queries reads what stands behind the question mark; each at most once.
func queries(c *gin.Context, names ...string) (map[string]string, error) {
	all, found := c.Request.URL.Query(), map[string]string{}
	for _, name := range names {
		v := all.Get(name)
		if len(all[name]) > 1 || !storable([]byte(v)) || utf8.RuneCountInString(v) > maxQuery {
			return nil, badRequest("The parameter "+name+" cannot be read.").with("field", name)
		}
		found[name] = v
	}
	return found, nil
}

// answer writes a view, or hands the error on.
func answer(c *gin.Context, status int, view any, err error) error {
	if err != nil {
		return err
	}
	c.JSON(status, view)
	return nil
}

// answerBatch writes a batch that was made or changed, or returns the error.
func (s *server) answerBatch(c *gin.Context, status int, b ledger.Batch, err error) error {
	if err != nil {
		return err
	}
	view, err := s.Outbox.View(c.Request.Context(), asker(c), b)
	return answer(c, status, gin.H{"batch": view}, err)
}
