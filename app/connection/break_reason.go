package connection

import (
	"context"
	"fmt"
	"strings"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// GrantRefusedReason is the admin's sentence when Dialpad refuses the grant
// and nothing closer is known.
const GrantRefusedReason = "Dialpad no longer accepts the connection. Connect again to go on texting."

func appOffReason(c models.Connection) string {
	return fmt.Sprintf("The app was switched off for %s in Dialpad. Switch it on there to go on texting.", c.CompanyName)
}

func notAdminReason(c models.Connection) string {
	return fmt.Sprintf("%s is no longer a company admin in Dialpad. A company admin has to connect again.", c.ConnectedBy)
}

// adminReason returns what is known against the account of the person whose
// grant this is, "" if nothing is. Dialpad can't be asked any more: the
// token was that person's.
func adminReason(ctx context.Context, store *models.Store, c models.Connection) string {
	a, err := store.Accounts.Get(ctx, c.TenantID, c.DialpadUserID)
	switch {
	case err != nil:
		return ""
	case a.State != "" && a.State != models.AccountActive:
		return fmt.Sprintf("%s, who connected Dialpad, is no longer active there (%s). Make that account active again, or connect again "+
			"as another company admin.", c.ConnectedBy, a.State)
	case a.Stale:
		return fmt.Sprintf("Dialpad stopped accepting the connection right after the account of %s, who made it, was changed there. Make "+
			"sure that the account is active, or connect again as another company admin.", c.ConnectedBy)
	}
	return ""
}

// companyReason returns "" for a company that may text. The enum is open: an
// unknown state stops nobody, unless it speaks of a hold, which is what
// Dialpad calls an unpaid account.
func companyReason(c models.Connection, state string) string {
	switch {
	case strings.Contains(strings.ToLower(state), "hold"):
		return fmt.Sprintf("Dialpad has put the company %s on hold. Texts go on when that is settled with Dialpad.", c.CompanyName)
	case state == dialpad.StateSuspended, state == dialpad.StateCancelled, state == dialpad.StateDeleted:
		return fmt.Sprintf("Dialpad says that the company %s is %s.", c.CompanyName, state)
	}
	return ""
}
