package outbox

import (
	"context"
	"encoding/csv"
	"io"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/internal/spreadsheet"
	"dialpad-texting/models/ledger"
)

const (
	byteOrderMark = "\ufeff" // spreadsheets need it to read UTF-8
	reportPage    = 1000
)

var reportColumns = []string{"Name", "To", "State", "Reason", "Code", "Sent at (UTC)", "Text", "Record", "Message id", "Deal"}

// Report writes a batch's messages as CSV (RFC 4180, UTF-8).
func (x *Outbox) Report(ctx context.Context, a access.Asker, id, state string, w io.Writer) error {
	if _, err := x.store.Batches.Get(ctx, a.Tenant.ID, a.VisibleUserID(), id); err != nil {
		return apierror.NotFound(err)
	}
	stored, err := storedStates(state)
	if err != nil {
		return err
	}
	if err := x.store.Audits.Add(ctx, a.Tenant.ID, a.UserID, "report.exported", map[string]string{"batch": id}); err != nil {
		return err
	}
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(reportColumns); err != nil {
		return err
	}
	for after := ""; ; {
		list, err := x.store.Messages.List(ctx, a.Tenant.ID, id, stored, after, reportPage)
		if err != nil {
			return err
		}
		for _, m := range list {
			if err := out.Write(reportRow(m)); err != nil {
				return err
			}
			after = m.ID
		}
		if out.Flush(); out.Error() != nil || len(list) < reportPage {
			return out.Error()
		}
	}
}

func reportRow(m ledger.Message) []string {
	sent := ""
	if m.SentAt != nil {
		sent = m.SentAt.UTC().Format(time.RFC3339)
	}
	row := []string{m.Name, numberOf(m), ledger.PublicState(m.State), m.ErrorText, m.ErrorCode, sent, m.Text, m.RecordID, m.ID, m.Deal}
	for i := range row {
		row[i] = spreadsheet.Escape(row[i])
	}
	return row
}
