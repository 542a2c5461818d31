package texting

import (
	"context"
	"errors"
	"fmt"

	"dialpad-texting/app/crmtenant"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// resolve asks the CRM for one page of records. It may cut its answer about a list of ids into pages of its own: those are
// read to their end, since only then it can be told which ids it said nothing about. They are missing, like those that it
// calls so.
func (x *Texting) resolve(ctx context.Context, t models.Tenant, q crm.ResolveQuery) (crm.Records, error) {
	answer, err := x.crm.ResolveRecords(ctx, crmtenant.Of(t), q)
	if err != nil || len(q.IDs) == 0 || answer.Next == "" {
		return answer, err
	}
	whole, left := crm.Records{}, idSet(q.IDs)
	for pages := 1; ; pages++ {
		gather(&whole, answer, left)
		if answer.Next == "" {
			break
		}
		if pages > len(q.IDs) {
			return whole, &crm.Error{Kind: crm.Garbage, Type: crm.CallRecords, Status: 200, Err: fmt.Errorf("more pages than the %d ids asked for", len(q.IDs))}
		}
		q.Cursor = answer.Next
		if answer, err = x.crm.ResolveRecords(ctx, crmtenant.Of(t), q); err != nil {
			return whole, err
		}
	}
	for _, id := range q.IDs {
		if left[id] {
			whole.Missing = append(whole.Missing, id)
		}
	}
	return whole, nil
}

// trail is the cursors that a walk through pages has come by: one that is named again leads in a circle.
type trail map[string]bool

func (t trail) check(next string) error {
	if t[next] {
		return recordsProblem(&crm.Error{Kind: crm.Garbage, Type: crm.CallRecords, Status: 200, Err: errors.New("the pages lead in a circle")})
	}
	return nil
}

// gather adds what an answer says of ids that are still left, and strikes them off.
func gather(whole *crm.Records, answer crm.Records, left map[string]bool) {
	for _, r := range answer.Records {
		if left[r.ID] {
			delete(left, r.ID)
			whole.Records = append(whole.Records, r)
		}
	}
	whole.Missing = append(whole.Missing, struck(answer.Missing, left)...)
	whole.Forbidden = append(whole.Forbidden, struck(answer.Forbidden, left)...)
}

func struck(ids []string, left map[string]bool) (out []string) {
	for _, id := range ids {
		if left[id] {
			delete(left, id)
			out = append(out, id)
		}
	}
	return out
}
