package crm

import (
	"context"
	"encoding/json"
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
	Records    []Record
	Missing    []string // ids that do not exist (any more), of a selection too
	Forbidden  []string // ids that the user may not see, of a selection too
	Unreadable []UnreadableRecord
	Unnamed    int    // records that can't be read, their id included
	Next       string // cursor; "" on the last page
}

// UnreadableRecord is a record that the CRM gave in a form against the
// contract.
type UnreadableRecord struct {
	ID     string
	Fields []string // that can't be read, by path; none: the whole record
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

type recordsJSON struct {
	Records   []json.RawMessage `json:"records"`
	Missing   entries[id]       `json:"missing"`
	Forbidden entries[id]       `json:"forbidden"`
	Next      opaque            `json:"next"`
}

// ResolveRecords returns one page of records (records.resolve). Ids
// that a complete answer leaves out are Missing, or Unreadable if it has
// unnamed entries. An answer with other records, or with the same cursor
// again, is Garbage.
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
	out := Records{Missing: idStrings(a.Missing.list), Forbidden: idStrings(a.Forbidden.list), Next: string(a.Next),
		Unnamed: a.Missing.unreadable + a.Forbidden.unreadable}
	if out.Next != "" && out.Next == q.Cursor {
		return Records{}, errRepeatedCursor
	}
	if len(a.Records) > q.Limit {
		return Records{}, errors.New("more records than requested")
	}
	seen := map[string]bool{}
	for _, raw := range a.Records {
		rec, unreadable := readRecord(raw, q.Module)
		if rec.ID == "" {
			out.Unnamed++
			continue
		}
		if rec.Module != q.Module || seen[rec.ID] || !q.includes(rec.ID) {
			return Records{}, errors.New("a record that was not requested")
		}
		if seen[rec.ID] = true; len(unreadable) > 0 {
			out.Unreadable = append(out.Unreadable, UnreadableRecord{ID: rec.ID, Fields: unreadable})
			continue
		}
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

// addUnmentioned adds each id that a complete answer leaves out.
func (r *Records) addUnmentioned(ids []string, seen map[string]bool) {
	for _, id := range ids {
		if !seen[id] {
			r.AddUnmentioned(id)
			seen[id] = true
		}
	}
}

// AddUnmentioned adds an id that a complete answer leaves out: it does
// not exist, or it is an unnamed entry's.
func (r *Records) AddUnmentioned(id string) {
	if r.Unnamed > 0 {
		r.Unreadable = append(r.Unreadable, UnreadableRecord{ID: id})
	} else {
		r.Missing = append(r.Missing, id)
	}
}

// nullable returns nil for "": the contract writes null.
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
