package access

// VisibleUserID is whose batches the asker may see and change: only
// their own. "" means everybody's, for admins.
func (a Asker) VisibleUserID() string {
	if a.IsAdmin() {
		return ""
	}
	return a.UserID
}
