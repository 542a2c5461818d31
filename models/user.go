package models

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm/clause"
)

// User is a CRM user as we last heard of them, from a launch or from the CRM's list.
type User struct {
	TenantID  string `gorm:"primaryKey"`
	UserID    string `gorm:"primaryKey"`
	Email     string // lower case
	Name      string
	Role      string // "" until that user launched something
	Active    bool
	SeenAt    time.Time
	UpdatedAt time.Time
}

// FoldEmail is how e-mails are compared: case-insensitively.
func FoldEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// SaveUsers stores users of one tenant; a role once known stays when the list does not say it.
func (s *Store) SaveUsers(ctx context.Context, tenantID string, users []User) error {
	if len(users) == 0 {
		return nil
	}
	for i := range users {
		users[i].TenantID, users[i].Email, users[i].SeenAt = tenantID, FoldEmail(users[i].Email), s.Now()
	}
	return s.q(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "tenant_id"}, {Name: "user_id"}},
		DoUpdates: append(clause.AssignmentColumns([]string{"email", "name", "active", "seen_at", "updated_at"}),
			clause.Assignments(map[string]any{"role": clause.Expr{
				SQL: "CASE WHEN excluded.role = '' THEN users.role ELSE excluded.role END"}})...),
	}).CreateInBatches(&users, 200).Error
}

// User returns a CRM user.
func (s *Store) User(ctx context.Context, tenantID, userID string) (User, error) {
	var u User
	return u, one(s.q(ctx).Take(&u, "tenant_id = ? AND user_id = ?", tenantID, userID).Error)
}

// DeactivateUser marks a CRM user inactive and ends that user's sessions.
func (s *Store) DeactivateUser(ctx context.Context, tenantID, userID string) error {
	return s.Tx(ctx, func(tx *Store) error {
		if err := tx.q(ctx).Model(&User{}).Where("tenant_id = ? AND user_id = ?", tenantID, userID).
			Update("active", false).Error; err != nil {
			return err
		}
		return tx.EndSessions(ctx, tenantID, userID)
	})
}

// DeactivateUnseen marks the users inactive that a whole list of the CRM, begun at a time, did not name.
func (s *Store) DeactivateUnseen(ctx context.Context, tenantID string, begun time.Time) error {
	return s.q(ctx).Model(&User{}).Where("tenant_id = ? AND seen_at < ? AND active", tenantID, begun.UTC()).
		Update("active", false).Error
}

// Person is a CRM user beside the Dialpad account that the e-mail matches.
type Person struct {
	UserID, Email, Name                          string
	Active                                       bool
	DialpadID, AccountEmail, Number, State, Zone string
	Accounts                                     int // accounts of that e-mail; more than one is shown
}

// People pages the tenant's active CRM users by name with their accounts; q searches name and e-mail.
func (s *Store) People(ctx context.Context, tenantID, q string, onlyTexting bool, after string, limit int) ([]Person, string, error) {
	db := s.q(ctx).Table("users u").
		Joins("LEFT JOIN account_emails e ON e.tenant_id = u.tenant_id AND e.email = u.email").
		Joins("LEFT JOIN accounts a ON a.tenant_id = e.tenant_id AND a.dialpad_id = e.dialpad_id").
		Where("u.tenant_id = ? AND u.active", tenantID).
		Select(`u.user_id, u.email, u.name, u.active, coalesce(a.dialpad_id, '') AS dialpad_id, coalesce(a.email, '') AS account_email,
			coalesce(a.number, '') AS number, coalesce(a.state, '') AS state, coalesce(a.time_zone, '') AS zone`).
		Order("u.name, u.user_id, a.dialpad_id")
	if q = strings.ToLower(strings.TrimSpace(q)); q != "" {
		like := "%" + escapeLike(q) + "%"
		db = db.Where(`lower(u.name) LIKE ? ESCAPE '\' OR u.email LIKE ? ESCAPE '\'`, like, like)
	}
	if onlyTexting {
		db = db.Where("a.state = ? AND a.number <> ''", AccountActive)
	}
	if name, id, ok := strings.Cut(after, "\x1f"); ok {
		db = db.Where("(u.name, u.user_id) > (?, ?)", name, id)
	}
	var rows []Person
	if err := db.Limit(limit*2 + 1).Find(&rows).Error; err != nil {
		return nil, "", err
	}
	return pagePeople(rows, limit)
}

// pagePeople folds several accounts of one e-mail into one person: the one that may text, else the first.
func pagePeople(rows []Person, limit int) ([]Person, string, error) {
	var out []Person
	for _, r := range rows {
		if r.DialpadID != "" {
			r.Accounts = 1
		}
		if n := len(out); n > 0 && out[n-1].UserID == r.UserID {
			out[n-1].Accounts++
			if kept := out[n-1]; !canText(kept.State, kept.Number) && canText(r.State, r.Number) {
				r.Accounts = kept.Accounts
				out[n-1] = r
			}
			continue
		}
		if len(out) == limit {
			last := out[limit-1]
			return out, last.Name + "\x1f" + last.UserID, nil
		}
		out = append(out, r)
	}
	return out, "", nil
}

func escapeLike(q string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(q)
}
