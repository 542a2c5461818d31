package models

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm/clause"

	"dialpad-texting/internal/text"
	"dialpad-texting/models/database"
)

// User is the stored copy of a CRM user, from a launch or from the CRM's
// list of users.
type User struct {
	TenantID string `gorm:"primaryKey"`
	UserID   string `gorm:"primaryKey"`
	Email    string // lower case
	Name     string
	Search   string // as text.Fold returns name and e-mail
	Role     string // known since the user's first launch
	Active   bool
	SeenAt   time.Time
	// OutboxSeenAt is when the user last looked at what failed.
	OutboxSeenAt *time.Time
	UpdatedAt    time.Time // when the CRM said so: a launch's iat, or when its list was read
}

// FoldEmail returns an e-mail in the form in which e-mails are compared:
// A to Z in lower case, all other characters as they are. Unicode's
// folding would make one of two people's.
func FoldEmail(email string) string { return text.LowerASCII(strings.Trim(email, " ")) }

// Save stores users of a tenant. What was said before the stored state,
// by UpdatedAt (zero: now), changes nothing but an unknown role. An empty
// role keeps the stored one: the CRM's list has none.
func (s Users) Save(ctx context.Context, tenantID string, users []User) error {
	if len(users) == 0 {
		return nil
	}
	for i := range users {
		users[i].TenantID, users[i].Email, users[i].SeenAt = tenantID, FoldEmail(users[i].Email), s.s.db.Now()
		users[i].Search = users[i].folded()
		if users[i].UpdatedAt.IsZero() {
			users[i].UpdatedAt = s.s.db.Now()
		}
		users[i].UpdatedAt = users[i].UpdatedAt.UTC()
	}
	return s.s.q(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "tenant_id"}, {Name: "user_id"}},
		DoUpdates: append(clause.AssignmentColumns([]string{"seen_at"}), clause.Assignments(map[string]any{
			"email": unlessOlder("email"), "name": unlessOlder("name"), "search": unlessOlder("search"), "active": unlessOlder("active"), "updated_at": unlessOlder("updated_at"),
			"role": clause.Expr{SQL: "CASE WHEN excluded.role <> '' AND (users.role = '' OR excluded.updated_at >= users.updated_at) THEN excluded.role ELSE users.role END"},
		})...),
	}).CreateInBatches(&users, 200).Error
}

// unlessOlder keeps the stored value of a column if the new one is older.
func unlessOlder(column string) clause.Expr {
	return clause.Expr{SQL: "CASE WHEN excluded.updated_at >= users.updated_at THEN excluded." + column + " ELSE users." + column + " END"}
}

// Get returns a CRM user, or ErrNotFound.
func (s Users) Get(ctx context.Context, tenantID, userID string) (User, error) {
	var u User
	return u, database.Translate(s.s.q(ctx).Take(&u, "tenant_id = ? AND user_id = ?", tenantID, userID).Error)
}

// IDsByName returns the ids of up to n users, former ones too, whose name or e-mail
// contains a search.
func (s Users) IDsByName(ctx context.Context, tenantID, search string, n int) ([]string, error) {
	var ids []string
	return ids, s.s.q(ctx).Model(&User{}).Where(`tenant_id = ? AND search LIKE ? ESCAPE '\'`, tenantID, "%"+database.EscapeLike(text.Fold(search))+"%").
		Order("user_id").Limit(n).Pluck("user_id", &ids).Error
}

// MarkOutboxSeen notes that a user looked at what failed until now.
func (s Users) MarkOutboxSeen(ctx context.Context, tenantID, userID string) error {
	return s.s.q(ctx).Model(&User{}).Where("tenant_id = ? AND user_id = ?", tenantID, userID).UpdateColumn("outbox_seen_at", s.s.db.Now()).Error
}

// Deactivate marks a user inactive and ends that user's sessions. It
// also stores an unknown user, so that no launch token signed before
// makes that user active.
func (s Users) Deactivate(ctx context.Context, tenantID, userID string) error {
	return s.s.Tx(ctx, func(tx *Store) error {
		now := s.s.db.Now()
		if err := tx.q(ctx).Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "tenant_id"}, {Name: "user_id"}},
			DoUpdates: clause.AssignmentColumns([]string{"active", "updated_at"}),
		}).Create(&User{TenantID: tenantID, UserID: userID, SeenAt: now, UpdatedAt: now}).Error; err != nil {
			return err
		}
		return tx.Sessions.End(ctx, tenantID, userID)
	})
}

// DeactivateUnseen marks the users inactive that a full read of the CRM's
// list, begun at begun, did not return.
func (s Users) DeactivateUnseen(ctx context.Context, tenantID string, begun time.Time) error {
	return s.s.q(ctx).Model(&User{}).Where("tenant_id = ? AND seen_at < ? AND active", tenantID, begun.UTC()).
		Update("active", false).Error
}

// Person is a CRM user with the Dialpad account of the same e-mail.
type Person struct {
	UserID, Email, Name                          string
	Active                                       bool
	DialpadID, AccountEmail, Number, State, Zone string
	Accounts                                     int // accounts with this e-mail
	Users                                        int // active CRM users of the account
}

// People pages the active CRM users by name, with their accounts. search
// matches name and e-mail; onlyTexting selects those whose account can
// text; after is "" or the cursor that the page before returned, "" after
// the last. Accounts are read for the users of the page alone, so that
// its cost does not grow with the tenant.
func (s Users) People(ctx context.Context, tenantID, search string, onlyTexting bool, after string, limit int) ([]Person, string, error) {
	page := s.s.q(ctx).Table("users u").Select("u.user_id, u.email, u.name, u.active").
		Where("u.tenant_id = ? AND u.active", tenantID).Order("u.name, u.user_id").Limit(limit + 1)
	if search = text.Fold(search); search != "" {
		like := "%" + database.EscapeLike(search) + "%"
		page = page.Where(`u.search LIKE ? ESCAPE '\'`, like)
	}
	if onlyTexting {
		page = page.Where(`EXISTS (SELECT 1 FROM account_emails e JOIN accounts a ON a.tenant_id = e.tenant_id AND a.dialpad_id = e.dialpad_id
			WHERE e.tenant_id = u.tenant_id AND e.email = u.email AND a.state = ? AND a.number <> '')`, AccountActive)
	}
	if name, id, ok := strings.Cut(after, "\x1f"); ok {
		page = page.Where("(u.name, u.user_id) > (?, ?)", name, id)
	}
	var out []Person
	if err := page.Find(&out).Error; err != nil {
		return nil, "", err
	}
	next := ""
	if len(out) > limit {
		out = out[:limit]
		next = out[limit-1].Name + "\x1f" + out[limit-1].UserID
	}
	return out, next, s.matchAccounts(ctx, tenantID, out)
}

// matchAccounts sets the account of each person: of several with the same
// e-mail the one that Accounts.ByEmail returns.
func (s Users) matchAccounts(ctx context.Context, tenantID string, people []Person) error {
	emails := make([]string, len(people))
	for i, p := range people {
		emails[i] = p.Email
	}
	var rows []struct {
		Account
		Matched string
	}
	if err := s.s.q(ctx).Table("account_emails e").Select("a.*, e.email AS matched").
		Joins("JOIN accounts a ON a.tenant_id = e.tenant_id AND a.dialpad_id = e.dialpad_id").
		Where("e.tenant_id = ? AND e.email IN ?", tenantID, emails).Find(&rows).Error; err != nil {
		return err
	}
	best, count, ids := map[string]Account{}, map[string]int{}, []string{}
	for _, r := range rows {
		if count[r.Matched]++; count[r.Matched] == 1 || isPreferred(r.Account, best[r.Matched]) {
			best[r.Matched] = r.Account
		}
		ids = append(ids, r.DialpadID)
	}
	users, err := s.countByAccount(ctx, tenantID, ids)
	for i, p := range people {
		a := best[p.Email]
		people[i].DialpadID, people[i].AccountEmail, people[i].Number, people[i].State, people[i].Zone = a.DialpadID, a.Email, a.Number, a.State, a.TimeZone
		people[i].Accounts, people[i].Users = count[p.Email], users[a.DialpadID]
	}
	return err
}

// countByAccount counts the active CRM users of each account.
func (s Users) countByAccount(ctx context.Context, tenantID string, ids []string) (map[string]int, error) {
	var rows []struct {
		DialpadID string
		N         int
	}
	err := s.s.q(ctx).Table("account_emails e").Select("e.dialpad_id, count(DISTINCT u.user_id) AS n").
		Joins("JOIN users u ON u.tenant_id = e.tenant_id AND u.email = e.email AND u.active").
		Where("e.tenant_id = ? AND e.dialpad_id IN ?", tenantID, ids).Group("e.dialpad_id").Find(&rows).Error
	out := make(map[string]int, len(rows))
	for _, r := range rows {
		out[r.DialpadID] = r.N
	}
	return out, err
}

// APIUser returns the CRM user for CRM calls in the background: the given
// one if active, else an admin, else any active user, else ErrNotFound.
func (s Users) APIUser(ctx context.Context, tenantID, userID string) (User, error) {
	var users []User
	err := s.s.q(ctx).Where("tenant_id = ? AND active", tenantID).
		Order(clause.Expr{SQL: "CASE WHEN user_id = ? THEN 0 WHEN role = 'admin' THEN 1 ELSE 2 END, user_id", Vars: []any{userID}}).
		Limit(1).Find(&users).Error
	if err != nil {
		return User{}, err
	}
	if len(users) == 0 {
		return User{}, ErrNotFound
	}
	return users[0], nil
}
