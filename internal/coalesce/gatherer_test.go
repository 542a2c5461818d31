package coalesce

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestGathererGroupsByLimitAndByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gatherer[int]{In: make(chan int), Limit: 3, Wait: time.Second}
		var groups [][]int
		done := make(chan struct{})
		go func() {
			g.Run(1, func(group []int) { groups = append(groups, group) })
			close(done)
		}()
		for i := range 4 {
			g.In <- i
		}
		time.Sleep(2 * time.Second)
		g.In <- 4
		close(g.In)
		<-done
		want := [][]int{{0, 1, 2}, {3}, {4}}
		if !slices.EqualFunc(groups, want, slices.Equal) {
			t.Errorf("groups %v, want %v", groups, want)
		}
	})
}
