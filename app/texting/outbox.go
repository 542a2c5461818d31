package texting

import (
	"context"
	"encoding/csv"
	"io"
	"slices"
	"strings"
	"time"

	"dialpad-texting/app/compose"
	"dialpad-texting/models/ledger"
)

// Filter selects batches of the outbox.
type Filter struct{ State, Source, Query, Cursor string }

// BatchesView is one page of the outbox, newest first.
type BatchesView struct {
	Batches []BatchView `json:"batches"`
	Next    *string     `json:"next"`
}

// MessagesView is one page of a batch's messages.
type MessagesView struct {
	Messages []MessageView `json:"messages"`
	Next     *string       `json:"next"`
}

const (
	batchesPage  = 25
	messagesPage = 100
)

// Batches pages the outbox: an admin's holds everybody's batches, a user's the user's own. A query that is a phone number
// finds the batches with that recipient, too.
func (x *Texting) Batches(ctx context.Context, a Asker, f Filter) (BatchesView, error) {
	filter := ledger.BatchFilter{UserID: a.scope(), State: f.State, Source: f.Source, Query: f.Query}
	if number, err := compose.E164(f.Query, a.Tenant.Country); err == nil {
		filter.Number = number
		if filter.NumberKey, err = x.store.Tenants.NumberKey(ctx, a.Tenant.ID, number); err != nil {
			return BatchesView{}, err
		}
	}
	list, err := x.store.Batches.List(ctx, a.Tenant.ID, filter, f.Cursor, batchesPage+1)
	if err != nil {
		return BatchesView{}, err
	}
	var next *string
	if len(list) > batchesPage {
		list = list[:batchesPage]
		next = &list[batchesPage-1].ID
	}
	views, err := x.views(ctx, a, list)
	if err != nil {
		return BatchesView{}, err
	}
	return BatchesView{Batches: views, Next: next}, nil
}

// states are the stored states behind a state that people see.
func states(state string) ([]string, error) {
	switch state {
	case "":
		return nil, nil
	case ledger.Queued:
		return []string{ledger.Queued, ledger.Waiting}, nil
	}
	known := []string{ledger.Sending, ledger.Sent, ledger.Delivered, ledger.Undelivered, ledger.Failed, ledger.Uncertain,
		ledger.Held, ledger.Cancelled, ledger.Skipped}
	if !slices.Contains(known, state) {
		return nil, &Problem{Code: "bad_request", Message: "There is no such state.", Details: map[string]any{"field": "state"}}
	}
	return []string{state}, nil
}

// Messages pages a batch's messages; state "" is all. Those of a scheduled bulk are foretold.
func (x *Texting) Messages(ctx context.Context, a Asker, id, state, cursor string) (MessagesView, error) {
	b, err := x.store.Batches.Get(ctx, a.Tenant.ID, a.scope(), id)
	if err != nil {
		return MessagesView{}, found(err)
	}
	want, err := states(state)
	if err != nil {
		return MessagesView{}, err
	}
	if b.State == ledger.BatchScheduled && b.Source == ledger.SourceBulk {
		return x.foretold(ctx, a, b, state, cursor)
	}
	list, err := x.store.Messages.List(ctx, a.Tenant.ID, id, want, cursor, messagesPage+1)
	if err != nil {
		return MessagesView{}, err
	}
	v := MessagesView{Messages: []MessageView{}}
	if len(list) > messagesPage {
		list = list[:messagesPage]
		v.Next = &list[messagesPage-1].ID
	}
	for _, m := range list {
		v.Messages = append(v.Messages, messageView(m))
	}
	return v, nil
}

// foretold pages who would get a scheduled bulk if it began now, as the CRM has them. There are no messages yet, and so
// no ids; whoever is to be left out is named by the record.
func (x *Texting) foretold(ctx context.Context, a Asker, b ledger.Batch, state, cursor string) (MessagesView, error) {
	w, err := wishOf(a.Tenant, b)
	if err != nil {
		return MessagesView{}, textProblem(err)
	}
	if _, _, err := w.query(cursor); err != nil {
		return MessagesView{}, &Problem{Code: "bad_request", Message: "There is no such page.", Err: err, Details: map[string]any{"field": "cursor"}}
	}
	p, err := x.recipients(ctx, w, cursor)
	if err != nil {
		return MessagesView{}, err
	}
	twins{}.leaveOut(p.recipients)
	v := MessagesView{Messages: []MessageView{}, Next: optional(p.next)}
	for _, r := range p.recipients {
		m := MessageView{RecordID: r.recordID, Name: r.name, Deal: r.deal, To: r.number, Display: display(r.number), Text: r.text, State: ledger.Queued}
		if r.code != "" {
			m.State, m.ErrorCode, m.ErrorText, m.Text = ledger.Skipped, r.code, r.reason, ""
		}
		if state == "" || state == m.State {
			v.Messages = append(v.Messages, m)
		}
	}
	return v, nil
}

// Report writes a batch's messages as CSV (RFC 4180, UTF-8 with a byte order mark, which spreadsheets ask for).
func (x *Texting) Report(ctx context.Context, a Asker, id, state string, w io.Writer) error {
	if _, err := x.store.Batches.Get(ctx, a.Tenant.ID, a.scope(), id); err != nil {
		return found(err)
	}
	want, err := states(state)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write([]string{"Name", "To", "State", "Reason", "Code", "Sent at (UTC)", "Text", "Record", "Message id", "Deal"}); err != nil {
		return err
	}
	for after := ""; ; {
		list, err := x.store.Messages.List(ctx, a.Tenant.ID, id, want, after, 1000)
		if err != nil {
			return err
		}
		for _, m := range list {
			if err := out.Write(reportRow(m)); err != nil {
				return err
			}
			after = m.ID
		}
		if out.Flush(); out.Error() != nil || len(list) < 1000 {
			return out.Error()
		}
	}
}

func reportRow(m ledger.Message) []string {
	sent := ""
	if m.SentAt != nil {
		sent = m.SentAt.UTC().Format(time.RFC3339)
	}
	row := []string{m.Name, numberOf(m), publicState(m.State), m.ErrorText, m.ErrorCode, sent, m.Text, m.RecordID, m.ID, m.Deal}
	for i := range row {
		row[i] = harmless(row[i])
	}
	return row
}

// harmless keeps a spreadsheet from reading a cell as a formula (OWASP, CSV injection). A number's + is such a
// beginning too.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(cell)[0]) {
		return "'" + cell
	}
	return cell
}
