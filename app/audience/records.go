package audience

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/crmtenant"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// pageSize is how many records one request to the CRM asks for.
const pageSize = 200

// query is the request for a cursor, and the cursor after it. A list of
// ids is cut into pages ("ids:400:"); the cursors of a selection are
// the CRM's.
func (s audienceSpec) query(cursor string) (q crm.ResolveQuery, next string, err error) {
	q = crm.ResolveQuery{UserID: s.userID, Module: s.module, Limit: pageSize}
	if s.selection != "" {
		q.Selection, q.Cursor = s.selection, cursor
		return q, "", nil
	}
	at := 0
	if cursor != "" {
		_, err = fmt.Sscanf(cursor, "ids:%d:", &at)
	}
	if err != nil || at < 0 || at >= len(s.recordIDs) {
		return q, "", fmt.Errorf("cursor %q of a list of %d ids", cursor, len(s.recordIDs))
	}
	end := min(at+pageSize, len(s.recordIDs))
	if q.IDs = s.recordIDs[at:end]; end < len(s.recordIDs) {
		next = fmt.Sprintf("ids:%d:", end)
	}
	return q, next, nil
}

// Records asks the CRM for one page of records. The CRM may cut its
// answer about a list of ids into pages of its own: these are read to
// the end, since only then it is known which ids it left out. They
// count as missing, or as unreadable after entries without an id.
func (x *Audience) Records(ctx context.Context, t models.Tenant, q crm.ResolveQuery) (crm.Records, error) {
	answer, err := x.crm.ResolveRecords(ctx, crmtenant.Of(t), q)
	if err != nil || len(q.IDs) == 0 {
		return answer, err
	}
	if answer.Next == "" {
		answer.Unnamed = 0 // the ids that it left out stand for them
		return answer, nil
	}
	all, pending := crm.Records{}, IDSet(q.IDs)
	for pages := 1; ; pages++ {
		merge(&all, answer, pending)
		if answer.Next == "" {
			break
		}
		if pages > len(q.IDs) {
			return all, unreadable(fmt.Errorf("more pages than the %d ids asked for", len(q.IDs)))
		}
		q.Cursor = answer.Next
		if answer, err = x.crm.ResolveRecords(ctx, crmtenant.Of(t), q); err != nil {
			return all, err
		}
	}
	for _, id := range q.IDs {
		if pending[id] {
			delete(pending, id)
			all.AddUnmentioned(id)
		}
	}
	all.Unnamed = 0 // these ids stand for them
	return all, nil
}

// merge adds what an answer says of pending ids, and removes them from
// pending.
func merge(all *crm.Records, answer crm.Records, pending map[string]bool) {
	for _, r := range answer.Records {
		if pending[r.ID] {
			delete(pending, r.ID)
			all.Records = append(all.Records, r)
		}
	}
	for _, r := range answer.Unreadable {
		if pending[r.ID] {
			delete(pending, r.ID)
			all.Unreadable = append(all.Unreadable, r)
		}
	}
	all.Unnamed += answer.Unnamed
	all.Missing = append(all.Missing, take(answer.Missing, pending)...)
	all.Forbidden = append(all.Forbidden, take(answer.Forbidden, pending)...)
}

// take returns the ids that are pending, and removes them from pending.
func take(ids []string, pending map[string]bool) (out []string) {
	for _, id := range ids {
		if pending[id] {
			delete(pending, id)
			out = append(out, id)
		}
	}
	return out
}

// cursorSet is the cursors of the pages read so far, hashed: a repeated one
// would loop for ever.
type cursorSet map[uint64]bool

func (s cursorSet) add(cursor string) { s[maphash.String(hashSeed, cursor)] = true }

// bytes is about what the set takes.
func (s cursorSet) bytes() int { return 32 * len(s) }

func (s cursorSet) check(next string) error {
	if s[maphash.String(hashSeed, next)] {
		return recordsError(unreadable(errors.New("the pages lead in a circle")))
	}
	return nil
}

func unreadable(err error) *crm.Error {
	return &crm.Error{Kind: crm.Garbage, Type: crm.CallRecords, Status: 200, Err: err}
}

// recordsError is for records that the CRM did not give. It may refuse
// them, as for a selection that it forgot: that is no outage.
func recordsError(err error) error {
	if crm.KindOf(err) == crm.Refused {
		return &apierror.Error{Code: codeRefused, Message: reasonRefused, Err: err}
	}
	return apierror.CRMUnreachable(err)
}
