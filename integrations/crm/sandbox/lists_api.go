package sandbox

import (
	"encoding/json"
	"strings"

	"dialpad-texting/integrations/crm"
)

const defaultPageSize = 100

func (s *contractAPI) pageSize() int {
	if s.opts.PageSize > 0 {
		return s.opts.PageSize
	}
	return defaultPageSize
}

func (s *contractAPI) listFields(_ *tenant, call crm.Call, _ string) (any, error) {
	var q struct {
		Module string `json:"module"`
	}
	if err := json.Unmarshal(call.Data, &q); err != nil || (q.Module != crm.ModuleContact && q.Module != crm.ModuleDeal) {
		return nil, badRequest("data.module is neither contact nor deal")
	}
	var phones []crm.PhoneField
	for _, n := range (&person{}).numbers() {
		phones = append(phones, crm.PhoneField{Key: n.Key, Label: n.Label})
	}
	return map[string]any{"fields": mergeFieldList, "phones": phones}, nil
}

func (s *contractAPI) listTemplates(t *tenant, call crm.Call, _ string) (any, error) {
	var q struct {
		UserID idIn   `json:"user_id"`
		Q      string `json:"q"`
		Cursor idIn   `json:"cursor"`
	}
	if err := json.Unmarshal(call.Data, &q); err != nil {
		return nil, badRequest("data cannot be read")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t.user(string(q.UserID)) == nil {
		return nil, badRequest("data.user_id is nobody here")
	}
	var match []textTemplate
	for _, tpl := range t.templates {
		if containsWords(q.Q, tpl.Name, tpl.Folder, tpl.Body) {
			match = append(match, tpl)
		}
	}
	from, err := parseCursor(string(q.Cursor), len(match))
	if err != nil {
		return nil, err
	}
	to := min(from+s.pageSize(), len(match))
	page := append([]textTemplate{}, match[from:to]...)
	return map[string]any{"templates": page, "next": s.nextCursor(to, len(match))}, nil
}

func (s *contractAPI) listUsers(t *tenant, call crm.Call, _ string) (any, error) {
	var q struct {
		Cursor idIn `json:"cursor"`
	}
	if err := json.Unmarshal(call.Data, &q); err != nil {
		return nil, badRequest("data cannot be read")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	from, err := parseCursor(string(q.Cursor), len(t.users))
	if err != nil {
		return nil, err
	}
	to := min(from+s.pageSize(), len(t.users))
	page := []any{}
	for _, u := range t.users[from:to] {
		page = append(page, map[string]any{"id": s.jsonID(u.id), "name": u.name(), "email": u.email, "active": !u.inactive})
	}
	return map[string]any{"users": page, "next": s.nextCursor(to, len(t.users))}, nil
}

// containsWords reports whether each word of q is in one of the texts,
// in any case.
func containsWords(q string, texts ...string) bool {
	all := strings.ToLower(strings.Join(texts, "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(q)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}
