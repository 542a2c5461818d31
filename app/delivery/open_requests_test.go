package delivery

import (
	"fmt"
	"testing"
	"time"
)

func TestALaneHasRoomForItsRateAndLittleWhileItHangs(t *testing.T) {
	now := time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name      string
		open      int
		age       time.Duration
		perMinute float64
		want      int
	}{
		{"nothing open", 0, 0, 100, 8},
		{"a fast company", 10, time.Second, 800, 30},
		{"a full lane", 8, time.Second, 100, 0},
		{"without a limit", 300, time.Second, 0, 128},
		{"a company that hangs", 4, 4 * time.Second, 800, 0},
		{"one answer came", 3, 4 * time.Second, 800, 1},
		{"one that hangs without a limit", 100, 4 * time.Second, 0, 0},
	} {
		var o openRequests
		for i := range c.open {
			o.add(fmt.Sprint(i), now.Add(-c.age))
		}
		if got := o.room(now, 128, c.perMinute); got != c.want {
			t.Errorf("%s: room for %d, want %d", c.name, got, c.want)
		}
		for i := range c.open {
			o.remove(fmt.Sprint(i))
		}
		if got := o.room(now, 5, c.perMinute); got != 5 {
			t.Errorf("%s: room for %d once answered", c.name, got)
		}
	}
}
