package dialpad

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
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
		"2026-01-01t00:00:00z": second, "2026-01-01t01:00:00.0+01:00": second, "2025-12-31T19:00:00-0500": second, "2026-01-01t00:00:00": second,
		"1.767225600e9": second, "1767225600000.0": second, "2026-01-01T00:00:00.5": second.Add(500 * time.Millisecond), "1767225600": second, "1767225600000": second,
		"1767225600.5": second.Add(500 * time.Millisecond), "": {}, "soon": {}, "20261130": {}, "1": {}, "-1": {}, "NaN": {}, "1e300": {},
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

func TestLenientID(t *testing.T) {
	for raw, want := range map[string]string{
		`5835806903417907`: "5835806903417907", `"5835806903417907"`: "5835806903417907", `5835806903417907.0`: "5835806903417907",
		`5.835806903417907e15`: "5835806903417907", `9223372036854775807`: "9223372036854775807", `18446744073709551615`: "18446744073709551615",
		`"agxzfm"`: "agxzfm", `"12e4"`: "12e4", `0`: "0", // opaque strings stay as they are
		`null`: "", `true`: "", `false`: "", `{}`: "", `[1]`: "", `""`: "", `42.5`: "", `1e999999999`: "", `"a\u0000b"`: "", `"a\nb"`: "",
		`"` + strings.Repeat("x", 256) + `"`: "",
	} {
		var id lenientID
		if err := json.Unmarshal([]byte(raw), &id); err != nil || string(id) != want {
			t.Errorf("%s: %q, %v; want %q", raw, id, err, want)
		}
	}
}

// One odd item or nested value must not lose the page, and a page that
// is no list must not count as an empty one.
func TestOddItemsDoNotLoseThePage(t *testing.T) {
	answering := func(body string) *Client { return clientAnswering(t, 200, nil, body) }
	users, err := answering(`{"items":[7,null,[],"x",{"id":1.0,"emails":{"a":1},"phone_numbers":14155550100,"is_super_admin":1.0},{"id":true}]}`).Users(t.Context(), "token", UsersQuery{})
	if want := (UserPage{Items: []User{{ID: "1", PhoneNumbers: []string{"14155550100"}, IsSuperAdmin: true}}}); err != nil || !cmp.Equal(want, users) {
		t.Errorf("users: %+v, %v", users, err)
	}
	subs, err := answering(`{"items":[{"id":3e0,"webhook":"x"},{"id":"4","webhook":{"id":5.0,"hook_url":"u"}}]}`).SMSSubscriptions(t.Context(), "token")
	if want := []Subscription{{ID: "3"}, {ID: "4", WebhookID: "5", HookURL: "u"}}; err != nil || !cmp.Equal(want, subs) {
		t.Errorf("subscriptions: %+v, %v", subs, err)
	}
	outs, err := answering(`{"items":[{"external_endpoint":"+14155550142","date":1767225600000.0,"opt_out_scope_info":[]},5]}`).OptOuts(t.Context(), "token", "1", "")
	if want := (OptOutPage{Items: []OptOut{{Number: "+14155550142", At: time.UnixMilli(1767225600000).UTC()}}}); err != nil || !cmp.Equal(want, outs) {
		t.Errorf("opt-outs: %+v, %v", outs, err)
	}
	for _, body := range []string{`{"items":{}}`, `{"items":"none"}`, `{"items":7}`} {
		if _, err := answering(body).Users(t.Context(), "token", UsersQuery{}); KindOf(err) != Unavailable {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestFailureInAnAcceptedResponse(t *testing.T) {
	for body, want := range map[string]bool{
		`{"id":1004.0,"message_status":"failed"}`:                                                true,
		`{"id":1,"message_status":"FAILED ","message_delivery_result":null}`:                     true,
		`{"message_status":"failed","message_delivery_result":"invalid_destination"}`:            true, // even without an id
		`{"id":1,"message_status":"undelivered"}`:                                                true,
		`{"id":1,"message_status":"pending","message_delivery_result":"rejected_spam"}`:          true,
		`{"id":1,"message_status":"pending","message_delivery_result":"accepted"}`:               false,
		`{"id":1,"message_status":"success"}`:                                                    false,
		`{"id":1}`:                                                                               false,
		`{"id":1,"message_status":{},"message_delivery_result":[]}`:                              false,
		`{"id":1,"message_status":"some_new_word","message_delivery_result":"another_new_word"}`: false,
	} {
		got, err := clientAnswering(t, 200, nil, body).SendSMS(t.Context(), "token", text)
		if err != nil || got.Failed() != want {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}

// An id in any shape is one that fits into the database, and all shapes
// of one number give one id.
func FuzzLenientID(f *testing.F) {
	for _, raw := range []string{`42`, `"42"`, `42.0`, `4.2e1`, `true`, `"a\u0000"`, `{}`} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var id, again lenientID
		if json.Unmarshal(raw, &id) != nil {
			return
		}
		quoted, _ := json.Marshal(string(id))
		if len(id) > maxID || strings.ContainsRune(string(id), 0) || json.Unmarshal(quoted, &again) != nil || again != id {
			t.Errorf("%q gives %q, then %q", raw, id, again)
		}
	})
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2026-01-01t00:00:00z", "2026-01-01T00:00:00", "1767225600", "1.7672256e12", "NaN", "1e300"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := parseTime(s); got.Year() < -1 || got.Year() > 10000 || got.Location() != time.UTC {
			t.Errorf("parseTime(%q) = %v", s, got)
		}
	})
}
