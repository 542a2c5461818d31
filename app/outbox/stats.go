package outbox

import (
	"context"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/models/ledger"
)

// StatsView is how texts fared in a range of days (UTC): all together,
// by day, by sender and by template. An admin's has everybody's texts, a
// user's the user's own.
type StatsView struct {
	From      string       `json:"from"`
	To        string       `json:"to"`
	Total     FigureView   `json:"total"`
	Days      []FigureView `json:"days"` // each of the range, also those without texts
	Senders   []FigureView `json:"senders"`
	Templates []FigureView `json:"templates"`
}

// FigureView is a number of texts by what became of them. Key is a day,
// a CRM user's id or a template's id, Name its name where that is known.
type FigureView struct {
	Key       string `json:"key"`
	Name      string `json:"name"`
	Texts     int64  `json:"texts"`
	Sent      int64  `json:"sent"` // and no more is known
	Delivered int64  `json:"delivered"`
	Failed    int64  `json:"failed"` // undelivered too
	Uncertain int64  `json:"uncertain"`
	Replied   int64  `json:"replied"` // people who answered
	OptedOut  int64  `json:"opted_out"`
}

// MaxStatsDays is the longest range of Stats.
const MaxStatsDays = 92

// Stats returns the figures of the last days, today among them.
func (x *Outbox) Stats(ctx context.Context, a access.Asker, days int) (StatsView, error) {
	today := x.now().UTC()
	first := today.AddDate(0, 0, 1-min(max(days, 1), MaxStatsDays))
	v := StatsView{From: first.Format(time.DateOnly), To: today.Format(time.DateOnly)}
	byDay := map[string]FigureView{}
	for _, by := range []string{"day", "user_id", "template_id"} {
		list, err := x.store.Figures.Sum(ctx, a.Tenant.ID, a.VisibleUserID(), by, v.From, v.To)
		if err != nil {
			return v, err
		}
		for _, f := range list {
			switch by {
			case "day":
				byDay[f.Day] = figureView(f.Day, f)
				v.Total = v.Total.plus(byDay[f.Day])
			case "user_id":
				v.Senders = append(v.Senders, figureView(f.UserID, f))
			default:
				v.Templates = append(v.Templates, figureView(f.TemplateID, f))
			}
		}
	}
	for d := first; !d.After(today); d = d.AddDate(0, 0, 1) {
		key := d.Format(time.DateOnly)
		f := byDay[key]
		f.Key = key
		v.Days = append(v.Days, f)
	}
	x.nameFigures(ctx, a, &v)
	return v, nil
}

func figureView(key string, f ledger.Figure) FigureView {
	v := FigureView{Key: key, Sent: f.Sent, Delivered: f.Delivered, Failed: f.Failed + f.Undelivered, Uncertain: f.Uncertain, Replied: f.Replied, OptedOut: f.OptedOut}
	v.Texts = v.Sent + v.Delivered + v.Failed + v.Uncertain
	return v
}

func (v FigureView) plus(o FigureView) FigureView {
	return FigureView{Texts: v.Texts + o.Texts, Sent: v.Sent + o.Sent, Delivered: v.Delivered + o.Delivered, Failed: v.Failed + o.Failed,
		Uncertain: v.Uncertain + o.Uncertain, Replied: v.Replied + o.Replied, OptedOut: v.OptedOut + o.OptedOut}
}

// nameFigures adds the names of senders and templates. Without the CRM's
// answer templates keep their ids.
func (x *Outbox) nameFigures(ctx context.Context, a access.Asker, v *StatsView) {
	for i, s := range v.Senders {
		if u, err := x.store.Users.Get(ctx, a.Tenant.ID, s.Key); err == nil {
			v.Senders[i].Name = u.Name
		}
	}
	if len(v.Templates) > 0 {
		asking, cancel := context.WithTimeout(ctx, namesTimeout)
		defer cancel()
		names := x.audience.TemplateNames(asking, a.Tenant, a.UserID)
		for i, tpl := range v.Templates {
			v.Templates[i].Name = names[tpl.Key]
		}
	}
	if v.Senders == nil {
		v.Senders = []FigureView{}
	}
	if v.Templates == nil {
		v.Templates = []FigureView{}
	}
}
