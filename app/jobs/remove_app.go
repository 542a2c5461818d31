package jobs

import (
	"context"
	"errors"

	"dialpad-texting/models"
)

// removeApp deletes what an uninstalled app left at
// Dialpad, unless it was installed again meanwhile.
func (r *Runner) removeApp(ctx context.Context, j models.RemoveApp) error {
	i, err := r.Store.Installation(ctx, j.TenantID)
	if err == nil && i.State == models.Installed && i.InstalledAt.UnixMilli() != j.InstalledAt {
		return nil
	}
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	return r.Installer.Remove(ctx, j.TenantID, "")
}
