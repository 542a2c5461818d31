package crm

import (
	"encoding/json"
	"maps"
	"testing"
)

func TestFieldValues(t *testing.T) {
	for raw, want := range map[string]string{
		`"Bob"`: "Bob", `12.50`: "12.50", `true`: "true", `null`: "", `{"a":1}`: "",
		`["a","b"]`: "a, b", `["",""]`: "", `["","a",null," ","\u200b"]`: "a", `[]`: "", `[["",""],"x"]`: "x",
		`"Tom &amp; Jerry"`: "Tom & Jerry", `"&amp;lt;"`: "&lt;", `"O&#39;Hara"`: "O'Hara", `["A&amp;B",""]`: "A&B",
		`"https://x.com/?a=1&copy=2"`: "https://x.com/?a=1&copy=2",
	} {
		var got text
		if err := json.Unmarshal([]byte(raw), &got); err != nil || string(got) != want {
			t.Errorf("%s is %q, %v; want %q", raw, got, err, want)
		}
	}
}

func TestLinknamesFoldASCIIAlone(t *testing.T) {
	for name, ok := range map[string]bool{"Acme": true, "ac\u212ae": false, "İcme": false, "acme\u202e": false} {
		var tenant Tenant
		err := json.Unmarshal([]byte(`{"id":"t_9","linkname":"`+name+`"}`), &tenant)
		if (err == nil) != ok || ok && tenant.Linkname != "acme" {
			t.Errorf("%q is %q, %v", name, tenant.Linkname, err)
		}
	}
}

// A phone field that is a JSON number has its digits in any notation; a
// field of the text stays as the CRM writes it.
func TestPhonesThatAreNumbers(t *testing.T) {
	r, odd := readRecord([]byte(`{"id":7,"fields":{"Deal.value":1200.0},
		"phones":{"a":14155550142,"b":14155550142.0,"c":1.4155550142e10,"d":"+14155550142","e":null,"f":1.5}}`), ModuleContact)
	want := map[string]string{"a": "14155550142", "b": "14155550142", "c": "14155550142", "d": "+14155550142", "e": "", "f": "1.5"}
	if !maps.Equal(r.Phones, want) || r.Fields["Deal.value"] != "1200.0" || len(odd) > 0 {
		t.Errorf("%q, %q, %q", r.Phones, r.Fields, odd)
	}
}
