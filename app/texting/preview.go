package texting

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"dialpad-texting/app/compose"
	"dialpad-texting/models/ledger"
)

// PreviewRequest asks who would get what.
type PreviewRequest struct {
	ToField  string    `json:"to_field"`
	Message  string    `json:"message"`
	Schedule *Schedule `json:"schedule"`
	Cursor   string    `json:"cursor"`
}

// PreviewView is the dry run of a batch. Large selections answer in parts: counts are so far, exclusions and samples
// are this part's, and next asks for the following part.
type PreviewView struct {
	Total       int         `json:"total"`
	WillReceive int         `json:"will_receive"`
	Excluded    []Exclusion `json:"excluded"`
	Samples     []Sample    `json:"samples"`
	MaxSegments int         `json:"max_segments"`
	Segments    int         `json:"segments"` // of all texts together
	Quiet       int         `json:"quiet"`    // would arrive in quiet hours, if sent now or at the schedule's time
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
	previewPages   = 5   // pages of the CRM in one answer
	previewSamples = 200 // texts shown in one answer
	previewLife    = 10 * time.Minute
	previewsKept   = 500
)

// preview is a dry run on its way, between two parts. It lives in this process; another one starts over.
type preview struct {
	mu     sync.Mutex
	seen   twins
	been   trail
	view   PreviewView
	cursor string
	part   int
	until  time.Time
}

type previewCache struct {
	mu   sync.Mutex
	list map[string]*preview
}

// Preview tells who would get what, by the same code that prepares the batch.
func (x *Texting) Preview(ctx context.Context, a Asker, r PreviewRequest) (PreviewView, error) {
	if a.Ctx == nil {
		return PreviewView{}, problem("bad_request", "This page is about nobody: open the popup from a record.")
	}
	w, err := x.previewWish(ctx, a, r)
	if err != nil {
		return PreviewView{}, err
	}
	owner := a.Tenant.ID + "\x00" + a.UserID + "\x00" + bodyHash(a.Ctx, r.ToField, r.Message, r.Schedule)
	id, part, err := x.previewCursor(r.Cursor)
	if err != nil {
		return PreviewView{}, err
	}
	key := owner + "\x00" + id
	p := x.previewState(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.part > part { // asked again for a part that was answered: start over, it is a dry run
		p.reset()
	}
	for !p.view.Complete && p.part <= part { // one part; more when it was begun in another process, or forgotten
		if err := x.previewPart(ctx, w, r.Schedule, p); err != nil {
			p.reset() // half a part is counted
			return PreviewView{}, err
		}
	}
	view := p.view
	p.view.Excluded, p.view.Samples = nil, nil
	if view.Complete {
		x.previews.drop(key)
		return view, nil
	}
	next := fmt.Sprintf("%s:%d", id, p.part)
	view.Next = &next
	return view, nil
}

func (x *Texting) previewWish(ctx context.Context, a Asker, r PreviewRequest) (wish, error) {
	w := wish{tenant: a.Tenant, userID: a.UserID, source: ledger.SourceOne, module: a.Ctx.Module, recordIDs: eachOnce(a.Ctx.RecordIDs), toNumber: a.Ctx.ToNumber}
	if a.Ctx.Mode == "bulk" {
		w.source, w.selection, w.toNumber, w.toField = ledger.SourceBulk, a.Ctx.Selection, "", firstOf(r.ToField, defaultField)
		if err := x.knownField(ctx, a.Tenant, a.Ctx.Module, w.toField); err != nil {
			return w, err
		}
	}
	var err error
	if strings.TrimSpace(r.Message) == "" {
		// Before anything is written the popup already counts who can be reached: as if everybody got the same word.
		w.template, err = compose.Parse(unwritten)
		return w, err
	}
	w.template, err = x.check(ctx, a.Tenant, a.Ctx.Module, r.Message)
	return w, err
}

// unwritten stands for a text that is still empty; its samples are not shown.
const unwritten = "\u2026"

func (x *Texting) previewCursor(cursor string) (id string, part int, err error) {
	if cursor == "" {
		return rand.Text(), 0, nil
	}
	id, rest, ok := strings.Cut(cursor, ":")
	if _, err := fmt.Sscanf(rest, "%d", &part); !ok || err != nil || part < 1 || part > 200 {
		return "", 0, &Problem{Code: "bad_request", Message: "That page of the preview does not exist.", Details: map[string]any{"field": "cursor"}}
	}
	return id, part, nil
}

// previewState finds or begins a dry run; one belongs to its asker, ctx and text.
func (x *Texting) previewState(key string) *preview {
	now := x.now()
	x.previews.mu.Lock()
	defer x.previews.mu.Unlock()
	for k, p := range x.previews.list {
		if len(x.previews.list) > previewsKept || now.After(p.until) {
			delete(x.previews.list, k)
		}
	}
	p := x.previews.list[key]
	if p == nil {
		p = &preview{}
		p.reset()
		if x.previews.list == nil {
			x.previews.list = map[string]*preview{}
		}
		x.previews.list[key] = p
	}
	p.until = now.Add(previewLife)
	return p
}

// drop forgets one that is complete: nothing more can be asked of it.
func (c *previewCache) drop(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.list, key)
}

func (p *preview) reset() {
	p.seen, p.been, p.view, p.cursor, p.part = twins{}, trail{}, PreviewView{}, "", 0
}

func (x *Texting) previewPart(ctx context.Context, w wish, s *Schedule, p *preview) error {
	view, cursor := p.view, p.cursor
	at, present, err := x.previewPace(ctx, w, s)
	if err != nil {
		return err
	}
	view.Excluded, view.Samples = []Exclusion{}, []Sample{}
	for range previewPages {
		page, err := x.recipients(ctx, w, cursor)
		if err == nil {
			err = p.been.check(page.next)
		}
		if err != nil {
			return err
		}
		p.been[page.next] = true
		p.seen.leaveOut(page.recipients)
		for _, r := range page.recipients {
			view.count(w, r, present.gone(at, int64(view.WillReceive)))
		}
		if cursor = page.next; cursor == "" {
			view.Complete = true
			break
		}
	}
	if view.LastAt = nil; view.WillReceive > 0 {
		last := present.gone(at, int64(view.WillReceive))
		view.LastAt = &last
	}
	p.view, p.cursor, p.part = view, cursor, p.part+1
	if view.Complete {
		p.seen = nil
	}
	return nil
}

// previewPace is when the first text would go, behind what waits already, and at which pace the others follow.
func (x *Texting) previewPace(ctx context.Context, w wish, s *Schedule) (time.Time, pace, error) {
	present, err := x.pace(ctx, w.tenant)
	now := x.now()
	if at := s.about(now); at.After(now) {
		return at, present, err // what waits now will have gone by then
	}
	return present.gone(now, present.waiting), present, err
}

// count takes a recipient in, whose text would go at that moment.
func (v *PreviewView) count(w wish, r recipient, at time.Time) {
	v.Total++
	if r.code != "" {
		v.Excluded = append(v.Excluded, Exclusion{RecordID: r.recordID, Name: r.name, Deal: r.deal, Code: r.code, Reason: r.reason, Field: r.field})
		return
	}
	v.WillReceive++
	v.Segments += r.segments.Segments
	v.MaxSegments = max(v.MaxSegments, r.segments.Segments)
	if !compose.QuietUntil(at, firstOf(r.timeZone, w.tenant.TimeZone), w.tenant.QuietFrom, w.tenant.QuietTo).IsZero() {
		v.Quiet++
	}
	if w.template.String() != unwritten && len(v.Samples) < previewSamples {
		v.Samples = append(v.Samples, Sample{RecordID: r.recordID, Name: r.name, Deal: r.deal, To: r.number, Text: r.text,
			Segments: r.segments.Segments, Encoding: string(r.segments.Encoding)})
	}
}
