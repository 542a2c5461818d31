package audience

import (
	"cmp"
	"context"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/compose"
	"dialpad-texting/app/hours"
	"dialpad-texting/app/walltime"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/internal/faircache"
	"dialpad-texting/internal/text"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// PreviewRequest asks who would get what.
type PreviewRequest struct {
	ToField   string             `json:"to_field"`
	ElseField string             `json:"else_field"`           // where to_field has no usable number
	Exclude   []string           `json:"exclude" max:"100000"` // records to leave out
	Message   string             `json:"message" max:"text"`
	Schedule  *walltime.Schedule `json:"schedule"`
	Cursor    string             `json:"cursor" max:"6000"`
}

// PreviewView is the dry run of a batch. Large selections answer in
// parts: counts are so far, exclusions and samples are this part's, and
// Next asks for the following part.
type PreviewView struct {
	Total       int         `json:"total"`
	WillReceive int         `json:"will_receive"`
	Excluded    []Exclusion `json:"excluded"`
	Samples     []Sample    `json:"samples"`
	MaxSegments int         `json:"max_segments"`
	Segments    int         `json:"segments"` // of all texts together
	Quiet       int         `json:"quiet"`    // would arrive in quiet hours
	LastAt      *time.Time  `json:"last_at"`
	Complete    bool        `json:"complete"`
	Next        *string     `json:"next"`
}

// Exclusion is a recipient who gets nothing, and why.
type Exclusion struct {
	RecordID string `json:"record_id"`
	Name     string `json:"name"`
	Deal     string `json:"deal,omitempty"` // the title of the deal that names the person
	Code     string `json:"code"`
	Reason   string `json:"reason"`
	Field    string `json:"field,omitempty"`
	Value    string `json:"value,omitempty"` // the number that can't be used, as the record has it
}

// Sample is what one recipient would get.
type Sample struct {
	RecordID string `json:"record_id"`
	Name     string `json:"name"`
	Deal     string `json:"deal,omitempty"`
	To       string `json:"to"`
	Text     string `json:"text"`
	Segments int    `json:"segments"`
	Encoding string `json:"encoding"`
}

const (
	previewPages = 5   // of the CRM, in one part
	maxSamples   = 200 // in one part
)

// Preview returns who would get what.
func (x *Audience) Preview(ctx context.Context, a access.Asker, r PreviewRequest) (PreviewView, error) {
	if a.Target == nil {
		return PreviewView{}, apierror.NoRecords()
	}
	spec, err := x.previewSpec(ctx, a, r)
	if err != nil {
		return PreviewView{}, err
	}
	cursor, err := cursorFor(a, r)
	if err != nil {
		return PreviewView{}, err
	}
	owner := faircache.Owner{Tenant: a.Tenant.ID, User: a.UserID}
	p := x.previewState(owner, cursor.id)
	p.mu.Lock()
	defer p.mu.Unlock()
	view, err := x.readTo(ctx, spec, r.Schedule, p, cursor.part)
	if err != nil {
		p.reset() // it counts half a part
		return PreviewView{}, err
	}
	if view.Complete {
		x.previews.Remove(owner, cursor.id)
		return view, nil
	}
	x.previews.Put(owner, cursor.id, p, p.bytes())
	cursor.part = max(cursor.part, p.part)
	next := cursor.String()
	view.Next = &next
	return view, nil
}

// readTo reads the part after so many others, and returns it. More has to
// be read if the preview was begun in another process, or forgotten: after
// maxRereadParts it returns none of the lists, and the same cursor goes on.
func (x *Audience) readTo(ctx context.Context, s audienceSpec, schedule *walltime.Schedule, p *previewState, part int) (PreviewView, error) {
	if p.part > part || p.view.Complete { // asked again for a part that was answered: start over
		p.reset()
	}
	for range maxRereadParts {
		if err := x.previewPart(ctx, s, schedule, p); err != nil || p.part > part || p.view.Complete {
			return p.take(), err
		}
		p.take() // answered before
	}
	view := p.view
	view.Excluded, view.Samples = []Exclusion{}, []Sample{}
	return view, nil
}

// take returns the part that was read last. The state keeps the counts.
func (p *previewState) take() PreviewView {
	view := p.view
	p.view.Excluded, p.view.Samples = nil, nil
	return view
}

// unwritten stands for a text that is still empty: before anything is
// written the popup already counts who can be reached. It shows no
// samples of it.
const unwritten = "\u2026"

func (x *Audience) previewSpec(ctx context.Context, a access.Asker, r PreviewRequest) (audienceSpec, error) {
	s := audienceSpec{tenant: a.Tenant, userID: a.UserID, source: ledger.SourceOneToOne, module: a.Target.Module,
		recordIDs: UniqueIDs(a.Target.RecordIDs), toNumber: a.Target.ToNumber}
	if a.Target.Mode == crm.ModeBulk {
		s.source, s.selection, s.toNumber = ledger.SourceBulk, a.Target.Selection, ""
		s.toField = cmp.Or(r.ToField, DefaultPhoneField)
		s.elseField, s.excluded = r.ElseField, IDSet(r.Exclude)
		if err := x.CheckPhoneFields(ctx, a.Tenant, a.Target.Module, s.toField, s.elseField); err != nil {
			return s, err
		}
	}
	var err error
	switch {
	case text.IsBlank(r.Message):
		s.template, err = compose.Parse(unwritten)
	case s.source == ledger.SourceBulk:
		s.template, err = x.templates.CheckBulkText(ctx, a.Tenant, a.Target.Module, r.Message)
	default:
		s.template, err = x.templates.CheckText(ctx, a.Tenant, a.Target.Module, r.Message)
	}
	return s, err
}

// CheckPhoneFields refuses phone fields that the module does not have.
// The second one may be "".
func (x *Audience) CheckPhoneFields(ctx context.Context, t models.Tenant, module, field, elseField string) error {
	err := x.templates.CheckPhoneField(ctx, t, module, "to_field", field)
	if err != nil || elseField == "" {
		return err
	}
	return x.templates.CheckPhoneField(ctx, t, module, "else_field", elseField)
}

// previewPart adds the next few pages to a preview.
func (x *Audience) previewPart(ctx context.Context, s audienceSpec, schedule *walltime.Schedule, p *previewState) error {
	view, cursor := p.view, p.cursor
	start, rate, err := x.firstSend(ctx, s.tenant, schedule)
	if err != nil {
		return err
	}
	view.Excluded, view.Samples = []Exclusion{}, []Sample{}
	for range previewPages {
		page, err := x.recipients(ctx, s, cursor)
		if err == nil {
			err = p.seen.check(page.Next)
		}
		if err != nil {
			return err
		}
		p.seen.add(page.Next)
		p.duplicates.exclude(page.Recipients)
		for _, r := range page.Recipients {
			view.count(s, r, rate.After(start, int64(view.WillReceive)))
		}
		if cursor = page.Next; cursor == "" {
			view.Complete = true
			break
		}
	}
	if view.LastAt = nil; view.WillReceive > 0 {
		last := rate.After(start, int64(view.WillReceive))
		view.LastAt = &last
	}
	p.view, p.cursor, p.part = view, cursor, p.part+1
	return nil
}

// firstSend is when the first text would leave, after what is queued
// already, and the rate of the others.
func (x *Audience) firstSend(ctx context.Context, t models.Tenant, schedule *walltime.Schedule) (time.Time, SendRate, error) {
	rate, err := RateOf(ctx, x.store, t)
	now := x.cfg.Now()
	if at := schedule.Estimate(now); at.After(now) {
		return at, rate, err // what is queued now will have left by then
	}
	return rate.After(now, rate.Queued), rate, err
}

// wrongValue is the number that keeps a recipient from being texted.
func wrongValue(r Recipient) string {
	if r.Code != compose.ErrInvalidNumber.Code() {
		return ""
	}
	return text.Trim(r.Written)
}

// count adds a recipient whose text would leave at that time.
func (v *PreviewView) count(s audienceSpec, r Recipient, at time.Time) {
	v.Total++
	if r.Code != "" {
		v.Excluded = append(v.Excluded, Exclusion{RecordID: r.RecordID, Name: r.Name, Deal: r.Deal,
			Code: r.Code, Reason: r.Reason, Field: r.Field, Value: wrongValue(r)})
		return
	}
	v.WillReceive++
	v.Segments += r.Segments.Segments
	v.MaxSegments = max(v.MaxSegments, r.Segments.Segments)
	zone := hours.Zone(r.TimeZone, r.Number, s.tenant.TimeZone)
	if HoursOf(s.tenant).Next(at, hours.Recipient{Number: r.Number, Zone: zone}).Opens.After(at) {
		v.Quiet++
	}
	if s.template.String() != unwritten && len(v.Samples) < maxSamples {
		v.Samples = append(v.Samples, Sample{RecordID: r.RecordID, Name: r.Name, Deal: r.Deal, To: r.Number, Text: r.Text,
			Segments: r.Segments.Segments, Encoding: string(r.Segments.Encoding)})
	}
}
