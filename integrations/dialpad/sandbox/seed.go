package sandbox

import (
	"fmt"
	"strconv"
)

// Ids that SeedDemo uses.
const (
	AcmeID   = "4508591728425653"
	GlobexID = "4508591728425999"
	AnaID    = "5835806903417907" // company admin of Acme
	BenID    = "5835806903417908"
	DanID    = "5835806903417909" // has no number
	EveID    = "5835806903417910" // suspended
	GilID    = "5835806903417951" // company admin of Globex
)

// SeedDemo adds the demo's two companies and their people.
func (d *Directory) SeedDemo() {
	d.AddCompany(AcmeID, "Acme Inc")
	d.AddCompany(GlobexID, "Globex")
	for _, u := range []User{
		{ID: AnaID, CompanyID: AcmeID, FirstName: "Ana", LastName: "Ruiz", Emails: []string{"ana@acme.com"}, Numbers: []string{"+14155550100"}, IsAdmin: true, IsSuperAdmin: true},
		{ID: BenID, CompanyID: AcmeID, FirstName: "Ben", LastName: "Okoro", Emails: []string{"ben@acme.com"}, Numbers: []string{"+14155550101"}},
		{ID: DanID, CompanyID: AcmeID, FirstName: "Dan", LastName: "Weiss", Emails: []string{"dan@acme.com"}},
		{ID: EveID, CompanyID: AcmeID, FirstName: "Eve", LastName: "Stone", Emails: []string{"eve@acme.com"}, Numbers: []string{"+14155550104"}, State: "suspended"},
		{ID: GilID, CompanyID: GlobexID, FirstName: "Gil", LastName: "Moss", Emails: []string{"gil@globex.com"}, Numbers: []string{"+12125550150"}, IsAdmin: true, IsSuperAdmin: true},
	} {
		d.AddUser(u)
	}
}

// SeedUsers adds n active users with generated e-mails and numbers
// (user0@seed.example, …) and returns their ids.
func (d *Directory) SeedUsers(companyID string, n int) []string {
	d.state.mu.Lock()
	defer d.state.mu.Unlock()
	ids := make([]string, 0, n)
	for i := range n {
		ids = append(ids, d.addUser(User{
			CompanyID: companyID, FirstName: "User", LastName: strconv.Itoa(i),
			Emails:  []string{fmt.Sprintf("user%d@seed.example", i)},
			Numbers: []string{fmt.Sprintf("+1%03d55501%02d", 200+i/100%800, i%100)},
		}))
	}
	return ids
}
