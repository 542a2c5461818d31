package jobs

import (
	"context"
	"errors"

	"dialpad-texting/models"
	"dialpad-texting/models/queue"
)

// removeApp deletes what an uninstalled app left at
// Dialpad, unless it was installed again meanwhile.
func (r *Runner) removeApp(ctx context.Context, j queue.RemoveApp) error {
	i, err := r.Store.Installations.Get(ctx, j.TenantID)
	if err == nil && i.State == models.Installed && i.InstalledAt.UnixMilli() != j.InstalledAt {
		return nil
	}
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	return r.Installer.Remove(ctx, j.TenantID, "")
}
