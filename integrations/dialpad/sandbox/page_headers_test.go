package sandbox_test

import (
	"net/http"
	"strings"
	"testing"

	"dialpad-texting/integrations/dialpad/sandbox"
)

func TestPagesSendSecurityHeaders(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{"/", "/admin", "/phones", "/oauth2/authorize", "/nothing"} {
		resp, err := http.Get(w.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/admin/users/"+sandbox.BenID, strings.NewReader("do=delete"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("another site's form: %d", resp.StatusCode)
	}
}
