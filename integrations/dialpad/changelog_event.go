package dialpad

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"dialpad-texting/integrations/lenient"
)

// ChangeLogEvent reports a change of the company's settings. Codes and
// format are not stable, and no event exists for a deactivated user.
// An event that names a user only means: read that user again.
//
// Docs: developers.dialpad.com/docs/change-log-events
type ChangeLogEvent struct {
	Date       time.Time
	Action     string // short code, not standardised
	TargetType string // lower case: user, office, …
	TargetID   string

	// UserIDs holds every id in the event that may be a user's, the
	// target first. Some belong to other things: match them against
	// known users.
	UserIDs []string
}

func decodeChangeLogEvent(raw json.RawMessage) *ChangeLogEvent {
	var j struct {
		Date   lenientTime   `json:"date"`
		Action lenientString `json:"action"`
		Target eventParty    `json:"target"`
	}
	_ = json.Unmarshal(raw, &j) // an object, and lenient fields never fail
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
		e.collectUserIDs(tree, "")
	}
	return e
}

// collectUserIDs walks the payload. key is the name of v's field.
func (e *ChangeLogEvent) collectUserIDs(v any, key string) {
	switch v := v.(type) {
	case map[string]any:
		kind, _ := v["type"].(string)
		for _, k := range slices.Sorted(maps.Keys(v)) { // sorted for a stable result
			inner := v[k]
			if k == "id" && strings.EqualFold(kind, "user") {
				k = "user_id"
			}
			e.collectUserIDs(inner, strings.ToLower(k))
		}
	case []any:
		for _, inner := range v {
			e.collectUserIDs(inner, key)
		}
	case json.Number:
		text := v.String()
		if digits, ok := lenient.WholeNumber([]byte(text)); ok {
			text = digits
		}
		e.collectFromText(text, key)
	case string:
		e.collectFromText(v, key)
	}
}

// Matches an id in a sentence: many digits that are no phone number.
var idInText = regexp.MustCompile(`(?:^|[^+\d])(\d{10,19})(?:$|\D)`)

func (e *ChangeLogEvent) collectFromText(s, key string) {
	if key == "date" {
		return
	}
	if strings.Contains(key, "user") && isID(s) {
		e.addUserID(s)
		return
	}
	for _, found := range idInText.FindAllStringSubmatch(s, -1) {
		e.addUserID(found[1])
	}
}

func (e *ChangeLogEvent) addUserID(id string) {
	if !slices.Contains(e.UserIDs, id) {
		e.UserIDs = append(e.UserIDs, id)
	}
}
