package sandbox

import (
	"strings"
	"testing"
	"time"

	"github.com/nyaruka/phonenumbers"

	"dialpad-texting/integrations/crm"
)

func TestSeedIsDeterministicAndNumbersAreValid(t *testing.T) {
	one, two := newWorld(t), newWorld(t)
	for _, w := range []*world{one, two} {
		w.Seed(5000, 500)
		w.Seed(35000, 0)
	}
	seen := map[string]bool{"14155550100": true, "14155550101": true, "14155550104": true, "12125550150": true}
	acme, again := one.tenant("acme"), two.tenant("acme")
	for i, p := range acme.people {
		if *p != *again.people[i] {
			t.Fatalf("%+v is not %+v", p, again.people[i])
		}
		if i < 60 {
			for _, n := range p.numbers() {
				if n.Number != "" {
					seen[normalizeNumber(n.Number)] = true
				}
			}
			continue
		}
		if seen[normalizeNumber(p.mobile)] {
			t.Fatalf("%s twice", p.mobile)
		}
		seen[normalizeNumber(p.mobile)] = true
		if i > 5060 && i%97 != 0 {
			continue // valid ones are the same few kinds
		}
		if n, err := phonenumbers.Parse(p.mobile, "US"); err != nil || !phonenumbers.IsValidNumber(n) {
			t.Fatalf("%s is not valid", p.mobile)
		}
		if i < 30000 && !strings.Contains(p.mobile, "55501") {
			t.Fatalf("%s may be somebody's", p.mobile)
		}
	}
	if len(acme.people) != 40060 || len(acme.deals) != 521 {
		t.Errorf("%d people, %d deals", len(acme.people), len(acme.deals))
	}
}

func TestSampleDataHasEdgeCases(t *testing.T) {
	w := newWorld(t)
	acme := w.tenant("acme")
	var noMobile, bad, nameless, accented, optedOut int
	mobiles := map[string]int{}
	for _, p := range acme.people {
		mobiles[normalizeNumber(p.mobile)]++
		n, err := phonenumbers.Parse(p.mobile, "US")
		switch {
		case p.mobile == "":
			noMobile++
		case err != nil || !phonenumbers.IsValidNumber(n):
			bad++
		}
		if p.first == "" {
			nameless++
		}
		if strings.ContainsFunc(p.name(), func(r rune) bool { return r > 127 }) {
			accented++
		}
		if acme.isOptedOut(p) {
			optedOut++
		}
		if _, err := time.LoadLocation(p.zone); err != nil {
			t.Error(err)
		}
		if acme.user(p.owner) == nil {
			t.Errorf("%s has no owner", p.id)
		}
	}
	if len(acme.people) != 60 || noMobile < 3 || bad != 2 || nameless != 1 || accented < 9 || optedOut != 3 || mobiles["19195550129"] != 2 {
		t.Errorf("%d people: %d no mobile, %d bad, %d nameless, %d accented, %d opted out", len(acme.people), noMobile, bad, nameless, accented, optedOut)
	}
	if len(acme.templates) != 12 {
		t.Errorf("%d templates", len(acme.templates))
	}
	for _, d := range acme.deals {
		if d.contact != "" && acme.personByID[d.contact] == nil {
			t.Errorf("deal %s has an unknown contact", d.id)
		}
	}
}

func BenchmarkSeedHundredThousand(b *testing.B) {
	for b.Loop() {
		secrets, err := crm.ParseSecrets(testSecret)
		if err != nil {
			b.Fatal(err)
		}
		New(Options{Secrets: secrets, Domain: "localhost"}).Seed(100_000, 500)
	}
}
