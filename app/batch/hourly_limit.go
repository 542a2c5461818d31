package batch

import (
	"context"
	"fmt"
	"math"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/audience"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// CodeHourlyLimit is for more texts than one person may ask for in an hour.
const CodeHourlyLimit = "hourly_limit"

const (
	hourlyWords       = "You have sent %d texts one by one within this hour, the most that one person may. Go on in %d min, or text many people at once as a bulk."
	hourlyActionWords = "This From User has sent %d texts from automations within this hour, the most that one may. Let the automation run in smaller parts, or share it among more From Users."
)

// limitOneToOne counts a batch that texts one person, or refuses it. Call it
// in the transaction that stores the batch.
func (cfg Config) limitOneToOne(ctx context.Context, tx *models.Store, b ledger.Batch) error {
	limit := cfg.OneToOnePerHour
	if limit == 0 || b.Source != ledger.SourceOneToOne {
		return nil
	}
	taken, next, err := tx.HourlyTexts.Take(ctx, b.TenantID, b.UserID, b.Class, limit)
	if err != nil || taken {
		return err
	}
	seconds := int(math.Ceil(next.Seconds()))
	e := apierror.New(CodeHourlyLimit, fmt.Sprintf(hourlyWords, limit, int(math.Ceil(next.Minutes()))))
	e.Details = map[string]any{"limit": limit, apierror.DetailRetryAfter: seconds}
	return e
}

// limitAction counts a text of an automation for its sender, or makes it fail.
func (cfg Config) limitAction(ctx context.Context, tx *models.Store, t models.Tenant, s Sender, to *audience.Target) error {
	limit := cfg.AutomationPerHour
	if limit == 0 || to.Code != "" || to.Excluded {
		return nil
	}
	taken, _, err := tx.HourlyTexts.Take(ctx, t.ID, s.UserID, ledger.ClassAutomation, limit)
	if err == nil && !taken {
		to.Code = CodeHourlyLimit
		to.Reason = fmt.Sprintf(hourlyActionWords, limit)
	}
	return err
}
