package sandbox

import (
	"embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"dialpad-texting/integrations/crm"
)

//go:embed sample
var sampleFiles embed.FS

// sampleTenants returns the demo's tenants. The Dialpad sandbox has the
// same people, by e-mail.
func sampleTenants() []*tenant {
	acme := newTenant(crm.Tenant{ID: "t_9", Linkname: "acme", Name: "Acme Inc", Plan: "business", TimeZone: "America/New_York"})
	acme.users = []*user{
		{id: "42", first: "Ana", last: "Ruiz", email: "ana@acme.com", role: crm.RoleAdmin, phone: "+14155550100", note: "admin"},
		{id: "43", first: "Ben", last: "Okoro", email: "ben@acme.com", role: crm.RoleUser, phone: "+14155550101", note: "user"},
		{id: "44", first: "Cleo", last: "Park", email: "cleo@acme.com", role: crm.RoleUser, note: "user, no Dialpad account"},
		{id: "45", first: "Dan", last: "Weiss", email: "dan@acme.com", role: crm.RoleUser, note: "user, Dialpad without a number"},
	}
	globex := newTenant(crm.Tenant{ID: "t_10", Linkname: "globex", Name: "Globex", Plan: "starter", TimeZone: "America/New_York"})
	globex.users = []*user{{id: "51", first: "Gil", last: "Moss", email: "gil@globex.com", role: crm.RoleAdmin, phone: "+12125550150", note: "admin"}}
	tenants := []*tenant{acme, globex}
	byID := map[string]*tenant{acme.id: acme, globex.id: globex}
	for _, row := range readCSV("sample/people.csv") {
		byID[row["tenant"]].addSamplePerson(row)
	}
	for _, row := range readCSV("sample/deals.csv") {
		byID[row["tenant"]].addSampleDeal(row)
	}
	for _, t := range tenants {
		t.templates = sampleTemplates()
	}
	return tenants
}

func newTenant(c crm.Tenant) *tenant {
	return &tenant{
		id: c.ID, linkname: c.Linkname, name: c.Name, plan: c.Plan, timeZone: c.TimeZone,
		personByID: map[string]*person{}, dealByID: map[string]*deal{}, dealOf: map[string]*deal{},
		optedOut: map[string]bool{}, selections: map[string]selection{}, activityByID: map[string]*Activity{},
		inputs: map[string]string{
			"from_user": crm.OwnerValue, "to_field": "mobile",
			"message": "Hi {{Contact.firstName|there}}, thanks for getting in touch. {{User.firstName}}",
		},
	}
}

func (t *tenant) addSamplePerson(row map[string]string) {
	t.addPerson(&person{
		id: row["id"], first: row["first"], last: row["last"], title: row["title"], company: row["company"],
		mobile: row["mobile"], phone: row["phone"], work: row["work"],
		owner: row["owner"], zone: row["zone"], city: row["city"], private: row["flags"] == "private",
	})
	if row["flags"] == "optout" {
		t.optedOut[normalizeNumber(row["mobile"])] = true
	}
}

func (t *tenant) addSampleDeal(row map[string]string) {
	value, err := strconv.Atoi(row["value"])
	closes, cerr := time.Parse(time.DateOnly, row["close"])
	if err != nil || cerr != nil {
		panic(fmt.Sprintf("sandbox: deal %s cannot be read", row["id"])) // the file is embedded
	}
	t.addDeal(&deal{
		id: row["id"], title: row["title"], value: value, stage: row["stage"],
		contact: row["contact"], owner: row["owner"], closes: closes,
	})
}

func sampleTemplates() []textTemplate {
	raw, err := sampleFiles.ReadFile("sample/templates.json")
	var list []textTemplate
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	if err != nil {
		panic(fmt.Sprintf("sandbox: templates cannot be read: %v", err)) // the file is embedded
	}
	return list
}

// readCSV returns the rows of an embedded CSV file, by column name.
func readCSV(name string) []map[string]string {
	f, err := sampleFiles.Open(name)
	if err != nil {
		panic(fmt.Sprintf("sandbox: %v", err)) // the file is embedded
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("sandbox: %s: %v", name, err))
	}
	var out []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, key := range lines[0] {
			row[key] = line[i]
		}
		out = append(out, row)
	}
	return out
}
