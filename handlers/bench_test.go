package handlers_test

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dialpad-texting/integrations/crm"
)

// BenchmarkPopupFirstByte launches the popup over HTTP and reports how long the
// first byte takes and how many bytes go over the wire until it can be drawn
// and used: the page, its styles and every module it names.
//
//	go test ./handlers -run '^$' -bench PopupFirstByte -benchtime 2000x
//
// Aims: p99 at most 20 ms, at most 40,000 bytes.
func BenchmarkPopupFirstByte(b *testing.B) {
	w := newWorld(b, func(o *setup) { o.unchecked = true })
	took := make([]time.Duration, 0, b.N)
	var page string
	for range b.N {
		w.clock.Add(time.Second) // tokens of their own moment
		form := url.Values{"token": {w.token("acme", "42", crm.UsePopup, one("+14155550142"))}}.Encode()
		first, body := timed(b, w.app.URL+"/embed/popup", form)
		took, page = append(took, first), body
	}
	slices.Sort(took)
	ms := func(share float64) float64 { return took[int(share*float64(len(took)-1))].Seconds() * 1000 }
	b.ReportMetric(ms(0.5), "p50-ms")
	b.ReportMetric(ms(0.99), "p99-ms")
	b.ReportMetric(float64(w.wire(b, page)), "wire-bytes")
	b.ReportMetric(0, "ns/op")
}

func timed(b *testing.B, address, form string) (time.Duration, string) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, address, strings.NewReader(form))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var first time.Duration
	begun := time.Now()
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotFirstResponseByte: func() { first = time.Since(begun) }}))
	answer, err := client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatalf("%d, %v", answer.StatusCode, err)
	}
	return first, string(body)
}

var (
	assetLink  = regexp.MustCompile(`(?:href|src)="(/static/[^"#]+)`)
	moduleName = regexp.MustCompile(`from '\./([a-z]+\.js)'`)
)

// wire adds up page and assets as a browser fetches them, headers apart.
// Pictures that are drawn later do not count.
func (w *world) wire(b *testing.B, page string) int {
	b.Helper()
	total, seen := len(page), map[string]bool{}
	var fetch func(path string)
	fetch = func(path string) {
		if seen[path] || strings.HasSuffix(path, ".svg") {
			return
		}
		seen[path] = true
		r := w.send(http.MethodGet, path, nil, header("Accept-Encoding", "gzip")).want(200, "")
		total += len(r.body)
		plain := w.send(http.MethodGet, path, nil, header("Accept-Encoding", "identity"))
		for _, found := range moduleName.FindAllStringSubmatch(plain.body, -1) {
			fetch(path[:strings.LastIndex(path, "/")+1] + found[1])
		}
	}
	for _, found := range assetLink.FindAllStringSubmatch(page, -1) {
		fetch(found[1])
	}
	return total
}
