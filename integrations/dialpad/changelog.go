package dialpad

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// ChangeLogEvent tells that something in the company's settings changed. Neither codes nor format are stable, and there
// is no event for a deactivated user: whatever names a user means "read that user again", never more.
// developers.dialpad.com/docs/change-log-events
type ChangeLogEvent struct {
	Date       time.Time
	Action     string // short code, not standardised
	TargetType string // lower case: user, office, …
	TargetID   string
	// UserIDs holds every id that may be a user's, wherever the event names it, the target first. Some will be ids of
	// other things: match them against the users that are known.
	UserIDs []string
}

func readChangeLog(raw json.RawMessage) *ChangeLogEvent {
	var j struct {
		Date   looseTime `json:"date"`
		Action looseText `json:"action"`
		Target party     `json:"target"`
	}
	_ = json.Unmarshal(raw, &j) // its fields can't fail, and raw is an object
	e := &ChangeLogEvent{
		Date: j.Date.Time, Action: string(j.Action),
		TargetType: strings.ToLower(string(j.Target.Type)), TargetID: string(j.Target.ID),
	}
	if e.TargetType == "user" && e.TargetID != "" {
		e.UserIDs = []string{e.TargetID}
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var tree any
	if decoder.Decode(&tree) == nil {
		e.collect(tree, "")
	}
	return e
}

// collect walks the payload. key is the name that v stands under.
func (e *ChangeLogEvent) collect(v any, key string) {
	switch v := v.(type) {
	case map[string]any:
		kind, _ := v["type"].(string)
		for _, k := range slices.Sorted(maps.Keys(v)) { // sorted: the same event gives the same list
			inner := v[k]
			if k == "id" && strings.EqualFold(kind, "user") {
				k = "user_id"
			}
			e.collect(inner, strings.ToLower(k))
		}
	case []any:
		for _, inner := range v {
			e.collect(inner, key)
		}
	case json.Number:
		e.collectText(v.String(), key)
	case string:
		e.collectText(v, key)
	}
}

// An id inside a sentence: long digits that are no phone number.
var idInText = regexp.MustCompile(`(?:^|[^+\d])(\d{10,19})(?:$|\D)`)

func (e *ChangeLogEvent) collectText(s, key string) {
	if key == "date" {
		return
	}
	if strings.Contains(key, "user") && isID(s) {
		e.add(s)
		return
	}
	for _, found := range idInText.FindAllStringSubmatch(s, -1) {
		e.add(found[1])
	}
}

func (e *ChangeLogEvent) add(id string) {
	if !slices.Contains(e.UserIDs, id) {
		e.UserIDs = append(e.UserIDs, id)
	}
}
