package sandbox

import (
	"fmt"
	"hash/fnv"
	"html/template"
	"strings"
	"time"
	"unicode"
)

var templateFuncs = template.FuncMap{
	"initials": initials,
	"tint":     tintClass,
	"status":   statusLabel,
	"tone":     statusClass,
	"pretty":   formatNumber,
	"source":   sourceLabel,
	"stage":    func(s string) string { return "stage-" + strings.ToLower(s) },
	"money":    formatDollars,
	"link":     navLink,
	"title":    func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
}

// sourceLabel returns the label of a text's source; an unknown source
// stays as it is.
func sourceLabel(source string) string {
	if words, ok := map[string]string{"one": "one to one", "bulk": "bulk text", "automation": "automation"}[source]; ok {
		return words
	}
	return source
}

// initials returns at most two initials of a name.
func initials(name string) string {
	var out []rune
	for word := range strings.FieldsSeq(name) {
		if r := []rune(word)[0]; unicode.IsLetter(r) && len(out) < 2 {
			out = append(out, unicode.ToUpper(r))
		}
	}
	if len(out) == 0 {
		return "?"
	}
	return string(out)
}

// tintClass returns one of eight colour classes for a name.
func tintClass(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return fmt.Sprintf("tint-%d", h.Sum32()%8)
}

// statusLabel returns the label of a text's status; an unknown status
// stays as it is.
func statusLabel(status string) string {
	known := map[string]string{
		"queued": "Queued", "sending": "Sending", "sent": "Sent", "delivered": "Delivered", "undelivered": "Not delivered",
		"failed": "Failed", "uncertain": "Outcome unknown", "held": "Held", "cancelled": "Cancelled", "skipped": "Skipped",
	}
	if w, ok := known[status]; ok {
		return w
	}
	return status
}

func statusClass(status string) string {
	switch status {
	case "delivered":
		return "good"
	case "failed", "undelivered":
		return "bad"
	case "uncertain", "held":
		return "warn"
	}
	return "calm"
}

// formatTime formats a time in a zone, with the zone's name.
func formatTime(at time.Time, zone string) string {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	return at.In(loc).Format("Jan 2, 15:04 MST")
}

type navItem struct {
	Href, Text, Key string
	Here            bool
}

func navLink(href, text, key, section string) navItem {
	return navItem{href, text, key, key == section}
}

// formatNumber adds spaces to a North American number in E.164. Others
// stay as typed.
func formatNumber(number string) string {
	if len(number) != 12 || !strings.HasPrefix(number, "+1") || !isInteger(number[1:]) {
		return number
	}
	return number[:2] + " " + number[2:5] + " " + number[5:8] + " " + number[8:]
}
