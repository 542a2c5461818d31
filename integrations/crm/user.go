package crm

// Roles of a CRM user.
const (
	RoleAdmin = "admin"
	RoleUser  = "user"
)

// User is the person who is logged in to the CRM.
type User struct {
	ID       string `json:"id"`
	Email    string `json:"email"`
	Name     string `json:"name"`
	Role     string `json:"role"`      // RoleAdmin or RoleUser
	TimeZone string `json:"time_zone"` // IANA name
	Locale   string `json:"locale"`    // BCP 47 tag
}

// UnmarshalJSON accepts the id as a string or a number.
func (u *User) UnmarshalJSON(b []byte) error {
	o := readObject(b, "user")
	*u = readUser(o)
	return o.err()
}

func readUser(o objectReader) User {
	return User{
		ID: o.id("id"), Email: o.identifier("email", maxEmail), Name: o.name("name"),
		Role: o.identifier("role", maxWord), TimeZone: o.text("time_zone", maxWord), Locale: o.text("locale", maxWord),
	}
}
