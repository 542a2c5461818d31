package optout_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"dialpad-texting/app/optout"
	"dialpad-texting/integrations/dialpad"
	. "dialpad-texting/internal/apptest"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

const ana = "+14155550100" // her Dialpad number

// receive stores an event as the door does.
func (s *sides) receive(e dialpad.SMSEvent) {
	s.T.Helper()
	row := ledger.WebhookEvent{TenantID: "t_9", Kind: ledger.EventSMS, DialpadID: e.ID, Status: e.Status,
		BodyHash: fmt.Sprintf("%q %d", fmt.Sprint(e), s.Clock.Now().UnixNano())}
	if !e.EventAt.IsZero() {
		row.EventAt = &e.EventAt
	}
	_, err := s.Receive(Ctx, e, row, func(ctx context.Context, e ledger.WebhookEvent) error {
		_, err := s.DB.SaveEvent(ctx, e)
		return err
	})
	Must(s.T, err)
}

func (s *sides) isReviewed(number string) bool {
	s.T.Helper()
	_, err := s.DB.Suppressions.Review(Ctx, "t_9", number)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		s.T.Fatal(err)
	}
	return err == nil
}

// newest gives back the event that was stored last.
func (s *sides) newest(id string) ledger.WebhookEvent {
	s.T.Helper()
	events, err := s.DB.Events.PendingAllTenants(Ctx, s.Clock.Now().Add(time.Hour), 100)
	Must(s.T, err)
	for _, p := range events {
		e, err := s.DB.Events.Get(Ctx, "t_9", p.ID)
		Must(s.T, err)
		if e.DialpadID == id {
			return e
		}
	}
	s.T.Fatalf("event %s is not pending", id)
	return ledger.WebhookEvent{}
}

func TestStopIsReadFromNumbersInAnyForm(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		const bob = "+14155558002"
		for name, e := range map[string]dialpad.SMSEvent{
			"E.164":              {FromNumber: bob},
			"no plus":            {FromNumber: "14155558002"},
			"national":           {FromNumber: "(415) 555-8002"},
			"ten digits":         {FromNumber: "4155558002"},
			"spaces":             {FromNumber: " +1 415 555 8002 "},
			"contact only":       {ContactNumber: bob},
			"contact, no plus":   {ContactNumber: "14155558002"},
			"garbage in from":    {FromNumber: "Bob", ContactNumber: bob},
			"our number is odd":  {FromNumber: bob, ToNumbers: []string{"(415) 555-0100"}},
			"our number lacks":   {FromNumber: bob, TargetNumber: "(415) 555-0100"},
			"no direction":       {FromNumber: bob, Direction: "-"},
			"odd, no direction":  {FromNumber: "14155558002", ToNumbers: []string{"14155550100"}, Direction: "-"},
			"contact tells":      {FromNumber: bob, ToNumbers: []string{"+14155550999"}, ContactNumber: "4155558002", Direction: "-"},
			"nothing but a text": {FromNumber: bob, ToNumbers: []string{"+14155550999"}, Direction: "-"},
			"upper case":         {FromNumber: bob, Direction: " INBOUND"},
		} {
			switch e.Direction {
			case "":
				e.Direction = "inbound"
			case "-":
				e.Direction = ""
			}
			if len(e.ToNumbers) == 0 && e.TargetNumber == "" {
				e.ToNumbers = []string{ana}
			}
			e.Text, e.EventAt = "Stop.", s.Clock.Now()
			s.receive(e)
			if !s.isSuppressed(bob) {
				t.Errorf("%s: lost", name)
			}
			_, err := s.DB.Suppressions.Remove(Ctx, "t_9", bob, models.OptOutReply)
			Must(t, err)
			s.Clock.Add(time.Second)
		}
	})
}

func TestDirectionIsInferred(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		s.MustPrepare(s.One("ana", "7", Bob), "k1", Text(Hi))
		s.Settle(ledger.Sent, s.Claim()...) // Dialpad's id is d-…
		b, err := s.DB.Batches.List(Ctx, "t_9", ledger.BatchFilter{}, "", 1)
		Must(t, err)
		m, err := s.DB.Messages.List(Ctx, "t_9", b[0].ID, nil, "", 1)
		Must(t, err)
		for i, c := range []struct {
			e    dialpad.SMSEvent
			want string
		}{
			{dialpad.SMSEvent{FromNumber: Bob, ToNumbers: []string{ana}}, "inbound"},
			{dialpad.SMSEvent{FromNumber: ana, ToNumbers: []string{Bob}, Text: "STOP"}, "outbound"},
			{dialpad.SMSEvent{FromNumber: ana, ToNumbers: []string{"+14155550101"}}, "outbound"}, // among us
			{dialpad.SMSEvent{FromNumber: "+14155550999", ToNumbers: []string{Bob}, ContactNumber: Bob, Text: "stop"}, "outbound"},
			{dialpad.SMSEvent{FromNumber: "+14155550999", ToNumbers: []string{Bob}, TargetNumber: "(415) 555-0999", Text: "stop"}, "outbound"},
			{dialpad.SMSEvent{FromNumber: "+14155550998", ToNumbers: []string{"+14155550999"}}, ""},
			{dialpad.SMSEvent{ID: m[0].DialpadID, FromNumber: "+14155550998", ToNumbers: []string{"+14155550999"}}, "outbound"},
		} {
			if c.e.ID == "" {
				c.e.ID = fmt.Sprint("e", i)
			}
			s.receive(c.e)
			if e := s.newest(c.e.ID); e.Direction != c.want {
				t.Errorf("%+v is %q", c.e, e.Direction)
			}
		}
		if s.isSuppressed(ana) || s.isSuppressed(Bob) || s.isSuppressed("+14155550999") {
			t.Error("what we wrote opted somebody out")
		}
	})
}

// TestOrderIsThatOfWriting delivers the same texts in every order.
func TestOrderIsThatOfWriting(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		base := s.Clock.Now().Add(-24 * time.Hour)
		type text struct {
			word string
			at   int // hours; -1: no time
		}
		for i, c := range []struct {
			texts []text
			out   bool
		}{
			{[]text{{"STOP", 2}, {"START", 1}}, true},
			{[]text{{"STOP", 1}, {"START", 2}}, false},
			{[]text{{"STOP", 1}, {"START", 1}}, true}, // of the same moment
			{[]text{{"STOP", 1}, {"START", 2}, {"STOP", 3}}, true},
			{[]text{{"START", 1}, {"STOP", 2}, {"START", 3}}, false},
			{[]text{{"STOP", 1}, {"START", -1}}, true},
			{[]text{{"STOP", 1}, {"yes", 2}}, true},
		} {
			for try := range 4 {
				number := fmt.Sprintf("+1415556%02d%02d", i, try)
				rand.Shuffle(len(c.texts), func(a, b int) { c.texts[a], c.texts[b] = c.texts[b], c.texts[a] })
				for _, x := range c.texts {
					e := dialpad.SMSEvent{ID: fmt.Sprint(i, x), Direction: "inbound", FromNumber: number, ToNumbers: []string{ana}, Text: x.word}
					if x.at >= 0 {
						e.EventAt = base.Add(time.Duration(x.at) * time.Hour)
					}
					s.receive(e)
					s.Clock.Add(time.Millisecond)
				}
				if s.isSuppressed(number) != c.out {
					t.Errorf("%v: out is %v", c.texts, !c.out)
				}
			}
		}
	})
}

func TestEventOfTheFutureCountsAsReceived(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		start := dialpad.SMSEvent{Direction: "inbound", FromNumber: Bob, ToNumbers: []string{ana}, Text: "START", EventAt: s.Clock.Now().Add(1000 * time.Hour)}
		s.receive(start)
		s.Clock.Add(time.Minute)
		s.receive(dialpad.SMSEvent{Direction: "inbound", FromNumber: Bob, ToNumbers: []string{ana}, Text: "STOP", EventAt: s.Clock.Now()})
		if !s.isSuppressed(Bob) {
			t.Error("a START of the future outlives a STOP")
		}
	})
}

func TestLateListLiftsNothingNewer(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		s.phone.Reply(Bob, ana, "STOP")
		s.phone.Reply(Bob, ana, "START")
		s.Clock.Add(time.Minute)
		s.receive(dialpad.SMSEvent{Direction: "inbound", FromNumber: Bob, ToNumbers: []string{ana}, Text: "STOP!", EventAt: s.Clock.Now()})
		s.Clock.Add(time.Minute)
		s.readList() // says opted in, a minute before the STOP
		if !s.isSuppressed(Bob) {
			t.Error("Dialpad's list lifted a newer STOP")
		}
		s.phone.Reply(Bob, ana, "START")
		s.Clock.Add(time.Minute)
		s.readList()
		if s.isSuppressed(Bob) {
			t.Error("a newer START at Dialpad lifts nothing")
		}
	})
}

func TestLongerTextsOpenAReview(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		say := func(text string) {
			s.receive(dialpad.SMSEvent{Direction: "inbound", FromNumber: Bob, ToNumbers: []string{ana}, Text: text, EventAt: s.Clock.Now()})
			s.Clock.Add(time.Second)
		}
		say("thanks, see you on Monday")
		if s.isReviewed(Bob) {
			t.Error("a harmless text is reviewed")
		}
		say("please stop texting me\x00")
		r, err := s.DB.Suppressions.Review(Ctx, "t_9", Bob)
		if err != nil || s.isSuppressed(Bob) || r.Text != "please stop texting me" || r.Number != Bob {
			t.Fatalf("%+v, %v", r, err)
		}
		say("STOP")
		if s.isReviewed(Bob) || !s.isSuppressed(Bob) {
			t.Error("a STOP leaves the review open")
		}
		say("stop it already")
		if s.isReviewed(Bob) {
			t.Error("who opted out is reviewed")
		}
		say("START")
		say("take me off your list")
		say("unstop")
		if s.isReviewed(Bob) || s.isSuppressed(Bob) {
			t.Error("a later START leaves the review open")
		}
	})
}

func TestOptOutSurvivesErasure(t *testing.T) {
	eachSides(t, func(t *testing.T, s *sides) {
		at := s.Clock.Now()
		s.receive(dialpad.SMSEvent{Direction: "inbound", FromNumber: Bob, ToNumbers: []string{ana}, Text: "STOP", EventAt: at})
		Must(t, s.DB.EraseNumber(Ctx, "t_9", Bob))
		list, err := s.DB.Suppressions.Of(Ctx, "t_9", Bob)
		if err != nil || len(list) != 1 || list[0].Number != "" || list[0].NumberKey == "" || !list[0].SaidAt.Equal(at) {
			t.Errorf("%+v, %v", list, err)
		}
		if !s.isSuppressed(Bob) {
			t.Error("the opt-out is gone")
		}
	})
}

func TestReadings(t *testing.T) {
	for _, c := range []struct {
		raw, country string
		want         []string
	}{
		{"+14155558002", "DE", []string{"+14155558002"}},
		{"14155558002", "US", []string{"+14155558002"}},
		{"14155558002", "FR", []string{"+14155558002"}},
		{"(619) 555-0199", "US", []string{"+16195550199"}},
		{"6595550199", "US", []string{"+16595550199"}}, // +65 9555 0199 is a number of Singapore
		{"493012345678", "DE", []string{"+493012345678"}},
		{"030 12345678", "DE", []string{"+493012345678"}},
		{"00493012345678", "US", []string{"+493012345678"}},
		{"Bob", "US", nil},
		{"", "US", nil},
	} {
		if got := optout.PossibleNumbers(c.raw, c.country); !slices.Equal(got, c.want) {
			t.Errorf("%q in %s is %v, want %v", c.raw, c.country, got, c.want)
		}
	}
}
