package texting

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"

	"dialpad-texting/app/compose"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// pageSize is how many records one question to the CRM names.
const pageSize = 200

// Reasons for leaving a recipient out.
const (
	codeOptedOut  = "opted_out"
	codeDuplicate = "duplicate"
	codeMissing   = "missing"
	codeForbidden = "forbidden"
	codeRefused   = "record_refused"
	codeLeftOut   = "left_out"

	wordsOptedOut   = "Unsubscribed from Text"
	wordsMissing    = "The record no longer exists"
	wordsForbidden  = "You may not see this record"
	wordsRefused    = "Salesmate does not give these records"
	wordsUnreadable = "Salesmate gives these records in a form that can't be read"
	wordsLeftOut    = "Left out while the texts waited"
)

// wish is what is to be texted to whom: the part of a batch that decides recipients and texts.
type wish struct {
	tenant    models.Tenant
	userID    string
	source    string
	module    string
	recordIDs []string
	selection string
	excluded  map[string]bool
	toNumber  string // one to one, as clicked
	toField   string
	template  compose.Template
}

func wishOf(t models.Tenant, b ledger.Batch) (wish, error) {
	tpl, err := compose.Parse(b.Message)
	return wish{tenant: t, userID: b.UserID, source: b.Source, module: b.Module, recordIDs: b.RecordIDs, selection: b.Selection,
		excluded: idSet(b.Excluded), toNumber: b.ToNumber, toField: b.ToField, template: tpl}, err
}

// recipient is a person chosen, with the text that would go out, or the reason why none will.
type recipient struct {
	recordID, contactID, dealID string
	name, deal                  string // the person, and the title of the deal that names them
	number, key                 string // E.164 and its keyed hash
	text                        string
	timeZone                    string
	segments                    compose.Segments
	code, reason, field         string // why left out
	record                      crm.Record
}

func (r *recipient) leaveOut(code, reason string) { r.code, r.reason = code, reason }

// page is one page of recipients; next is the cursor of the following one, "" on the last.
type page struct {
	recipients []recipient
	next       string
}

// recipients reads one page from the CRM and decides for each person: number, opt-out, text. Duplicates within the
// batch are the caller's to find, since they span pages.
func (x *Texting) recipients(ctx context.Context, w wish, cursor string) (page, error) {
	q, next, err := w.query(cursor)
	if err != nil {
		return page{}, err
	}
	records, err := x.resolve(ctx, w.tenant, q)
	if err != nil {
		return page{}, recordsProblem(err)
	}
	p := page{next: firstOf(records.Next, next)}
	for _, id := range records.Missing {
		p.recipients = append(p.recipients, recipient{recordID: id, code: codeMissing, reason: wordsMissing})
	}
	for _, id := range records.Forbidden {
		p.recipients = append(p.recipients, recipient{recordID: id, code: codeForbidden, reason: wordsForbidden})
	}
	for _, r := range records.Records {
		p.recipients = append(p.recipients, w.recipient(r))
	}
	if err := x.leaveOutSuppressed(ctx, w, p.recipients); err != nil {
		return page{}, err
	}
	for i := range p.recipients {
		if r := &p.recipients[i]; w.excluded[r.recordID] {
			r.leaveOut(codeLeftOut, wordsLeftOut)
		}
	}
	return p, nil
}

// query is the question for a cursor of ours, and the cursor after it. A list of ids is cut into pages ("ids:400:"); of a
// selection the cursors are the CRM's.
func (w wish) query(cursor string) (q crm.ResolveQuery, next string, err error) {
	q = crm.ResolveQuery{UserID: w.userID, Module: w.module, Limit: pageSize}
	if w.selection != "" {
		q.Selection, q.Cursor = w.selection, cursor
		return q, "", nil
	}
	at := 0
	if cursor != "" {
		_, err = fmt.Sscanf(cursor, "ids:%d:", &at)
	}
	if err != nil || at < 0 || at >= len(w.recordIDs) {
		return q, "", fmt.Errorf("cursor %q of a list of %d ids", cursor, len(w.recordIDs))
	}
	end := min(at+pageSize, len(w.recordIDs))
	if q.IDs = w.recordIDs[at:end]; end < len(w.recordIDs) {
		next = fmt.Sprintf("ids:%d:", end)
	}
	return q, next, nil
}

func (w wish) recipient(r crm.Record) recipient {
	out := recipient{recordID: r.ID, contactID: r.ContactID, timeZone: r.TimeZone, record: r}
	out.name, out.deal = whoIs(r)
	if w.module == "deal" {
		out.dealID = r.ID
	} else if out.contactID == "" {
		out.contactID = r.ID
	}
	raw := w.toNumber
	if raw == "" {
		raw = r.Phones[w.toField]
	}
	number, err := compose.E164(raw, w.tenant.Country)
	if err != nil {
		out.explain(err)
		return out
	}
	if out.number = number; out.timeZone == "" {
		out.timeZone = compose.TimeZone(number)
	}
	if r.OptedOut {
		out.leaveOut(codeOptedOut, wordsOptedOut)
		return out
	}
	if out.text, err = w.render(r); err != nil {
		out.explain(err)
		return out
	}
	out.segments = compose.Count(out.text)
	return out
}

// whoIs names the person of a record, and the deal that it is. The CRM names a deal by its title; the person stands in the
// contact's fields, where the deal has one.
func whoIs(r crm.Record) (name, deal string) {
	if r.Module != crm.ModuleDeal {
		return r.Name, ""
	}
	name = strings.TrimSpace(r.Fields["Contact.firstName"] + " " + r.Fields["Contact.lastName"])
	if name = firstOf(name, r.Fields["Contact.name"]); name == "" {
		return r.Name, ""
	}
	return name, r.Name
}

// render fills the text in; bulks end with the tenant's opt-out line.
func (w wish) render(r crm.Record) (string, error) {
	text, err := w.template.Render(r.Fields)
	if err != nil || w.source != ledger.SourceBulk || w.tenant.OptOutLine == "" {
		return text, err
	}
	line, err := compose.Parse(text + "\n" + w.tenant.OptOutLine)
	if err != nil {
		return "", err
	}
	return line.Render(r.Fields)
}

func (r *recipient) explain(err error) {
	var reason compose.Reason
	if errors.As(err, &reason) {
		r.leaveOut(reason.Code(), reason.Sentence())
	} else {
		r.leaveOut("template_invalid", "The text can't be filled in for this person")
	}
	var empty *compose.EmptyFieldError
	if errors.As(err, &empty) {
		r.field = empty.Field
	}
}

// leaveOutSuppressed leaves out who opted out on any of the sides we know; the strictest wins.
func (x *Texting) leaveOutSuppressed(ctx context.Context, w wish, list []recipient) error {
	keys := make([]string, 0, len(list))
	for i := range list {
		r := &list[i]
		if r.number == "" {
			continue
		}
		key, err := x.store.Tenants.NumberKey(ctx, w.tenant.ID, r.number)
		if err != nil {
			return err
		}
		r.key = key
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil
	}
	suppressed, err := x.store.Suppressions.Keys(ctx, w.tenant.ID, keys)
	if err != nil {
		return err
	}
	for i := range list {
		if r := &list[i]; r.key != "" && suppressed[r.key] {
			r.leaveOut(codeOptedOut, wordsOptedOut)
		}
	}
	return nil
}

// twins are the numbers that a batch texts already, hashed, and whose they are: a hundred thousand fit into a few MB.
type twins map[uint64]string

var twinSeed = maphash.MakeSeed()

// leaveOut leaves out everyone whose number another recipient has, and names that one.
func (t twins) leaveOut(list []recipient) {
	for i := range list {
		r := &list[i]
		if r.code != "" {
			continue
		}
		h := maphash.String(twinSeed, r.number)
		if other, twin := t[h]; twin {
			r.leaveOut(codeDuplicate, sameNumber(other))
			continue
		}
		t[h] = whose(r.name, r.deal)
	}
}

// whose names a recipient where other deals of the same person may stand beside it.
func whose(name, deal string) string {
	if deal == "" {
		return name
	}
	return name + " (" + deal + ")"
}

func sameNumber(whose string) string {
	if whose == "" {
		return "Same number as another recipient"
	}
	return "Same number as " + whose
}
