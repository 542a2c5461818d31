package handlers

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/outbox"
	"dialpad-texting/models/ledger"
)

var (
	outboxStates = []string{"", ledger.BatchScheduled, ledger.BatchPreparing, ledger.BatchSending, ledger.BatchPaused, ledger.BatchHeld,
		ledger.BatchDone, ledger.BatchCancelled, ledger.WithFailed, ledger.WithUnknown, ledger.WithReplied}
	outboxSources = []string{"", ledger.SourceOneToOne, ledger.SourceBulk, ledger.SourceAutomation, ledger.SourceTest}
)

func (t *textAPI) getOutbox(c *gin.Context) error {
	query, err := queries(c, "state", "source", "q", "sender", "from", "to", "cursor")
	if err != nil {
		return err
	}
	if !slices.Contains(outboxStates, query["state"]) {
		return badRequest("There is no such state.").withDetail("field", "state")
	}
	if !slices.Contains(outboxSources, query["source"]) {
		return badRequest("There is no such source.").withDetail("field", "source")
	}
	cursor, err := t.cursors.open(c, listOutbox, query["cursor"])
	if err != nil {
		return err
	}
	view, err := t.outbox.Batches(c.Request.Context(), askerOf(c), outbox.Filter{State: query["state"], Source: query["source"], Query: query["q"],
		Sender: query["sender"], From: query["from"], To: query["to"], Cursor: cursor})
	view.Next = t.cursors.seal(c, listOutbox, view.Next)
	return writeJSON(c, http.StatusOK, view, err)
}

func (t *textAPI) getAttention(c *gin.Context) error {
	view, err := t.outbox.Attention(c.Request.Context(), askerOf(c))
	return writeJSON(c, http.StatusOK, view, err)
}

func (t *textAPI) postSeen(c *gin.Context) error {
	if err := bindNothing(c); err != nil {
		return err
	}
	return writeNoContent(c, t.outbox.MarkSeen(c.Request.Context(), askerOf(c)))
}

func (t *textAPI) postResume(c *gin.Context) error {
	var in struct {
		Code  string  `json:"code"`
		After *string `json:"after"`
	}
	if err := bindJSON(c, &in, maxSmallJSON); err != nil {
		return err
	}
	if in.Code == "" {
		return badRequest("The field code is missing.").withDetail("field", "code")
	}
	after := ""
	if in.After != nil {
		after = *in.After
	}
	view, err := t.batches.Held.Resume(c.Request.Context(), askerOf(c), in.Code, after)
	return writeJSON(c, http.StatusOK, view, err)
}

func (t *textAPI) getSenders(c *gin.Context) error {
	query, err := queries(c, "q")
	if err != nil {
		return err
	}
	asker := askerOf(c)
	if !asker.IsAdmin() {
		return errAdminsOnly
	}
	view, err := t.outbox.Senders(c.Request.Context(), asker, query["q"])
	return writeJSON(c, http.StatusOK, view, err)
}

const defaultStatsDays = 30

func (t *textAPI) getFigures(c *gin.Context) error {
	query, err := queries(c, "days")
	if err != nil {
		return err
	}
	days := defaultStatsDays
	if query["days"] != "" {
		if days, err = strconv.Atoi(query["days"]); err != nil || days < 1 || days > outbox.MaxStatsDays {
			return badRequest("Choose 1 to 92 days.").withDetail("field", "days")
		}
	}
	view, err := t.outbox.Stats(c.Request.Context(), askerOf(c), days)
	return writeJSON(c, http.StatusOK, view, err)
}
