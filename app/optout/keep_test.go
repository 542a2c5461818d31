package optout_test

import (
	"errors"
	"testing"
	"time"

	"dialpad-texting/app/apierror"
	"dialpad-texting/app/optout"
	"dialpad-texting/integrations/dialpad"
	. "dialpad-texting/internal/apptest"
)

// TestKeepIsAboutTheTextThatWasRead decides about a text after another
// one came.
func TestKeepIsAboutTheTextThatWasRead(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		say := func(text string) time.Time {
			s.Clock.Add(time.Second)
			s.receive(dialpad.SMSEvent{Direction: "inbound", FromNumber: Bob, ToNumbers: []string{ana}, Text: text, EventAt: s.Clock.Now()})
			r, err := s.DB.Suppressions.Review(Ctx, "t_9", Bob)
			Must(t, err)
			s.Clock.Add(time.Second)
			return r.SaidAt
		}
		keep := func(at *time.Time) string {
			_, err := s.Decide(Ctx, s.One("ana", "7", Bob), optout.Decision{Action: optout.ActionKeep, Number: Bob, At: at})
			var e *apierror.Error
			if errors.As(err, &e) {
				return e.Message
			}
			Must(t, err)
			return ""
		}
		first := say("stop it, you make me laugh")
		second := say("really, take me off your list")
		if got := keep(&first); got != "This person has written again. Read it before you decide." || !s.isReviewed(Bob) {
			t.Errorf("the newer text: %q, reviewed %v", got, s.isReviewed(Bob))
		}
		if got := keep(&second); got != "" || s.isReviewed(Bob) {
			t.Errorf("%q, reviewed %v", got, s.isReviewed(Bob))
		}
		if got := keep(&second); got != "Somebody has decided about this number already." {
			t.Errorf("again: %q", got)
		}
		say("stop it")
		if got := keep(nil); got != "" || s.isReviewed(Bob) {
			t.Errorf("without a time: %q, reviewed %v", got, s.isReviewed(Bob))
		}
	})
}
