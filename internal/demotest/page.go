package demotest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"dialpad-texting/integrations/crm"
)

// Page is an open page of the app, with its session.
type Page struct {
	d     *Demo
	token string
}

var sessionToken = regexp.MustCompile(`<meta name="session-token" content="([^"]+)">`)

// Launch opens a page as the CRM does: a form POST with a fresh launch token.
// use is crm.UsePage or crm.UsePopup.
func (d *Demo) Launch(tenant, user, path, use string, ctx *crm.LaunchTarget) *Page {
	d.T.Helper()
	token, err := d.CRMSandbox.Token(tenant, user, use, ctx)
	d.Must(err)
	r, err := http.PostForm(d.AppURL+path, url.Values{"token": {token}})
	d.Must(err)
	body := Read(r)
	found := sessionToken.FindStringSubmatch(body)
	if r.StatusCode != http.StatusOK || found == nil {
		d.T.Fatalf("launch %s: %d %s", path, r.StatusCode, body)
	}
	return &Page{d: d, token: found[1]}
}

// AppPage opens the app detail page.
func (d *Demo) AppPage(tenant, user string) *Page {
	d.T.Helper()
	return d.Launch(tenant, user, "/apps/dialpad", crm.UsePage, nil)
}

// Outbox opens the outbox of an Acme user.
func (d *Demo) Outbox(user string) *Page {
	d.T.Helper()
	return d.Launch("acme", user, "/texts", crm.UsePage, nil)
}

// Popup opens the popup for an Acme user.
func (d *Demo) Popup(user string, ctx crm.LaunchTarget) *Page {
	d.T.Helper()
	return d.Launch("acme", user, "/embed/popup", crm.UsePopup, &ctx)
}

// BulkPopup opens the popup for all records of a module.
func (d *Demo) BulkPopup(user, module string) (p *Page, count int) {
	d.T.Helper()
	selection, count, err := d.CRMSandbox.Select("acme", user, module, "")
	d.Must(err)
	return d.Popup(user, crm.LaunchTarget{Mode: "bulk", Module: module, Selection: selection, Count: count}), count
}

// Bob is the context of a popup for one text, to Bob Tanaka.
func Bob() crm.LaunchTarget {
	return crm.LaunchTarget{Mode: "one", Module: "contact", RecordIDs: []string{"7"}, ToNumber: "+14155550142"}
}

// Read returns the whole body and closes it.
func Read(r *http.Response) string {
	defer func() { _ = r.Body.Close() }()
	b, _ := io.ReadAll(r.Body)
	return string(b)
}

// Answer is the response to a page's call.
type Answer struct {
	Status int
	Body   string
	fields map[string]any // of a JSON body
}

// At returns the value at a path such as "batch.counts.sent"; nil where there
// is none.
func (a Answer) At(path string) any {
	var v any = a.fields
	for key := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

// Text returns the string at a path; "" where there is none.
func (a Answer) Text(path string) string { s, _ := a.At(path).(string); return s }

// SumOfCounts adds up a batch's counts, which must give its total.
func (a Answer) SumOfCounts() float64 {
	sum := 0.0
	counts, _ := a.At("batch.counts").(map[string]any)
	for key, n := range counts {
		if key != "total" {
			sum += n.(float64)
		}
	}
	return sum
}

// Do sends a call of the page. headers are name, value, name, value.
func (p *Page) Do(method, path string, body any, headers ...string) Answer {
	p.d.T.Helper()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		p.d.Must(err)
		in = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, p.d.AppURL+path, in)
	p.d.Must(err)
	r.Header.Set("Authorization", "Bearer "+p.token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	p.d.Must(err)
	a := Answer{Status: res.StatusCode, Body: Read(res)}
	_ = json.Unmarshal([]byte(a.Body), &a.fields) // At finds nothing in what is no JSON
	return a
}

// Get sends a GET call.
func (p *Page) Get(path string) Answer { p.d.T.Helper(); return p.Do(http.MethodGet, path, nil) }

// Post sends a POST call; a nil body is an empty object.
func (p *Page) Post(path string, body any, headers ...string) Answer {
	p.d.T.Helper()
	if body == nil {
		body = map[string]any{}
	}
	return p.Do(http.MethodPost, path, body, headers...)
}

// CreateBatch creates a batch and returns the answer and the batch's path.
func (p *Page) CreateBatch(key string, body map[string]any) (Answer, string) {
	p.d.T.Helper()
	a := p.Post("/embed/api/batches", body, "Idempotency-Key", key)
	if a.Status != http.StatusAccepted {
		p.d.T.Fatalf("create batch: %d %s", a.Status, a.Body)
	}
	return a, "/embed/api/batches/" + a.Text("batch.id")
}

// SaveRate sets how many texts go out in a minute.
func (p *Page) SaveRate(perMinute int) {
	p.d.T.Helper()
	p.SaveSettings(map[string]any{"rate_per_minute": perMinute})
}

// SaveSettings changes some settings.
func (p *Page) SaveSettings(change map[string]any) {
	p.d.T.Helper()
	a := p.Do(http.MethodPut, "/apps/dialpad/settings", change)
	if a.Status != http.StatusOK {
		p.d.T.Fatalf("settings: %d %s", a.Status, a.Body)
	}
}
