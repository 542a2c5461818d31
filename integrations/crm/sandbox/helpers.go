package sandbox

import (
	"fmt"
	"hash/fnv"
	"html/template"
	"strings"
	"time"
	"unicode"
)

var helpers = template.FuncMap{
	"initials": initials,
	"tint":     tint,
	"status":   statusWords,
	"tone":     statusTone,
	"pretty":   pretty,
	"source":   sourceWords,
	"stage":    func(s string) string { return "stage-" + strings.ToLower(s) },
	"money":    money,
	"link":     navLink,
	"title":    func(s string) string { return strings.ToUpper(s[:1]) + s[1:] },
}

// sourceWords names where a text came from; what is new to us stays as it is.
func sourceWords(source string) string {
	if words, ok := map[string]string{"one": "one to one", "bulk": "bulk text", "automation": "automation"}[source]; ok {
		return words
	}
	return source
}

// initials of a name, two at most.
func initials(name string) string {
	var out []rune
	for _, word := range strings.Fields(name) {
		if r := []rune(word)[0]; unicode.IsLetter(r) && len(out) < 2 {
			out = append(out, unicode.ToUpper(r))
		}
	}
	if len(out) == 0 {
		return "?"
	}
	return string(out)
}

// tint picks one of eight colours (classes, since there are no style attributes).
func tint(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return fmt.Sprintf("tint-%d", h.Sum32()%8)
}

// statusWords puts a text's status into words; one that is unknown is shown as it came.
func statusWords(status string) string {
	known := map[string]string{
		"queued": "Queued", "sending": "Sending", "sent": "Sent", "delivered": "Delivered", "undelivered": "Not delivered",
		"failed": "Failed", "uncertain": "Outcome unknown", "held": "Held", "cancelled": "Cancelled", "skipped": "Skipped",
	}
	if w, ok := known[status]; ok {
		return w
	}
	return status
}

func statusTone(status string) string {
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

// clockIn writes a moment in a zone, with the zone named.
func clockIn(at time.Time, zone string) string {
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

// pretty spaces out a North American number in E.164 and leaves the rest as
// somebody typed it.
func pretty(number string) string {
	if len(number) != 12 || !strings.HasPrefix(number, "+1") || !digitsOnly(number[1:]) {
		return number
	}
	return number[:2] + " " + number[2:5] + " " + number[5:8] + " " + number[8:]
}
