package ledger

import (
	"cmp"
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"dialpad-texting/models/database"
)

// Figure is how many texts of one day, sender and template are in each
// final state, and how many people opted out after one of them. A text
// counts on the day (UTC) on which its outcome was first known.
type Figure struct {
	TenantID    string `gorm:"primaryKey" json:"tenant_id"`
	Day         string `gorm:"primaryKey" json:"day"`     // "2026-11-24"
	UserID      string `gorm:"primaryKey" json:"user_id"` // CRM user whose Dialpad account sent
	TemplateID  string `gorm:"primaryKey" json:"-"`       // "" for none
	Sent        int64  `json:"sent"`                      // and neither delivered nor undelivered
	Delivered   int64  `json:"delivered"`
	Undelivered int64  `json:"undelivered"`
	Failed      int64  `json:"failed"`
	Uncertain   int64  `json:"uncertain"`
	Replied     int64  `json:"-"` // people who answered
	OptedOut    int64  `json:"-"`
	BatchID     string `gorm:"-" json:"batch_id"`
}

const dayFormat = time.DateOnly

// of returns the counter of a state, nil for one that is not counted.
func (f *Figure) of(state string) *int64 {
	switch state {
	case Sent:
		return &f.Sent
	case Delivered:
		return &f.Delivered
	case Undelivered:
		return &f.Undelivered
	case Failed:
		return &f.Failed
	case Uncertain:
		return &f.Uncertain
	}
	return nil
}

// count moves texts from their previous state to the present one, in
// one statement, or none. Counters.count calls it.
func (s Figures) count(ctx context.Context, changed []Transition) error {
	type key struct{ tenantID, batchID, userID, day string }
	rows := map[key]*Figure{}
	for _, t := range changed {
		if t.SettledAt == nil || t.State == t.PreviousState {
			continue
		}
		k := key{t.TenantID, t.BatchID, t.UserID, t.SettledAt.UTC().Format(dayFormat)}
		f := rows[k]
		if f == nil {
			f = &Figure{TenantID: k.tenantID, BatchID: k.batchID, UserID: k.userID, Day: k.day}
		}
		to, from := f.of(t.State), f.of(t.PreviousState)
		if to != nil {
			*to++
			rows[k] = f
		}
		if from != nil {
			*from--
			rows[k] = f
		}
	}
	if len(rows) == 0 {
		return nil
	}
	list := make([]*Figure, 0, len(rows))
	for _, f := range rows {
		list = append(list, f)
	}
	return s.l.exec(ctx, "count_figures", map[string]any{"figures": database.JSON(list)})
}

// optOutWithin is how long after a text an opt-out counts as its answer.
const optOutWithin = 30 * 24 * time.Hour

// CountOptOut counts an opt-out on the newest text to a number, if there
// is a recent one. keys are the number's keyed hashes.
func (s Figures) CountOptOut(ctx context.Context, tenantID string, keys []string) error {
	var m Message
	err := database.Translate(s.l.q(ctx).Joins("JOIN recipients r ON r.message_id = messages.id").
		Where("r.tenant_id = ? AND r.number_key IN ? AND r.number_key <> ''", tenantID, keys).
		Where("messages.state IN ? AND messages.settled_at > ?", []string{Sent, Delivered, Uncertain}, s.l.db.Now().Add(-optOutWithin)).
		Order("r.message_id DESC").Take(&m).Error)
	if errors.Is(err, database.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.add(ctx, m, Figure{OptedOut: 1}, "opted_out")
}

// CountReply counts that a person answered a text for the first time.
func (s Figures) CountReply(ctx context.Context, m Message) error {
	return s.add(ctx, m, Figure{Replied: 1}, "replied")
}

// add adds one to the column of a text's figures. f has the column at 1.
func (s Figures) add(ctx context.Context, m Message, f Figure, column string) error {
	var b Batch
	if err := s.l.q(ctx).Select("sender_user_id", "template_id").Take(&b, "tenant_id = ? AND id = ?", m.TenantID, m.BatchID).Error; err != nil {
		return database.Translate(err)
	}
	day := s.l.db.Now()
	if m.SettledAt != nil {
		day = *m.SettledAt
	}
	f.TenantID, f.Day, f.UserID, f.TemplateID = m.TenantID, day.UTC().Format(dayFormat), cmp.Or(b.SenderUserID, m.UserID), b.TemplateID
	return s.l.q(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "tenant_id"}, {Name: "day"}, {Name: "user_id"}, {Name: "template_id"}},
		DoUpdates: clause.Assignments(map[string]any{column: gorm.Expr("figures." + column + " + 1")}),
	}).Create(&f).Error
}

// Sum adds the figures of a tenant from one day to another up by one of
// the columns day, user_id and template_id. A userID other than ""
// restricts them to that sender's.
func (s Figures) Sum(ctx context.Context, tenantID, userID, by, from, to string) ([]Figure, error) {
	var out []Figure
	q := ofUser(s.l.q(ctx).Model(&Figure{}).Where("tenant_id = ? AND day >= ? AND day <= ?", tenantID, from, to), userID)
	return out, q.Select(by + ", sum(sent) AS sent, sum(delivered) AS delivered, sum(undelivered) AS undelivered, sum(failed) AS failed, " +
		"sum(uncertain) AS uncertain, sum(replied) AS replied, sum(opted_out) AS opted_out").Group(by).Order(by).Find(&out).Error
}
