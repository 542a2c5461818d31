package crm

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var acme = Tenant{ID: "t_9", Linkname: "acme", Name: "Acme Inc", Plan: "business", TimeZone: "America/New_York"}

// fakeCRM verifies and records the last call and answers as it is set.
type fakeCRM struct {
	*httptest.Server
	secrets Secrets
	calls   atomic.Int64
	path    atomic.Value // string
	id      atomic.Value // string
	call    atomic.Value // Call
}

func newFakeCRM(t *testing.T, answer http.HandlerFunc) *fakeCRM {
	p := &fakeCRM{secrets: secrets(t, aSecret)}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.calls.Add(1)
		body, _ := io.ReadAll(r.Body)
		id, _, err := p.secrets.Verify(r.Header, body, noon)
		call, perr := ParseCall(body)
		if err != nil || perr != nil || r.Method != http.MethodPost {
			http.Error(w, "unsigned", http.StatusUnauthorized)
			return
		}
		p.path.Store(r.URL.Path)
		p.id.Store(id)
		p.call.Store(call)
		answer(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *fakeCRM) client() *Client { return New(p.URL+"/{linkname}", p.secrets, nil, clock) }

func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}

func (p *fakeCRM) wantCall(t *testing.T, callType, data string) {
	t.Helper()
	call := p.call.Load().(Call)
	var got, want any
	if err := errors.Join(json.Unmarshal(call.Data, &got), json.Unmarshal([]byte(data), &want)); err != nil {
		t.Fatal(err)
	}
	if call.Type != callType || !call.Timestamp.Equal(noon) || p.path.Load() != "/acme" {
		t.Errorf("got %s at %v on %v", call.Type, call.Timestamp, p.path.Load())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", callType, diff)
	}
}

const acmeJSON = `{"id":"t_9","linkname":"acme","name":"Acme Inc","plan":"business","time_zone":"America/New_York"}`

func TestResolveRecordsDecodesBothIDShapesAndNulls(t *testing.T) {
	p := newFakeCRM(t, answer(`{"records":[{"module":"deal","id":7,"name":"Big","contact_id":3,"new":[],
		"fields":{"Contact.firstName":"Bob","Deal.value":1200.50,"Contact.tags":["a",2],"Contact.vip":true,"Contact.lastName":null},
		"phones":{"mobile":"+14155550142","phone":null},"opted_out":true,"time_zone":"America/Chicago","owner":42}],
		"missing":["8"],"forbidden":null,"next":12}`))
	got, err := p.client().ResolveRecords(context.Background(), acme, ResolveQuery{UserID: "42", Module: "deal", IDs: []string{"7", "8"}, Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	want := Records{Missing: []string{"8"}, Forbidden: []string{}, Next: "12", Records: []Record{{
		Module: "deal", ID: "7", Name: "Big", ContactID: "3", OptedOut: true, TimeZone: "America/Chicago", Owner: "42",
		Fields: map[string]string{"Contact.firstName": "Bob", "Deal.value": "1200.50", "Contact.tags": "a, 2", "Contact.vip": "true", "Contact.lastName": ""},
		Phones: map[string]string{"mobile": "+14155550142", "phone": ""},
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	p.wantCall(t, "records.resolve", `{"tenant":`+acmeJSON+`,"user_id":"42","module":"deal","ids":["7","8"],"cursor":null,"limit":50}`)
}

// A value that is no text is "", and any opted_out but a clear no is yes.
func TestInvalidFieldDoesNotLoseThePage(t *testing.T) {
	p := newFakeCRM(t, answer(`{"records":[
		{"module":"contact","id":"1","name":12,"fields":{"Contact.firstName":"Bob","Contact.address":{"city":"Oakland"},"Contact.tags":["a",{"id":1}]},"phones":{"mobile":{}},"opted_out":"false","time_zone":{}},
		{"module":"contact","id":"2","opted_out":"yes"},{"module":"contact","id":"3","opted_out":{}},{"module":"contact","id":"4","opted_out":1},{"module":"contact","id":"5","opted_out":0},
		{"module":"contact","id":"6","opted_out":null}],"missing":[],"forbidden":[],"next":null}`))
	got, err := p.client().ResolveRecords(t.Context(), acme, ResolveQuery{Module: "contact", IDs: []string{"1", "2", "3", "4", "5", "6"}})
	if err != nil {
		t.Fatal(err)
	}
	first := Record{Module: "contact", ID: "1", Name: "12", Phones: map[string]string{"mobile": ""},
		Fields: map[string]string{"Contact.firstName": "Bob", "Contact.address": "", "Contact.tags": "a"}}
	if diff := cmp.Diff(first, got.Records[0]); diff != "" {
		t.Error(diff)
	}
	for i, want := range []bool{false, true, true, true, false, false} {
		if got.Records[i].OptedOut != want {
			t.Errorf("%s opted out: %t", got.Records[i].ID, got.Records[i].OptedOut)
		}
	}
}

func TestResolveRecordsBySelection(t *testing.T) {
	p := newFakeCRM(t, answer(`{"records":null,"next":null}`))
	got, err := p.client().ResolveRecords(context.Background(), acme, ResolveQuery{UserID: "42", Module: "contact", Selection: "sel_1", Cursor: "c2"})
	if err != nil || len(got.Records) != 0 || got.Next != "" {
		t.Errorf("%+v %v", got, err)
	}
	p.wantCall(t, "records.resolve", `{"tenant":`+acmeJSON+`,"user_id":"42","module":"contact","selection":"sel_1","cursor":"c2","limit":200}`)
}

func TestResolveRecordsAddsUnmentionedIDsToMissing(t *testing.T) {
	p := newFakeCRM(t, answer(`{"records":[{"module":"contact","id":"1"}],"forbidden":["2"]}`))
	got, err := p.client().ResolveRecords(context.Background(), acme, ResolveQuery{Module: "contact", IDs: []string{"1", "2", "3", "3"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"3"}, got.Missing); diff != "" {
		t.Error(diff)
	}
}

func TestAnswerAgainstTheContractIsGarbage(t *testing.T) {
	record := func(more string) string {
		return `{"records":[{"module":"contact","id":"1"` + more + `}]}`
	}
	for name, handler := range map[string]http.HandlerFunc{
		"a page": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, `{"records":[]}`)
		},
		"not JSON":          answer(`<html>`),
		"a list":            answer(`[]`),
		"null":              answer(`null`),
		"empty":             answer(``),
		"other JSON":        answer(`{"ok":true}`),
		"records an object": answer(`{"records":{}}`),
		"not asked for":     answer(`{"records":[{"module":"contact","id":"2"}]}`),
		"of another module": answer(`{"records":[{"module":"deal","id":"1"}]}`),
		"twice":             answer(`{"records":[{"module":"contact","id":"1"},{"module":"contact","id":1}]}`),
		"missing not asked": answer(`{"records":[],"missing":["9"]}`),
		"the same cursor":   answer(`{"records":[],"next":"c1"}`),
		"missing no list":   answer(`{"records":[],"missing":{}}`),
		"next with a NUL":   answer(`{"records":[],"next":"c\u0000"}`),
		"too large":         answer(record(`,"name":"` + strings.Repeat("x", maxAnswer) + `"`)),
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newFakeCRM(t, handler)
			got, err := p.client().ResolveRecords(context.Background(), acme, ResolveQuery{Module: "contact", IDs: []string{"1"}, Cursor: "c1"})
			var e *Error
			if !errors.As(err, &e) || e.Kind != Garbage || e.Status == 0 {
				t.Errorf("got %+v, %v", got, err)
			}
			if n := p.calls.Load(); n != 1 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// One record that can't be read must not lose the page's others.
func TestUnreadableRecordIsLeftOutAlone(t *testing.T) {
	for odd, unreadable := range map[string][]string{
		`"fields":[]`: {"fields"}, `"fields":"x"`: {"fields"}, `"phones":[]`: {"phones"}, `"phones":true`: {"phones"},
		`"owner":42.5`: {"owner"}, `"owner":{}`: {"owner"}, `"contact_id":true`: {"contact_id"}, `"contact_id":"a\n"`: {"contact_id"},
		`"owner":[],"fields":7`: {"fields", "owner"},
		// Values of any other type are read.
		`"fields":{"Contact.x":["a",["b",{"c":1}]]}`: nil, `"name":{}`: nil, `"time_zone":7`: nil, `"fields":null,"phones":null,"owner":null`: nil,
		`"owner":42.0,"contact_id":4.2e1`: nil, `"opted_out":[]`: nil,
	} {
		p := newFakeCRM(t, answer(`{"records":[{"module":"contact","id":1},{"id":"2",`+odd+`},{"module":"contact","id":3.0}]}`))
		got, err := p.client().ResolveRecords(t.Context(), acme, ResolveQuery{Module: "contact", IDs: []string{"1", "2", "3"}})
		if err != nil || len(got.Missing) != 0 {
			t.Errorf("%s: %v, missing %v", odd, err, got.Missing)
		}
		if unreadable == nil {
			if len(got.Records) != 3 || len(got.Unreadable) != 0 {
				t.Errorf("%s: %+v", odd, got)
			}
			continue
		}
		if diff := cmp.Diff([]UnreadableRecord{{ID: "2", Fields: unreadable}}, got.Unreadable); diff != "" || len(got.Records) != 2 {
			t.Errorf("%s: %s, %+v", odd, diff, got.Records)
		}
	}
}

// Where a record's very id can't be read, an id that the answer does not
// name is not known to be missing.
func TestUnnamedRecordsMakeUnmentionedIDsUnreadable(t *testing.T) {
	for _, odd := range []string{`{"module":"contact"}`, `{"module":"contact","id":{}}`, `{"id":"2\u0000"}`, `{"id":"` + strings.Repeat("x", 256) + `"}`,
		`null`, `7`, `"x"`, `[]`, `{"id":true}`, `{"id":2.5}`} {
		p := newFakeCRM(t, answer(`{"records":[{"id":"1"},`+odd+`],"missing":["3"]}`))
		got, err := p.client().ResolveRecords(t.Context(), acme, ResolveQuery{Module: "contact", IDs: []string{"1", "2", "3"}})
		want := Records{Records: []Record{{Module: "contact", ID: "1", Fields: map[string]string{}, Phones: map[string]string{}}}, Missing: []string{"3"},
			Forbidden: []string{}, Unreadable: []UnreadableRecord{{ID: "2"}}, Unnamed: 1}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", odd, err, diff)
		}
	}
}

func FuzzReadRecord(f *testing.F) {
	for _, raw := range []string{`{"id":1}`, `{"id":"7","fields":[],"owner":42.0}`, `{"id":7.0,"phones":{"mobile":"+1"},"opted_out":0.0}`, `[]`} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, unreadable := readRecord(raw, "contact")
		for _, id := range []string{r.ID, r.ContactID, r.Owner} {
			if identifierProblem(id, maxID) != "" {
				t.Errorf("%q gives the id %q", raw, id)
			}
		}
		if strings.Contains(r.Name, "\x00") || r.ID == "" && len(unreadable) == 0 && json.Valid(raw) && strings.Contains(string(raw), `"id":1`) {
			t.Errorf("%q gives %+v, %v", raw, r, unreadable)
		}
	})
}

func TestStatusMapsToKind(t *testing.T) {
	later := noon.Add(90 * time.Second).Format(http.TimeFormat)
	for _, tc := range []struct {
		status int
		retry  string
		kind   Kind
		after  time.Duration
	}{
		{503, "7", Unavailable, 7 * time.Second},
		{503, later, Unavailable, 90 * time.Second},
		{500, "soon", Unavailable, 0},
		{429, "-3", Unavailable, 0},
		{408, "", Unavailable, 0},
		{400, "", Refused, 0},
		{401, "", Refused, 0},
		{404, "", Refused, 0},
	} {
		p := newFakeCRM(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", tc.retry)
			w.WriteHeader(tc.status)
		})
		_, err := p.client().Fields(context.Background(), acme, "contact")
		var e *Error
		if !errors.As(err, &e) || e.Kind != tc.kind || e.Status != tc.status || e.RetryAfter != tc.after {
			t.Errorf("%d %q: %+v", tc.status, tc.retry, e)
		}
		if KindOf(err) != tc.kind {
			t.Errorf("%d: KindOf", tc.status)
		}
	}
}

func TestNoAnswerIsUnavailable(t *testing.T) {
	p := newFakeCRM(t, answer(`{}`))
	client := p.client()
	p.Close()
	_, err := client.Users(context.Background(), acme, "")
	if KindOf(err) != Unavailable || strings.Contains(err.Error(), "/acme") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := client.Users(ctx, acme, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestInvalidLinknameIsNotCalled(t *testing.T) {
	p := newFakeCRM(t, answer(`{"users":[]}`))
	for _, linkname := range []string{"", "a/b", "evil.com#", "A B"} {
		_, err := p.client().Users(context.Background(), Tenant{ID: "t", Linkname: linkname}, "")
		var e *Error
		if !errors.As(err, &e) || e.Kind != Refused {
			t.Errorf("%q: %v", linkname, err)
		}
	}
	if p.calls.Load() != 0 {
		t.Error("somebody was asked")
	}
}

func TestResolveRecordsRefusesInvalidQueries(t *testing.T) {
	p := newFakeCRM(t, answer(`{"records":[]}`))
	for name, q := range map[string]ResolveQuery{
		"neither": {Module: "contact"},
		"both":    {Module: "contact", IDs: []string{"1"}, Selection: "s"},
		"201 ids": {Module: "contact", IDs: make([]string, 201)},
	} {
		var e *Error
		if _, err := p.client().ResolveRecords(context.Background(), acme, q); !errors.As(err, &e) || e.Kind != Refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSlowCRMTimesOut(t *testing.T) {
	done := make(chan struct{})
	p := newFakeCRM(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-done:
		case <-r.Context().Done():
		}
	})
	defer close(done)
	client := New(p.URL+"/{linkname}", p.secrets, &http.Client{Timeout: 20 * time.Millisecond}, clock)
	if _, err := client.Users(context.Background(), acme, ""); KindOf(err) != Unavailable {
		t.Errorf("got %v", err)
	}
}
