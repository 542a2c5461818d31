package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/activity"
)

// activityAPI answers what people of the tenant did.
type activityAPI struct {
	log     *activity.Log
	cursors cursors
}

// getActivity is the admins' list, as JSON or CSV.
func (h *activityAPI) getActivity(c *gin.Context) error {
	search, err := queries(c, "q", "cursor")
	if err != nil {
		return err
	}
	if c.NegotiateFormat(gin.MIMEJSON, csvType) == csvType {
		c.Header("Content-Type", "text/csv; charset=utf-8")
		c.Header("Content-Disposition", `attachment; filename="activity.csv"`)
		return h.log.Report(c.Request.Context(), askerOf(c), search["q"], c.Writer)
	}
	cursor, err := h.cursors.open(c, listActivity, search["cursor"])
	if err != nil {
		return err
	}
	view, err := h.log.Page(c.Request.Context(), askerOf(c), search["q"], cursor)
	view.Next = h.cursors.seal(c, listActivity, view.Next)
	return writeJSON(c, http.StatusOK, view, err)
}
