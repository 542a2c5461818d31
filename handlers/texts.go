package handlers

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/app/batch"
	"dialpad-texting/app/outbox"
	"dialpad-texting/app/popup"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// textAPI is the API of popup and outbox page.
type textAPI struct {
	popup    *popup.Popup
	audience *audience.Audience
	batches  *batch.Batches
	outbox   *outbox.Outbox
	cursors  cursors
}

func (t *textAPI) getContext(c *gin.Context) error {
	view, err := t.popup.Context(c.Request.Context(), askerOf(c))
	return writeJSON(c, http.StatusOK, view, err)
}

func (t *textAPI) getConversation(c *gin.Context) error {
	query, err := queries(c, "cursor")
	if err != nil {
		return err
	}
	cursor, err := t.cursors.open(c, listConversation, query["cursor"])
	if err != nil {
		return err
	}
	view, err := t.popup.Conversation(c.Request.Context(), askerOf(c), cursor)
	view.Next = t.cursors.seal(c, listConversation, view.Next)
	return writeJSON(c, http.StatusOK, view, err)
}

// putDraft keeps what is being written, for browsers that store nothing
// in a frame.
func (t *textAPI) putDraft(c *gin.Context) error {
	var in popup.Draft
	if err := bindJSON(c, &in, maxTextJSON); err != nil {
		return err
	}
	return writeNoContent(c, t.popup.SaveDraft(c.Request.Context(), askerOf(c), in))
}

func (t *textAPI) putPreferences(c *gin.Context) error {
	var in popup.Preferences
	if err := bindJSON(c, &in, maxSmallJSON); err != nil {
		return err
	}
	return writeNoContent(c, t.popup.SavePreferences(c.Request.Context(), askerOf(c), in))
}

func (t *textAPI) getTemplates(c *gin.Context) error {
	query, err := queries(c, "q", "cursor")
	if err != nil {
		return err
	}
	cursor, err := t.cursors.open(c, listTemplates, query["cursor"])
	if err != nil {
		return err
	}
	view, err := t.popup.Templates(c.Request.Context(), askerOf(c), query["q"], cursor)
	view.Next = t.cursors.seal(c, listTemplates, view.Next)
	return writeJSON(c, http.StatusOK, view, err)
}

func (t *textAPI) postRender(c *gin.Context) error {
	var in struct {
		TemplateID crmID `json:"template_id"`
	}
	if err := bindJSON(c, &in, maxSmallJSON); err != nil {
		return err
	}
	if in.TemplateID == "" {
		return badRequest("The field template_id is missing.").withDetail("field", "template_id")
	}
	view, err := t.popup.Render(c.Request.Context(), askerOf(c), string(in.TemplateID))
	return writeJSON(c, http.StatusOK, view, err)
}

func (t *textAPI) postPreview(c *gin.Context) error {
	var in audience.PreviewRequest
	if err := bindJSON(c, &in, maxTextJSON); err != nil {
		return err
	}
	var err error
	if in.Cursor, err = t.cursors.open(c, listPreview, in.Cursor); err != nil {
		return err
	}
	view, err := t.audience.Preview(c.Request.Context(), askerOf(c), in)
	view.Next = t.cursors.seal(c, listPreview, view.Next)
	return writeJSON(c, http.StatusOK, view, err)
}

func (t *textAPI) postBatch(c *gin.Context) error {
	key, err := idempotencyKey(c, true)
	if err != nil {
		return err
	}
	var in struct {
		TemplateID crmID `json:"template_id"` // hides the embedded field: a number is accepted too
		batch.Request
	}
	if err := bindJSON(c, &in, maxTextJSON); err != nil {
		return err
	}
	in.Request.TemplateID = string(in.TemplateID)
	b, err := t.batches.Create(c.Request.Context(), askerOf(c), key, in.Request)
	return t.writeBatch(c, http.StatusAccepted, b, err)
}

// postTest sends the asker a text as somebody else would get it.
func (t *textAPI) postTest(c *gin.Context) error {
	key, err := idempotencyKey(c, true)
	if err != nil {
		return err
	}
	var in struct {
		RecordID crmID `json:"record_id"` // hides the embedded field: a number is accepted too
		batch.TestRequest
	}
	if err := bindJSON(c, &in, maxTextJSON); err != nil {
		return err
	}
	in.TestRequest.RecordID = string(in.RecordID)
	b, err := batch.Tests{Batches: t.batches}.Send(c.Request.Context(), askerOf(c), key, in.TestRequest)
	return t.writeBatch(c, http.StatusAccepted, b, err)
}

// withID refuses an address whose id can't be one: there is no such text.
// The others' ids are canonical, and go to the database as they are.
func withID(h func(c *gin.Context, id string) error) handler {
	return func(c *gin.Context) error {
		id := c.Param("id")
		if !models.IsID(id) {
			return apierror.NotFound(models.ErrNotFound)
		}
		return h(c, id)
	}
}

func (t *textAPI) getBatch(c *gin.Context, id string) error {
	view, err := t.outbox.Batch(c.Request.Context(), askerOf(c), id)
	return writeJSON(c, http.StatusOK, gin.H{"batch": view}, err)
}

func (t *textAPI) patchBatch(c *gin.Context, id string) error {
	var in batch.EditRequest
	if err := bindJSON(c, &in, maxTextJSON); err != nil {
		return err
	}
	b, err := t.batches.Edit(c.Request.Context(), askerOf(c), id, in)
	return t.writeBatch(c, http.StatusOK, b, err)
}

// changeBatch handles Cancel, Pause and Resume.
func (t *textAPI) changeBatch(change func(context.Context, access.Asker, string) (ledger.Batch, error)) handler {
	return withID(func(c *gin.Context, id string) error {
		if err := bindNothing(c); err != nil {
			return err
		}
		b, err := change(c.Request.Context(), askerOf(c), id)
		return t.writeBatch(c, http.StatusOK, b, err)
	})
}

func (t *textAPI) postDuplicate(c *gin.Context, id string) error {
	key, err := idempotencyKey(c, true)
	if err != nil {
		return err
	}
	var in batch.Request
	if err := bindJSON(c, &in, maxTextJSON); err != nil {
		return err
	}
	b, err := t.batches.Duplicate(c.Request.Context(), askerOf(c), id, key, in)
	return t.writeBatch(c, http.StatusAccepted, b, err)
}

func (t *textAPI) postResend(c *gin.Context, id string) error {
	key, err := idempotencyKey(c, false)
	if err != nil {
		return err
	}
	var in batch.ResendRequest
	if err := bindJSON(c, &in, maxSmallJSON); err != nil {
		return err
	}
	b, err := t.batches.Resend(c.Request.Context(), askerOf(c), id, key, in)
	return t.writeBatch(c, http.StatusOK, b, err)
}

const csvType = "text/csv"

func (t *textAPI) getMessages(c *gin.Context, id string) error {
	query, err := queries(c, "state", "q", "cursor")
	if err != nil {
		return err
	}
	if c.NegotiateFormat(gin.MIMEJSON, csvType) == csvType {
		c.Header("Content-Type", "text/csv; charset=utf-8")
		c.Header("Content-Disposition", `attachment; filename="texts.csv"`)
		return t.outbox.Report(c.Request.Context(), askerOf(c), id, query["state"], c.Writer)
	}
	list := listMessages(id)
	cursor, err := t.cursors.open(c, list, query["cursor"])
	if err != nil {
		return err
	}
	view, err := t.outbox.Messages(c.Request.Context(), askerOf(c), id, query["state"], query["q"], cursor)
	view.Next = t.cursors.seal(c, list, view.Next)
	return writeJSON(c, http.StatusOK, view, err)
}

func (t *textAPI) postCancelMessage(c *gin.Context, id string) error {
	if err := bindNothing(c); err != nil {
		return err
	}
	m, err := t.batches.CancelMessage(c.Request.Context(), askerOf(c), id)
	return writeJSON(c, http.StatusOK, gin.H{"message": outbox.ViewMessage(m)}, err)
}

func (t *textAPI) getReceipt(c *gin.Context, id string) error {
	view, err := t.outbox.Receipt(c.Request.Context(), askerOf(c), id)
	return writeJSON(c, http.StatusOK, view, err)
}

// writeBatch writes a created or changed batch, or returns the error.
func (t *textAPI) writeBatch(c *gin.Context, status int, b ledger.Batch, err error) error {
	if err != nil {
		return err
	}
	view, err := t.outbox.View(c.Request.Context(), askerOf(c), b)
	return writeJSON(c, status, gin.H{"batch": view}, err)
}
