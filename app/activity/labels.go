package activity

import (
	"maps"
	"slices"
	"strings"

	"dialpad-texting/internal/text"
)

// labels are what people read of an action. An older program wrote a
// batch's new state when somebody resumed it.
var labels = map[string]string{
	"app.installed":           "Installed the app",
	"app.removed":             "Removed the app",
	"app.uninstalled":         "Salesmate removed the app",
	"connect.started":         "Began to connect Dialpad",
	"connect.failed":          "Connecting Dialpad failed",
	"connection.connected":    "Connected Dialpad",
	"connection.ready":        "Dialpad became ready",
	"connection.disconnected": "Disconnected Dialpad",
	"connection.broken":       "The connection to Dialpad broke",
	"connection.mended":       "The connection to Dialpad works again",
	"account.changed":         "A Dialpad account changed",
	"plan.lost":               "The plan no longer includes Dialpad",
	"settings.saved":          "Changed the settings",
	"batch.paused":            "Paused texts",
	"batch.cancelled":         "Cancelled texts",
	"batch.resumed":           "Resumed texts",
	"batch.sending":           "Resumed texts",
	"batch.preparing":         "Resumed texts",
	"batch.scheduled":         "Resumed texts",
	"batch.resent":            "Sent texts again",
	"batch.sender":            "Changed the sender of texts",
	"message.cancelled":       "Cancelled one text",
	"opt_out.opt_out":         "Marked a number as opted out",
	"opt_out.opt_in":          "Recorded consent given anew",
	"opt_out.keep":            "Kept a number after a review",
	"report.exported":         "Saved a report of texts",
	"opt_outs.exported":       "Saved the list of opt-outs",
	"activity.exported":       "Saved the activity",
	"data.erase":              "Salesmate had a person's data erased",
}

// label returns the words for an action, or the action itself.
func label(action string) string {
	if words, ok := labels[action]; ok {
		return words
	}
	return action
}

// actionsLike returns the actions whose words contain a search.
func actionsLike(search string) []string {
	search = text.Fold(search)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(labels)), func(action string) bool {
		return !strings.Contains(text.Fold(labels[action]), search)
	})
}
