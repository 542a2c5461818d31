package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/optout"
)

// postOptOut records what somebody decides about a number.
func (s *server) postOptOut(c *gin.Context) error {
	var in optout.Decision
	if err := bindJSON(c, &in); err != nil {
		return err
	}
	view, err := s.OptOuts.Decide(c.Request.Context(), asker(c), in)
	return answer(c, http.StatusOK, gin.H{"contact": view}, err)
}

// getOptOut answers what is known of one number's consent.
func (s *server) getOptOut(c *gin.Context) error {
	search, err := queries(c, "number", "message_id")
	if err != nil {
		return err
	}
	view, err := s.OptOuts.Contact(c.Request.Context(), asker(c), search["number"], search["message_id"])
	return answer(c, http.StatusOK, gin.H{"contact": view}, err)
}

func (s *server) getReviews(c *gin.Context) error {
	view, err := s.Outbox.Reviews(c.Request.Context(), asker(c))
	return answer(c, http.StatusOK, view, err)
}

// getOptOuts is the admins' list, as JSON or CSV.
func (s *server) getOptOuts(c *gin.Context) error {
	search, err := queries(c, "q", "cursor")
	if err != nil {
		return err
	}
	if c.NegotiateFormat(gin.MIMEJSON, csvType) == csvType {
		c.Header("Content-Type", "text/csv; charset=utf-8")
		c.Header("Content-Disposition", `attachment; filename="opt-outs.csv"`)
		return s.Outbox.OptOutReport(c.Request.Context(), asker(c), search["q"], c.Writer)
	}
	view, err := s.Outbox.OptOuts(c.Request.Context(), asker(c), search["q"], search["cursor"])
	return answer(c, http.StatusOK, view, err)
}
