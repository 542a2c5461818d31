package sandbox_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/integrations/dialpad/sandbox"
)

const callback = "http://127.0.0.1:8080/connect/callback?from=dialpad"

// world is a seeded sandbox behind a server, a client, and a manual
// clock.
type world struct {
	*sandbox.Sandbox
	client *dialpad.Client
	url    string
	mu     sync.Mutex
	time   time.Time
}

func newWorld(t *testing.T, change func(*sandbox.Options)) *world {
	t.Helper()
	w := &world{time: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}
	opts := sandbox.Options{
		ClientID: "app", ClientSecret: "s3cret", RedirectURIs: []string{callback}, Now: w.now,
		RequestsPerSecond: -1, RetryScale: 0.001,
	}
	if change != nil {
		change(&opts)
	}
	w.Sandbox = sandbox.New(opts)
	w.SeedDemo()
	server := httptest.NewServer(w.Sandbox)
	t.Cleanup(func() { w.Close(); server.Close() })
	w.url = server.URL
	w.client = dialpad.New(dialpad.Config{
		BaseURL: server.URL, ClientID: "app", ClientSecret: "s3cret", RedirectURL: callback,
		Scopes: []string{"offline_access", "change_log"}, Now: w.now,
	})
	t.Cleanup(w.client.CloseIdleConnections)
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

func (w *world) connect(t *testing.T, userID string) dialpad.Token {
	t.Helper()
	verifier := oauth2.GenerateVerifier()
	next, err := w.Consent(w.client.AuthCodeURL("st", verifier), userID)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(next)
	if u.Query().Get("state") != "st" || u.Query().Get("from") != "dialpad" {
		t.Fatalf("redirect %q lost state or the URI's own query", next)
	}
	token, err := w.client.Exchange(t.Context(), u.Query().Get("code"), verifier)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

var hello = dialpad.SMS{UserID: sandbox.BenID, ToNumber: "+14155550142", Text: "Hi"}

func wantKind(t *testing.T, err error, want dialpad.Kind) {
	t.Helper()
	if got := dialpad.KindOf(err); got != want {
		t.Errorf("kind = %q (%v), want %q", got, err, want)
	}
}

func TestTextsPerMinuteLimit(t *testing.T) {
	w := newWorld(t, nil)
	token := w.IssueToken(sandbox.AnaID)
	for i := range 100 {
		if _, err := w.client.SendSMS(t.Context(), token, hello); err != nil {
			t.Fatalf("text %d: %v", i, err)
		}
		w.advance(100 * time.Millisecond)
	}
	_, err := w.client.SendSMS(t.Context(), token, hello)
	wantKind(t, err, dialpad.RateLimited)
	w.SetRateLimitStyle(sandbox.RateLimitStyle{Forbidden: true, RetryAfter: true})
	_, err = w.client.SendSMS(t.Context(), token, hello)
	wantKind(t, err, dialpad.RateLimited)
	var e *dialpad.Error
	if errors.As(err, &e) && (e.Status != 403 || e.RetryAfter != 50*time.Second) {
		t.Errorf("403 style: %+v", e)
	}
	w.advance(50 * time.Second) // the first of the window is a minute old
	if _, err := w.client.SendSMS(t.Context(), token, hello); err != nil {
		t.Error(err)
	}
	w.SetTextsPerMinute(sandbox.AcmeID, 800)
	for i := range 500 {
		if _, err := w.client.SendSMS(t.Context(), token, hello); err != nil {
			t.Fatalf("tier 1, text %d: %v", i, err)
		}
	}
	if got := w.Accepted(); got != 601 {
		t.Errorf("accepted = %d", got)
	}
}

func TestRequestsPerSecondLimit(t *testing.T) {
	w := newWorld(t, func(o *sandbox.Options) { o.RequestsPerSecond = 0 })
	token := w.IssueToken(sandbox.AnaID)
	for range 20 {
		if _, err := w.client.Me(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.client.Me(t.Context(), token)
	wantKind(t, err, dialpad.RateLimited)
	if _, err := w.client.Me(t.Context(), w.IssueToken(sandbox.GilID)); err != nil {
		t.Errorf("another company: %v", err)
	}
}

func TestUsersArePagedAndShaped(t *testing.T) {
	w := newWorld(t, nil)
	w.SeedUsers(sandbox.AcmeID, 250)
	w.DeleteUser(sandbox.BenID)
	token := w.IssueToken(sandbox.AnaID)
	users := map[string]dialpad.User{}
	for cursor, pages := "", 1; ; pages++ {
		page, err := w.client.Users(t.Context(), token, dialpad.UsersQuery{Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Items {
			users[u.ID] = u
		}
		if cursor = page.Cursor; cursor == "" {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	if len(users) != 254 {
		t.Errorf("%d users", len(users))
	}
	ben := users[sandbox.BenID]
	if ben.State != "deleted" || ben.Emails != nil || ben.Number() != "" || ben.DisplayName != "Ben Okoro (deactivated)" {
		t.Errorf("deleted user = %+v", ben)
	}
	if dan := users[sandbox.DanID]; dan.Number() != "" || dan.State != "active" {
		t.Errorf("user without number = %+v", dan)
	}
	page, err := w.client.Users(t.Context(), token, dialpad.UsersQuery{Email: "nobody@acme.com"})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("empty list = %+v, %v", page, err)
	}
}

func TestAdminCallsRefuseOtherUsers(t *testing.T) {
	w := newWorld(t, nil)
	ben := w.IssueToken(sandbox.BenID, "change_log")
	_, err := w.client.Company(t.Context(), ben)
	wantKind(t, err, dialpad.Forbidden)
	_, err = w.client.ChangeLogSubscriptions(t.Context(), ben)
	wantKind(t, err, dialpad.Forbidden)
	_, err = w.client.SendSMS(t.Context(), ben, dialpad.SMS{UserID: sandbox.AnaID, ToNumber: "+14155550142", Text: "x"})
	wantKind(t, err, dialpad.Forbidden)
	ana := w.IssueToken(sandbox.AnaID)
	hook, err := w.client.CreateWebhook(t.Context(), ana, "http://127.0.0.1:1/x", "sec")
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.client.CreateChangeLogSubscription(t.Context(), ana, hook.ID)
	wantKind(t, err, dialpad.Forbidden) // no change_log scope
}

func TestInvalidTextsAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	token := w.IssueToken(sandbox.AnaID)
	w.Reply("+14155550143", "+14155550101", " stop ")
	long := make([]byte, 1501)
	for i := range long {
		long[i] = 'x'
	}
	for name, tc := range map[string]struct {
		sms  dialpad.SMS
		want string
	}{
		"no number":    {dialpad.SMS{UserID: sandbox.DanID, ToNumber: "+14155550142", Text: "x"}, "The sender has no phone number"},
		"suspended":    {dialpad.SMS{UserID: sandbox.EveID, ToNumber: "+14155550142", Text: "x"}, "The sender's account is suspended"},
		"other firm":   {dialpad.SMS{UserID: sandbox.GilID, ToNumber: "+14155550142", Text: "x"}, "User not found"},
		"nonsense":     {dialpad.SMS{UserID: sandbox.BenID, ToNumber: "+123456789012345678901", Text: "x"}, "Not a valid phone number: +123456789012345678901"},
		"too long":     {dialpad.SMS{UserID: sandbox.BenID, ToNumber: "+14155550142", Text: string(long)}, "text is longer than 1500 characters"},
		"opted out":    {dialpad.SMS{UserID: sandbox.BenID, ToNumber: "+14155550143", Text: "x"}, "The recipient +14155550143 has opted out of texts from this company"},
		"foreign from": {dialpad.SMS{UserID: sandbox.BenID, FromNumber: "+12125550150", ToNumber: "+14155550142", Text: "x"}, "from_number is not assigned to a user of this company"},
	} {
		_, err := w.client.SendSMS(t.Context(), token, tc.sms)
		wantKind(t, err, dialpad.Refused)
		var e *dialpad.Error
		if errors.As(err, &e) && e.Message != tc.want {
			t.Errorf("%s: message %q, want %q", name, e.Message, tc.want)
		}
	}
	page, err := w.client.OptOuts(t.Context(), token, sandbox.AcmeID, "")
	if err != nil || len(page.Items) != 1 || page.Items[0].Number != "+14155550143" || !page.Items[0].At.Equal(w.now()) {
		t.Errorf("opt-outs = %+v, %v", page, err)
	}
	w.Reply("+14155550143", "+14155550101", "START")
	if w.OptedOut(sandbox.AcmeID, "+14155550143") {
		t.Error("START did not opt back in")
	}
}

func TestDisabledAppMayReadItsSettings(t *testing.T) {
	w := newWorld(t, nil)
	token := w.connect(t, sandbox.AnaID)
	w.DisableApp(sandbox.AcmeID)
	_, err := w.client.SendSMS(t.Context(), token.Access, hello)
	wantKind(t, err, dialpad.Unauthorized)
	settings, err := w.client.AppSettings(t.Context(), token.Access)
	if err != nil || settings.Enabled {
		t.Errorf("settings = %+v, %v", settings, err)
	}
	w.EnableApp(sandbox.AcmeID)
	w.RevokeTokens(sandbox.AcmeID)
	_, err = w.client.AppSettings(t.Context(), token.Access)
	wantKind(t, err, dialpad.Unauthorized)
	if _, err := w.client.Refresh(t.Context(), token.Refresh); !errors.Is(err, dialpad.ErrInvalidGrant) {
		t.Errorf("refresh of a revoked grant: %v", err)
	}
}

// Dialpad refuses large limits at random: a client that sends one must
// be caught.
func TestEveryFifthCallWithALargeLimitFails(t *testing.T) {
	w := newWorld(t, nil)
	token := w.IssueToken(sandbox.AnaID)
	var bad []int
	for i := range 10 {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/api/v2/users?state=all&limit=500", nil)
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode == http.StatusBadRequest {
			bad = append(bad, i)
		}
	}
	if diff := cmp.Diff([]int{4, 9}, bad); diff != "" {
		t.Error(diff)
	}
}

func TestRecorder(t *testing.T) {
	w := newWorld(t, nil)
	token := w.IssueToken(sandbox.AnaID)
	for _, words := range []string{"a", "b", "a"} {
		text := hello
		text.Text = words
		if _, err := w.client.SendSMS(t.Context(), token, text); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]sandbox.Count{{To: hello.ToNumber, Text: "a", Times: 2}}, w.TextedTwice()); diff != "" {
		t.Error(diff)
	}
	if got := w.AcceptedOf(hello.ToNumber, "b"); got != 1 {
		t.Errorf("b was accepted %d times", got)
	}
	if r := w.Requests(); len(r) != 3 || r[0].Path != "/api/v2/sms" || r[0].Status != 200 {
		t.Errorf("requests = %+v", r)
	}
}
