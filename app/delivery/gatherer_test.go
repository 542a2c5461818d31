package delivery

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestGathererGroupsByLimitAndByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gatherer[int]{in: make(chan int), limit: 3, wait: time.Second}
		var groups [][]int
		done := make(chan struct{})
		go func() {
			g.run(1, func(group []int) { groups = append(groups, group) })
			close(done)
		}()
		for i := range 4 {
			g.in <- i
		}
		time.Sleep(2 * time.Second)
		g.in <- 4
		close(g.in)
		<-done
		want := [][]int{{0, 1, 2}, {3}, {4}}
		if !slices.EqualFunc(groups, want, slices.Equal) {
			t.Errorf("groups %v, want %v", groups, want)
		}
	})
}
