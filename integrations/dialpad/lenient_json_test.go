package dialpad

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// clientAnswering returns a client whose every call gets this response.
func clientAnswering(t *testing.T, status int, header http.Header, body string) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return New(Config{BaseURL: server.URL, Now: func() time.Time { return time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC) }})
}

func TestUserDecodesEveryKnownShape(t *testing.T) {
	added := time.Date(2021, 6, 20, 19, 18, 0, 0, time.UTC)
	for name, want := range map[string]User{
		"user": {
			ID: "5835806903417907", CompanyID: "4508591728425653", OfficeID: "6422934115149452",
			Emails: []string{"Ann@example.com", "ann.lee@example.com"}, DisplayName: "Ann Lee", FirstName: "Ann", LastName: "Lee",
			PhoneNumbers: []string{"+14155550100", "+14155550101"}, State: StateActive, IsAdmin: true, IsSuperAdmin: true,
			Country: "us", TimeZone: "US/Pacific", AddedAt: added,
		},
		"user_numbers_as_ids": {
			ID: "5835806903417907", CompanyID: "4508591728425653", OfficeID: "9223372036854775807", // no float64 holds this
			Emails: []string{"ann@example.com"}, PhoneNumbers: []string{"+14155550100"}, State: StateCancelled, AddedAt: added,
		},
		"user_deleted": {
			ID: "5835806903417907", CompanyID: "4508591728425653", DisplayName: "Ann Lee (deactivated)", FirstName: "Ann", LastName: "Lee",
			State: StateDeleted,
		},
		"user_odd": {ID: "1", PhoneNumbers: []string{"+14155550100"}, State: "on hold", IsSuperAdmin: true, AddedAt: added},
	} {
		got, err := clientAnswering(t, 200, nil, string(testdata(t, name))).User(t.Context(), "token", "1")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := (User{}).Number(); got != "" {
		t.Errorf("Number of nobody = %q", got)
	}
}

func TestUsersReturnsPages(t *testing.T) {
	for name, want := range map[string]UserPage{
		"users":         {Items: []User{{ID: "1", State: "active"}, {ID: "2", State: "pending"}}, Cursor: "opaque=="},
		"users_null":    {},
		"users_missing": {},
	} {
		got, err := clientAnswering(t, 200, nil, string(testdata(t, name))).Users(t.Context(), "token", UsersQuery{})
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestSendSMSDecodesEveryKnownShape(t *testing.T) {
	for name, want := range map[string]SMSResult{
		"sms":        {ID: "1004", Status: "pending"},
		"sms_failed": {ID: "9007199254740993", Status: "failed", DeliveryResult: "invalid_destination"},
	} {
		got, err := clientAnswering(t, 200, nil, string(testdata(t, name))).SendSMS(t.Context(), "token", text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestCompanyAppSettingsAndOptOutsDecode(t *testing.T) {
	company, err := clientAnswering(t, 200, nil, `{"id":123,"name":"Acme","state":"suspended","country":"us","domain":"acme.example"}`).Company(t.Context(), "token")
	if want := (Company{ID: "123", Name: "Acme", State: "suspended", Country: "us", Domain: "acme.example"}); company != want || err != nil {
		t.Errorf("company = %+v, %v", company, err)
	}
	for body, want := range map[string]bool{`{"enabled":true}`: true, `{"enabled":false}`: false, `{"enabled":null}`: true, `{}`: true} {
		got, err := clientAnswering(t, 200, nil, body).AppSettings(t.Context(), "token")
		if got.Enabled != want || err != nil {
			t.Errorf("%s: enabled = %v, %v", body, got.Enabled, err)
		}
	}
	outs, err := clientAnswering(t, 200, nil, `{"items":[{"external_endpoint":"+14155550142","opt_out_state":"opted_out","date":1767225600000,
		"opt_out_scope_info":{"opt_out_scope_level":"a2p_campaign","scope_id":7}},{}]}`).OptOuts(t.Context(), "token", "1", "")
	want := OptOutPage{Items: []OptOut{{Number: "+14155550142", State: "opted_out", At: time.UnixMilli(1767225600000).UTC(), ScopeLevel: "a2p_campaign", ScopeID: "7"}, {}}}
	if diff := cmp.Diff(want, outs); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestParseTime(t *testing.T) {
	second := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Time{
		"2026-01-01T00:00:00": second, "2026-01-01T01:00:00+01:00": second, "2026-01-01 00:00:00": second,
		"2026-01-01T00:00:00.5": second.Add(500 * time.Millisecond), "1767225600": second, "1767225600000": second,
		"1767225600.5": second.Add(500 * time.Millisecond), "": {}, "soon": {}, "-1": {}, "NaN": {}, "1e300": {},
	} {
		if got := parseTime(in); !got.Equal(want) {
			t.Errorf("parseTime(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestNULIsRemoved(t *testing.T) {
	var name lenientString
	if err := json.Unmarshal([]byte(`"A\u0000na"`), &name); err != nil || name != "Ana" {
		t.Errorf("%q %v", name, err)
	}
	if got := errorMessage([]byte("no\x00 room")); got != "no room" {
		t.Errorf("%q", got)
	}
}
