package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/optout"
	"dialpad-texting/app/outbox"
)

// optOutAPI answers who opted out, and takes what people decide about it.
type optOutAPI struct {
	optOuts *optout.OptOuts
	outbox  *outbox.Outbox
	cursors cursors
}

// postOptOut records what somebody decides about a number.
func (h *optOutAPI) postOptOut(c *gin.Context) error {
	var in optout.Decision
	if err := bindJSON(c, &in, maxSmallJSON); err != nil {
		return err
	}
	view, err := h.optOuts.Decide(c.Request.Context(), askerOf(c), in)
	return writeJSON(c, http.StatusOK, gin.H{"contact": view}, err)
}

// getOptOut answers what is known of one number's consent.
func (h *optOutAPI) getOptOut(c *gin.Context) error {
	search, err := queries(c, "number", "message_id")
	if err != nil {
		return err
	}
	view, err := h.optOuts.Contact(c.Request.Context(), askerOf(c), search["number"], search["message_id"])
	return writeJSON(c, http.StatusOK, gin.H{"contact": view}, err)
}

func (h *optOutAPI) getReviews(c *gin.Context) error {
	view, err := h.outbox.Reviews(c.Request.Context(), askerOf(c))
	return writeJSON(c, http.StatusOK, view, err)
}

// getOptOuts is the admins' list, as JSON or CSV.
func (h *optOutAPI) getOptOuts(c *gin.Context) error {
	search, err := queries(c, "q", "cursor")
	if err != nil {
		return err
	}
	if c.NegotiateFormat(gin.MIMEJSON, csvType) == csvType {
		c.Header("Content-Type", "text/csv; charset=utf-8")
		c.Header("Content-Disposition", `attachment; filename="opt-outs.csv"`)
		return h.outbox.OptOutReport(c.Request.Context(), askerOf(c), search["q"], c.Writer)
	}
	cursor, err := h.cursors.open(c, listOptOuts, search["cursor"])
	if err != nil {
		return err
	}
	view, err := h.outbox.OptOuts(c.Request.Context(), askerOf(c), search["q"], cursor)
	view.Next = h.cursors.seal(c, listOptOuts, view.Next)
	return writeJSON(c, http.StatusOK, view, err)
}
