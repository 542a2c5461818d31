package sandbox

import (
	"encoding/json"
	"strconv"

	"dialpad-texting/integrations/crm"
)

// idIn is an id in the body of a call: a string or a number.
type idIn string

func (i *idIn) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*i = idIn(s) // null leaves it empty
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*i = idIn(n)
	return nil
}

type resolveCall struct {
	UserID    idIn   `json:"user_id"`
	Module    string `json:"module"`
	IDs       []idIn `json:"ids"`
	Selection idIn   `json:"selection"`
	Cursor    idIn   `json:"cursor"`
	Limit     int    `json:"limit"`
}

func (s *contractAPI) resolveRecords(t *tenant, call crm.Call, _ string) (any, error) {
	var q resolveCall
	if err := json.Unmarshal(call.Data, &q); err != nil {
		return nil, badRequest("data cannot be read")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	ids, err := t.idsOf(q)
	if err != nil {
		return nil, err
	}
	from, err := parseCursor(string(q.Cursor), len(ids))
	if err != nil {
		return nil, err
	}
	to := min(from+q.Limit, len(ids))
	u := t.user(string(q.UserID))
	records, missing, forbidden := []any{}, []string{}, []string{}
	for _, id := range ids[from:to] {
		switch rec, state := s.resolve(t, q.Module, id, u); state {
		case recordFound:
			records = append(records, rec)
		case recordForbidden:
			forbidden = append(forbidden, id)
		default:
			missing = append(missing, id)
		}
	}
	return map[string]any{
		"records": records, "missing": s.jsonIDs(missing), "forbidden": s.jsonIDs(forbidden), "next": s.nextCursor(to, len(ids)),
	}, nil
}

// idsOf returns the ids of a call, of all its pages.
func (t *tenant) idsOf(q resolveCall) ([]string, error) {
	switch {
	case q.Module != crm.ModuleContact && q.Module != crm.ModuleDeal:
		return nil, badRequest("data.module is neither contact nor deal")
	case q.Limit < 1 || q.Limit > crm.MaxRecordIDs:
		return nil, badRequest("data.limit is not 1 to 200")
	case len(q.IDs) > crm.MaxRecordIDs:
		return nil, badRequest("data.ids are over 200")
	case (len(q.IDs) > 0) == (q.Selection != ""):
		return nil, badRequest("data holds either ids or a selection")
	case t.user(string(q.UserID)) == nil:
		return nil, badRequest("data.user_id is nobody here")
	}
	if q.Selection == "" {
		ids := make([]string, len(q.IDs))
		for i, id := range q.IDs {
			ids[i] = string(id)
		}
		return ids, nil
	}
	sel, ok := t.selections[string(q.Selection)]
	if !ok || sel.module != q.Module {
		return nil, badRequest("data.selection is not known")
	}
	return sel.ids, nil
}

type recordState int

const (
	recordMissing recordState = iota
	recordFound
	recordForbidden
)

func (s *contractAPI) resolve(t *tenant, module, id string, u *user) (any, recordState) {
	var d *deal
	contactID := id
	if module == crm.ModuleDeal {
		if d = t.dealByID[id]; d == nil {
			return nil, recordMissing
		}
		contactID = d.contact
	} else {
		d = t.dealOf[id]
	}
	p := t.personByID[contactID]
	if p == nil && module == crm.ModuleContact {
		return nil, recordMissing
	}
	if p != nil && !canSee(u, p.owner, p.private) {
		return nil, recordForbidden
	}
	rec := s.recordJSON(t, module, id, p, d, u)
	for field, raw := range t.oddValues[id] {
		rec[field] = raw
	}
	return rec, recordFound
}

func (s *contractAPI) recordJSON(t *tenant, module, id string, p *person, d *deal, u *user) map[string]any {
	rec := map[string]any{
		"module": module, "id": s.jsonID(id), "fields": mergeFields(p, d, u), "contact_id": nil,
		"phones": map[string]any{}, "opted_out": false, "time_zone": t.timeZone, "owner": nil,
	}
	if p != nil {
		phones := map[string]any{}
		for _, n := range p.numbers() {
			phones[n.Key] = nil
			if n.Number != "" {
				phones[n.Key] = n.Number
			}
		}
		rec["name"], rec["owner"], rec["contact_id"] = p.name(), s.jsonID(p.owner), s.jsonID(p.id)
		rec["phones"], rec["opted_out"], rec["time_zone"] = phones, t.isOptedOut(p), p.zone
	}
	if module == crm.ModuleDeal {
		rec["name"], rec["owner"] = d.title, s.jsonID(d.owner)
	}
	return rec
}

// parseCursor returns how many items come before the page.
func parseCursor(cursor string, n int) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	at, err := strconv.Atoi(cursor)
	if err != nil || at < 0 || at > n {
		return 0, badRequest("data.cursor is not ours")
	}
	return at, nil
}

func (s *contractAPI) nextCursor(to, n int) any {
	if to >= n {
		return nil
	}
	return s.jsonID(strconv.Itoa(to))
}
