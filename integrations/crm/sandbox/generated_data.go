package sandbox

import (
	"bufio"
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"dialpad-texting/integrations/crm"
)

const (
	firstGeneratedID = 1000 // of people, deals and users
	perArea          = 100  // 555-0100 to 555-0199 are fictional numbers
)

var (
	seedFirst = strings.Fields("Ada Ben Cora Dino Edie Femi Gwen Hari Iris Joel Kaya Luis Mina Noel Olga Paul Qiao Rhea Saul Tova Umar Vera Walt Xena Yara Zeno")
	seedLast  = strings.Fields("Abbott Barros Castle Dorsey Ekholm Flores Galvin Hobbs Imani Jarvis Keating Lopez Mercer Noble Osborn Pruitt Quigley Rossi Sandoval Thorpe Upton Vargas Weaver Xiong Yates Zamora")
	seedFirms = strings.Fields("Alder Basalt Cobalt Drift Ember Fathom Garnet Hazel Indigo Juniper Kestrel Laurel Meridian Nimbus Onyx")
	stages    = []string{"New", "Qualified", "Proposal", "Negotiation"}
)

type area struct{ code, zone string }

// areas returns US area codes with a single time zone, in which
// 555-01xx is a valid fictional number.
var areas = sync.OnceValue(func() []area {
	raw, err := sampleFiles.ReadFile("sample/areas.txt")
	if err != nil {
		panic(fmt.Sprintf("sandbox: %v", err)) // the file is embedded
	}
	var list []area
	for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
		zone, codes, _ := strings.Cut(lines.Text(), ":")
		for code := range strings.FieldsSeq(codes) {
			list = append(list, area{code, zone})
		}
	}
	return list
})

// seedNumber returns the i-th generated number: first 34,400 fictional
// ones, 555-01xx of every area code. Later ones are +1 415 2xx xxxx,
// for benchmarks only: they may be real and must never be texted.
func seedNumber(i int) (number, zone string) {
	list := areas()
	if i < len(list)*perArea {
		a := list[i%len(list)]
		return fmt.Sprintf("+1%s55501%02d", a.code, i/len(list)), a.zone
	}
	return fmt.Sprintf("+1415%07d", 2000000+i-len(list)*perArea), "America/Los_Angeles"
}

// Seed adds people and deals to Acme, always the same ones. Each person
// has a unique mobile number, each deal has one of them as its primary
// contact. Ids start at 1000; another call adds more.
func (s *Tenants) Seed(people, deals int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tenant("t_9")
	taken := map[string]bool{"14155550100": true, "14155550101": true, "14155550104": true, "12125550150": true} // Dialpad's own
	for _, p := range t.people {
		for _, n := range p.numbers() {
			taken[normalizeNumber(n.Number)] = true
		}
	}
	base := len(t.people)
	for i, made := 0, 0; made < people; i++ {
		number, zone := seedNumber(i)
		if taken[normalizeNumber(number)] {
			continue
		}
		t.addPerson(seededPerson(t, made+base, number, zone))
		made++
	}
	for i := range deals {
		t.addDeal(seededDeal(t, i, base, people))
	}
}

func seededPerson(t *tenant, i int, number, zone string) *person {
	return &person{
		id: strconv.Itoa(firstGeneratedID + i), mobile: number, zone: zone,
		first: seedFirst[i%len(seedFirst)], last: seedLast[(i/len(seedFirst))%len(seedLast)],
		company: seedFirms[i%len(seedFirms)] + " Group", title: "Manager", city: "Springfield", owner: t.users[0].id,
	}
}

func seededDeal(t *tenant, i, base, people int) *deal {
	contact := t.people[i%len(t.people)]
	if people > 0 {
		contact = t.people[base+i%people]
	}
	id := strconv.Itoa(firstGeneratedID + len(t.deals))
	return &deal{
		id: id, title: "Renewal " + id, stage: stages[i%len(stages)], value: 1000 + 250*(i%40),
		contact: contact.id, owner: contact.owner, closes: time.Date(2027, 1, 1+i%28, 0, 0, 0, 0, time.UTC),
	}
}

// SeedUsers adds n users to Acme: user1@acme.com and so on, with ids
// from 1000.
func (s *Tenants) SeedUsers(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tenant("t_9")
	for range n {
		i := len(t.users)
		t.users = append(t.users, &user{
			id: strconv.Itoa(firstGeneratedID + i), first: seedFirst[i%len(seedFirst)], last: seedLast[(i/len(seedFirst))%len(seedLast)],
			email: "user" + strconv.Itoa(i) + "@acme.com", role: crm.RoleUser, note: "user",
		})
	}
}
