package sandbox

import (
	"encoding/json"
	"strconv"

	"dialpad-texting/integrations/crm"
)

// ref is an id in an incoming body: the sandbox takes both shapes too.
type ref string

func (i *ref) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*i = ref(s) // null leaves it empty
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	*i = ref(n)
	return nil
}

type resolveCall struct {
	UserID    ref    `json:"user_id"`
	Module    string `json:"module"`
	IDs       []ref  `json:"ids"`
	Selection ref    `json:"selection"`
	Cursor    ref    `json:"cursor"`
	Limit     int    `json:"limit"`
}

func (s *Sandbox) resolveRecords(t *tenant, call crm.Call, _ string) (any, error) {
	var q resolveCall
	if err := json.Unmarshal(call.Data, &q); err != nil {
		return nil, refuse("data cannot be read")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	asked, err := t.asked(q)
	if err != nil {
		return nil, err
	}
	from, err := offset(string(q.Cursor), len(asked))
	if err != nil {
		return nil, err
	}
	to := min(from+q.Limit, len(asked))
	u := t.user(string(q.UserID))
	records, missing, forbidden := []any{}, []string{}, []string{}
	for _, id := range asked[from:to] {
		switch rec, state := s.resolve(t, q.Module, id, u); state {
		case found:
			records = append(records, rec)
		case hiddenFrom:
			forbidden = append(forbidden, id)
		default:
			missing = append(missing, id)
		}
	}
	return map[string]any{
		"records": records, "missing": s.wireIDs(missing), "forbidden": s.wireIDs(forbidden), "next": s.nextCursor(to, len(asked)),
	}, nil
}

// asked are the ids a call is about, all pages.
func (t *tenant) asked(q resolveCall) ([]string, error) {
	switch {
	case q.Module != crm.ModuleContact && q.Module != crm.ModuleDeal:
		return nil, refuse("data.module is neither contact nor deal")
	case q.Limit < 1 || q.Limit > crm.MaxRecordIDs:
		return nil, refuse("data.limit is not 1 to 200")
	case len(q.IDs) > crm.MaxRecordIDs:
		return nil, refuse("data.ids are over 200")
	case (len(q.IDs) > 0) == (q.Selection != ""):
		return nil, refuse("data holds either ids or a selection")
	case t.user(string(q.UserID)) == nil:
		return nil, refuse("data.user_id is nobody here")
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
		return nil, refuse("data.selection is not known")
	}
	return sel.ids, nil
}

const (
	gone = iota
	found
	hiddenFrom
)

func (s *Sandbox) resolve(t *tenant, module, id string, u *user) (any, int) {
	var d *deal
	contactID := id
	if module == crm.ModuleDeal {
		if d = t.dealByID[id]; d == nil {
			return nil, gone
		}
		contactID = d.contact
	} else {
		d = t.dealOf[id]
	}
	p := t.personByID[contactID]
	if p == nil && module == crm.ModuleContact {
		return nil, gone
	}
	if p != nil && !mayUse(u, p.owner, p.private) {
		return nil, hiddenFrom
	}
	return s.recordJSON(t, module, id, p, d, u), found
}

func (s *Sandbox) recordJSON(t *tenant, module, id string, p *person, d *deal, u *user) any {
	rec := map[string]any{
		"module": module, "id": s.wireID(id), "fields": mergeFields(p, d, u), "contact_id": nil,
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
		rec["name"], rec["owner"], rec["contact_id"] = p.name(), s.wireID(p.owner), s.wireID(p.id)
		rec["phones"], rec["opted_out"], rec["time_zone"] = phones, t.isOptedOut(p), p.zone
	}
	if module == crm.ModuleDeal {
		rec["name"], rec["owner"] = d.title, s.wireID(d.owner)
	}
	return rec
}

// offset reads a cursor, which here is how many came before.
func offset(cursor string, n int) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	at, err := strconv.Atoi(cursor)
	if err != nil || at < 0 || at > n {
		return 0, refuse("data.cursor is not ours")
	}
	return at, nil
}

func (s *Sandbox) nextCursor(to, n int) any {
	if to >= n {
		return nil
	}
	return s.wireID(strconv.Itoa(to))
}
