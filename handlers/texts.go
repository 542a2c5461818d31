package handlers

import (
	"context"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/texting"
)

func (s *server) getContext(c *gin.Context) error {
	view, err := s.Texting.Context(c.Request.Context(), asker(c))
	return answer(c, http.StatusOK, view, err)
}

func (s *server) getTemplates(c *gin.Context) error {
	search, err := queries(c, "q", "cursor")
	if err != nil {
		return err
	}
	view, err := s.Texting.Templates(c.Request.Context(), asker(c), search["q"], search["cursor"])
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
	view, err := s.Texting.Render(c.Request.Context(), asker(c), string(in.TemplateID))
	return answer(c, http.StatusOK, view, err)
}

func (s *server) postPreview(c *gin.Context) error {
	var in texting.PreviewRequest
	if err := bindJSON(c, &in); err != nil {
		return err
	}
	view, err := s.Texting.Preview(c.Request.Context(), asker(c), in)
	return answer(c, http.StatusOK, view, err)
}

func (s *server) postBatch(c *gin.Context) error {
	key, err := idempotencyKey(c, true)
	if err != nil {
		return err
	}
	var in struct {
		TemplateID id `json:"template_id"` // in front of the embedded one: ids come as numbers too
		texting.BatchRequest
	}
	if err := bindJSON(c, &in); err != nil {
		return err
	}
	in.BatchRequest.TemplateID = string(in.TemplateID)
	view, err := s.Texting.Create(c.Request.Context(), asker(c), key, in.BatchRequest)
	return answerBatch(c, http.StatusAccepted, view, err)
}

func (s *server) getBatch(c *gin.Context) error {
	view, err := s.Texting.Batch(c.Request.Context(), asker(c), c.Param("id"))
	return answerBatch(c, http.StatusOK, view, err)
}

func (s *server) patchBatch(c *gin.Context) error {
	var in texting.EditRequest
	if err := bindJSON(c, &in); err != nil {
		return err
	}
	view, err := s.Texting.Edit(c.Request.Context(), asker(c), c.Param("id"), in)
	return answerBatch(c, http.StatusOK, view, err)
}

// moveBatch is for Cancel, Pause and Resume.
func (s *server) moveBatch(move func(context.Context, texting.Asker, string) (texting.BatchView, error)) handler {
	return func(c *gin.Context) error {
		if err := bindNothing(c); err != nil {
			return err
		}
		view, err := move(c.Request.Context(), asker(c), c.Param("id"))
		return answerBatch(c, http.StatusOK, view, err)
	}
}

func (s *server) postResend(c *gin.Context) error {
	key, err := idempotencyKey(c, false)
	if err != nil {
		return err
	}
	var in texting.ResendRequest
	if err := bindJSON(c, &in); err != nil {
		return err
	}
	view, err := s.Texting.Resend(c.Request.Context(), asker(c), c.Param("id"), key, in)
	return answerBatch(c, http.StatusOK, view, err)
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
		return s.Texting.Report(c.Request.Context(), asker(c), c.Param("id"), search["state"], c.Writer)
	}
	view, err := s.Texting.Messages(c.Request.Context(), asker(c), c.Param("id"), search["state"], search["cursor"])
	return answer(c, http.StatusOK, view, err)
}

func (s *server) postCancelMessage(c *gin.Context) error {
	if err := bindNothing(c); err != nil {
		return err
	}
	view, err := s.Texting.CancelMessage(c.Request.Context(), asker(c), c.Param("id"))
	return answer(c, http.StatusOK, gin.H{"message": view}, err)
}

func (s *server) getReceipt(c *gin.Context) error {
	view, err := s.Texting.Receipt(c.Request.Context(), asker(c), c.Param("id"))
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
	view, err := s.Texting.Batches(c.Request.Context(), asker(c), texting.Filter{
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

func answerBatch(c *gin.Context, status int, view texting.BatchView, err error) error {
	return answer(c, status, gin.H{"batch": view}, err)
}
