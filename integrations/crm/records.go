package crm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
)

// Modules whose records can be texted.
const (
	ModuleContact = "contact"
	ModuleDeal    = "deal"
)

// MaxRecordIDs is the most ids in a launch token or a records.resolve.
const MaxRecordIDs = 200

// ResolveQuery asks for records that UserID may see: by IDs or by
// Selection, page by page.
type ResolveQuery struct {
	UserID    string
	Module    string   // ModuleContact or ModuleDeal
	IDs       []string // at most MaxRecordIDs
	Selection string
	Cursor    string
	Limit     int // 1 to 200; 0: 200
}

// Records is one page of records.
type Records struct {
	Records   []Record
	Missing   []string // ids that do not exist (any more), of a selection too
	Forbidden []string // ids that the user may not see, of a selection too
	Next      string   // cursor; "" on the last page
}

// Record is one contact or deal.
type Record struct {
	Module    string
	ID        string
	Name      string
	ContactID string // of a deal: its primary contact; may be ""

	// Fields holds merge fields of all modules by "Module.fieldName".
	// User.* is the asking user.
	Fields map[string]string

	// Phones holds numbers as the CRM has them, by phone field; "" for
	// none. A deal's are its primary contact's.
	Phones map[string]string

	OptedOut bool
	TimeZone string // IANA name
	Owner    string // CRM user id
}

type resolveData struct {
	Tenant    Tenant   `json:"tenant"`
	UserID    string   `json:"user_id"`
	Module    string   `json:"module"`
	IDs       []string `json:"ids,omitempty"`
	Selection string   `json:"selection,omitempty"`
	Cursor    *string  `json:"cursor"`
	Limit     int      `json:"limit"`
}

type recordJSON struct {
	Module    string          `json:"module"`
	ID        id              `json:"id"`
	Name      text            `json:"name"`
	ContactID id              `json:"contact_id"`
	Fields    map[string]text `json:"fields"`
	Phones    map[string]text `json:"phones"`
	OptedOut  optedOut        `json:"opted_out"`
	TimeZone  text            `json:"time_zone"`
	Owner     id              `json:"owner"`
}

type recordsJSON struct {
	Records   []recordJSON `json:"records"`
	Missing   []id         `json:"missing"`
	Forbidden []id         `json:"forbidden"`
	Next      id           `json:"next"`
}

// ResolveRecords returns one page of records (records.resolve). Ids
// that a complete answer leaves out are Missing. An answer with other
// records, or with the same cursor again, is Garbage.
func (c *Client) ResolveRecords(ctx context.Context, t Tenant, q ResolveQuery) (Records, error) {
	if q.Limit <= 0 || q.Limit > MaxRecordIDs {
		q.Limit = MaxRecordIDs
	}
	if err := q.check(); err != nil {
		return Records{}, &Error{Kind: Refused, Type: CallRecords, Err: err}
	}
	var answer recordsJSON
	err := c.read(ctx, t, CallRecords, "records", resolveData{
		Tenant: t, UserID: q.UserID, Module: q.Module, IDs: q.IDs, Selection: q.Selection,
		Cursor: nullable(q.Cursor), Limit: q.Limit,
	}, &answer)
	if err != nil {
		return Records{}, err
	}
	records, err := answer.records(q)
	if err != nil {
		return Records{}, garbage(CallRecords, http.StatusOK, err)
	}
	return records, nil
}

func (q ResolveQuery) check() error {
	if (len(q.IDs) == 0) == (q.Selection == "") {
		return errors.New("either ids or a selection")
	}
	if len(q.IDs) > MaxRecordIDs {
		return fmt.Errorf("more than %d ids", MaxRecordIDs)
	}
	return nil
}

// records checks the answer against the query.
func (a recordsJSON) records(q ResolveQuery) (Records, error) {
	out := Records{Missing: idStrings(a.Missing), Forbidden: idStrings(a.Forbidden), Next: string(a.Next)}
	if out.Next != "" && out.Next == q.Cursor {
		return Records{}, errRepeatedCursor
	}
	if len(a.Records) > q.Limit {
		return Records{}, errors.New("more records than requested")
	}
	seen := map[string]bool{}
	for _, r := range a.Records {
		rec := r.record()
		if rec.ID == "" || rec.Module != q.Module || seen[rec.ID] || !q.includes(rec.ID) {
			return Records{}, errors.New("a record that was not requested")
		}
		seen[rec.ID] = true
		out.Records = append(out.Records, rec)
	}
	for _, id := range slices.Concat(out.Missing, out.Forbidden) {
		if !q.includes(id) {
			return Records{}, errors.New("missing or forbidden has an id that was not requested")
		}
		seen[id] = true
	}
	if out.Next == "" && q.Cursor == "" {
		out.addUnmentioned(q.IDs, seen)
	}
	return out, nil
}

// includes reports whether a query by ids has this one. A selection may
// have any.
func (q ResolveQuery) includes(id string) bool { return len(q.IDs) == 0 || slices.Contains(q.IDs, id) }

// addUnmentioned adds to Missing each id that a complete answer leaves
// out.
func (r *Records) addUnmentioned(ids []string, seen map[string]bool) {
	for _, id := range ids {
		if !seen[id] {
			r.Missing = append(r.Missing, id)
			seen[id] = true
		}
	}
}

func (r recordJSON) record() Record {
	return Record{
		Module: r.Module, ID: string(r.ID), Name: string(r.Name), ContactID: string(r.ContactID),
		Fields: textStrings(r.Fields), Phones: textStrings(r.Phones), OptedOut: bool(r.OptedOut),
		TimeZone: string(r.TimeZone), Owner: string(r.Owner),
	}
}

func textStrings(m map[string]text) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = string(v)
	}
	return out
}

// nullable returns nil for "": the contract writes null.
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
