package audience

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// What previews take is limited by what bytes says.
func TestPreviewStateKnowsItsSize(t *testing.T) {
	for name, of := range map[string]func(i int) string{
		"short names": func(i int) string { return fmt.Sprintf("Bob %d", i) },
		"long names":  func(i int) string { return fmt.Sprint(strings.Repeat("é", 190), i) },
	} {
		before := heap()
		p := newPreviewState()
		for page := range 1000 {
			list := make([]Recipient, 200)
			for i := range list {
				list[i] = Recipient{Number: fmt.Sprintf("+1415%07d", page*200+i), Name: of(page*200 + i)}
			}
			p.duplicates.exclude(list)
			p.seen.add(strings.Repeat("c", 4000) + fmt.Sprint(page))
		}
		taken := int(heap() - before)
		if p.bytes() > previewLimits.User || taken > p.bytes()*5/4 || taken < p.bytes()/3 {
			t.Errorf("%s: 200,000 recipients take %d bytes, counted %d", name, taken, p.bytes())
		}
		again := []Recipient{{Number: "+14150000007"}, {Number: "+14150199999"}}
		if p.duplicates.exclude(again); again[0].Reason != sameNumberAs(of(7)) || again[1].Code != CodeDuplicate {
			t.Errorf("%s: %+v", name, again)
		}
		runtime.KeepAlive(p)
	}
}

// heap is the memory in use after a collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
