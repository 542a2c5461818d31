package audience

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"

	"dialpad-texting/app/compose"
	"dialpad-texting/app/optout"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/integrations/lenient"
	"dialpad-texting/models/ledger"
)

// Recipient is a person with the text that would go out, or the reason
// why none will.
type Recipient struct {
	RecordID, ContactID, DealID string
	Name, Deal                  string // the person, and the title of the deal that names them
	Owner                       string // the record's, a CRM user id
	Number, NumberKey           string // E.164 and its keyed hash
	TimeZone                    string // the record's, as the CRM writes it
	Text                        string
	Segments                    compose.Segments
	Code, Reason, Field         string // why excluded; Code is "" for who is not
	Written                     string // the number that can't be used, as the record has it
}

// Page is one page of recipients. Next is the cursor of the following
// one, "" on the last.
type Page struct {
	Recipients []Recipient
	Next       string
}

// recipients reads one page from the CRM and decides for each person:
// number, text, opt-out. Duplicates are the caller's to exclude, since
// they span pages.
func (x *Audience) recipients(ctx context.Context, s audienceSpec, cursor string) (Page, error) {
	return x.recipientsFrom(ctx, s, cursor, x.Records)
}

// recipientsFrom is recipients with the records of read.
func (x *Audience) recipientsFrom(ctx context.Context, s audienceSpec, cursor string, read readRecords) (Page, error) {
	q, next, err := s.query(cursor)
	if err != nil {
		return Page{}, err
	}
	records, err := read(ctx, s.tenant, q)
	if err != nil {
		return Page{}, recordsError(err)
	}
	p := Page{Next: cmp.Or(records.Next, next)}
	for _, id := range records.Missing {
		p.Recipients = append(p.Recipients, Recipient{RecordID: id, Code: CodeMissing, Reason: ReasonMissing})
	}
	for _, id := range records.Forbidden {
		p.Recipients = append(p.Recipients, Recipient{RecordID: id, Code: CodeForbidden, Reason: ReasonForbidden})
	}
	p.Recipients = append(p.Recipients, unreadableRecipients(records, cursor)...)
	for _, r := range records.Records {
		p.Recipients = append(p.Recipients, s.recipient(r))
	}
	if err := x.excludeSuppressed(ctx, s.tenant, s.source, p.Recipients); err != nil {
		return Page{}, err
	}
	s.excludeByName(p.Recipients)
	return p, nil
}

// unreadableRecipients returns who is left out since their record can't
// be read. One of a selection whose very id can't be read is named by
// its place, the same at each reading of the page.
func unreadableRecipients(records crm.Records, cursor string) (out []Recipient) {
	for _, r := range records.Unreadable {
		out = append(out, Recipient{RecordID: r.ID, Code: CodeUnreadable, Reason: unreadableReason(r.Fields)})
	}
	for i := range records.Unnamed {
		id := fmt.Sprintf("unreadable-%08x-%d", crc32.ChecksumIEEE([]byte(cursor)), i+1)
		out = append(out, Recipient{RecordID: id, Code: CodeUnreadable, Reason: reasonUnreadableRecord})
	}
	return out
}

// recipient decides for one record, all but what the database knows.
func (s audienceSpec) recipient(r crm.Record) Recipient {
	out := Recipient{RecordID: r.ID, ContactID: r.ContactID, Owner: r.Owner, TimeZone: r.TimeZone}
	out.Name, out.Deal = PersonOf(r)
	if s.module == crm.ModuleDeal {
		out.DealID = r.ID
	} else if out.ContactID == "" {
		out.ContactID = r.ID
	}
	var err error
	if out.Number, out.Written, err = s.number(r); err != nil {
		out.excludeFor(err)
		if s.module == crm.ModuleDeal && r.ContactID == "" && out.Written == "" {
			out.exclude(CodeNoContact, ReasonNoContact)
		}
		return out
	}
	if r.OptedOut {
		out.exclude(CodeOptedOut, optout.Message)
		return out
	}
	if out.Text, err = s.render(r); err != nil {
		out.excludeFor(err)
		return out
	}
	out.Segments = compose.Count(out.Text)
	return out
}

// number returns a record's number: as clicked, or of the phone field,
// or of the second one where the first has none that can be used. With
// an error it returns what stands in the field.
func (s audienceSpec) number(r crm.Record) (number, written string, err error) {
	written = cmp.Or(s.toNumber, r.Phones[s.toField])
	number, err = compose.E164(written, s.tenant.Country)
	if err == nil || s.elseField == "" {
		return number, written, err
	}
	other := r.Phones[s.elseField]
	if number, otherErr := compose.E164(other, s.tenant.Country); otherErr == nil {
		return number, other, nil
	}
	return "", cmp.Or(written, other), err
}

// PersonOf names the person of a record, and the deal if it is one. The
// CRM names a deal by its title; its person is in the contact's fields,
// if any.
func PersonOf(r crm.Record) (name, deal string) {
	if r.Module != crm.ModuleDeal {
		return r.Name, ""
	}
	name = lenient.Name(r.Fields["Contact.firstName"] + " " + r.Fields["Contact.lastName"])
	if name = cmp.Or(name, lenient.Name(r.Fields["Contact.name"])); name == "" {
		return r.Name, ""
	}
	return name, r.Name
}

// render fills the text in; bulks end with the tenant's opt-out line.
func (s audienceSpec) render(r crm.Record) (string, error) {
	text, err := s.template.Render(r.Fields)
	if err != nil || s.source != ledger.SourceBulk || s.tenant.OptOutLine == "" {
		return text, err
	}
	return compose.WithLine(text, s.tenant.OptOutLine)
}

// excludeFor excludes a recipient for an error of package compose.
func (r *Recipient) excludeFor(err error) {
	var reason compose.Reason
	if errors.As(err, &reason) {
		r.exclude(reason.Code(), reason.Sentence())
	} else {
		r.exclude("template_invalid", "The text can't be filled in for this person")
	}
	var empty *compose.EmptyFieldError
	if errors.As(err, &empty) {
		r.Field = empty.Field
	}
}

// checkText excludes a recipient whose text must not go out as it is,
// whatever it was made from.
func (r *Recipient) checkText() {
	if r.Code != "" {
		return
	}
	if err := compose.CheckOutgoing(r.Text); err != nil {
		r.excludeFor(err)
	}
}

func (r *Recipient) exclude(code, reason string) { r.Code, r.Reason = code, reason }
