package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// ResolveQuery asks for records of Module (ModuleContact, ModuleDeal) as UserID
// may see them: by IDs (up to 200) or by Selection, page by page. Limit is 1 to
// 200; 0 means 200.
type ResolveQuery struct {
	UserID    string
	Module    string
	IDs       []string
	Selection string
	Cursor    string
	Limit     int
}

// Records is one page of an answer. Missing are asked ids that do not exist
// (any more), Forbidden those the user may not see; with a selection either may
// name ids too. Next is the cursor of the next page, "" on the last.
type Records struct {
	Records   []Record
	Missing   []string
	Forbidden []string
	Next      string
}

// Record is one person or deal. Fields holds the merge fields of all modules
// by "Module.fieldName" (User.* is the asking user). Phones holds numbers as the
// CRM keeps them, by phone field, "" where there is none; a deal's are its
// primary contact's. Owner is a CRM user id.
type Record struct {
	Module    string
	ID        string
	Name      string
	ContactID string
	Fields    map[string]string
	Phones    map[string]string
	OptedOut  bool
	TimeZone  string
	Owner     string
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

// text is the value of a field: whatever scalar the CRM keeps there, or a list
// of them (a multiple choice), as a person would write it. An object is no text,
// and one such field must not keep a whole page of people from being read: it
// counts as empty.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		*t = ""
		return nil
	}
	if len(b) == 0 || b[0] != '[' {
		s, err := scalar(b)
		*t = text(s)
		return err
	}
	var list []text
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = string(v)
	}
	*t = text(strings.Join(parts, ", "))
	return nil
}

// optedOut is whether somebody does not want texts. What is not plainly a no is
// a yes: a text too few does no harm.
type optedOut bool

func (o *optedOut) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `" `)) {
	case "false", "null", "0", "no", "":
		*o = false
	default:
		*o = true
	}
	return nil
}

// ResolveRecords reads one page of records (records.resolve). Asked ids that
// a whole answer says nothing about are Missing; an answer with records nobody
// asked for, or with the cursor it was asked with, is Garbage.
func (c *Client) ResolveRecords(ctx context.Context, t Tenant, q ResolveQuery) (Records, error) {
	if q.Limit <= 0 || q.Limit > MaxRecordIDs {
		q.Limit = MaxRecordIDs
	}
	if err := q.check(); err != nil {
		return Records{}, &Error{Kind: Refused, Type: CallRecords, Err: err}
	}
	var answer recordsJSON
	err := c.read(ctx, t, CallRecords, "records", resolveData{
		Tenant: t, UserID: q.UserID, Module: q.Module, IDs: q.IDs, Selection: q.Selection, Cursor: nullable(q.Cursor), Limit: q.Limit,
	}, &answer)
	if err != nil {
		return Records{}, err
	}
	records, err := answer.records(q)
	if err != nil {
		return Records{}, &Error{Kind: Garbage, Type: CallRecords, Status: 200, Err: err}
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

func (a recordsJSON) records(q ResolveQuery) (Records, error) {
	asked := make(map[string]bool, len(q.IDs))
	for _, id := range q.IDs {
		asked[id] = true
	}
	out := Records{Missing: plain(a.Missing), Forbidden: plain(a.Forbidden), Next: string(a.Next)}
	if out.Next != "" && out.Next == q.Cursor {
		return Records{}, errors.New("next is the cursor that was asked with")
	}
	if len(a.Records) > q.Limit {
		return Records{}, errors.New("more records than asked for")
	}
	seen := map[string]bool{}
	for _, r := range a.Records {
		rec := r.record()
		if rec.ID == "" || rec.Module != q.Module || seen[rec.ID] || (len(asked) > 0 && !asked[rec.ID]) {
			return Records{}, errors.New("a record that was not asked for")
		}
		seen[rec.ID] = true
		out.Records = append(out.Records, rec)
	}
	return out, out.account(q, seen)
}

// account sees to it that every asked id is somewhere in a whole answer.
func (r *Records) account(q ResolveQuery, seen map[string]bool) error {
	asked := map[string]bool{}
	for _, id := range q.IDs {
		asked[id] = true
	}
	for _, list := range [][]string{r.Missing, r.Forbidden} {
		for _, id := range list {
			if len(asked) > 0 && !asked[id] {
				return errors.New("missing or forbidden names an id that was not asked for")
			}
			seen[id] = true
		}
	}
	if r.Next != "" || q.Cursor != "" {
		return nil
	}
	for _, id := range q.IDs {
		if !seen[id] {
			r.Missing = append(r.Missing, id)
			seen[id] = true
		}
	}
	return nil
}

func (r recordJSON) record() Record {
	return Record{
		Module: r.Module, ID: string(r.ID), Name: string(r.Name), ContactID: string(r.ContactID),
		Fields: texts(r.Fields), Phones: texts(r.Phones), OptedOut: bool(r.OptedOut), TimeZone: string(r.TimeZone), Owner: string(r.Owner),
	}
}

func texts(m map[string]text) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = string(v)
	}
	return out
}

// nullable is how the contract writes "none".
func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
