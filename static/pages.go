package static

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"time"
)

// Page is what the three launched pages are rendered from: "app" (the app
// detail page), "popup" (one to one and bulk; the mode comes from
// GET /embed/api/context) and "texts" (the outbox).
type Page struct {
	// SessionToken is the bearer of the JSON calls; it stands in
	// <meta name="session-token"> and nowhere else.
	SessionToken string
	// ExpiresIn is how long the session lasts if nothing more is called.
	ExpiresIn time.Duration
	// CRMOrigin is the only origin messages go to and are taken from, with
	// scheme and port: the launch token's iss.
	CRMOrigin string
	// AppPageURL is CRM_APP_PAGE_URL filled in: the target of "Click here".
	AppPageURL string
	// UpgradeURL is CRM_UPGRADE_URL, for pages that stand outside a frame.
	UpgradeURL string
	Tenant     Tenant
	User       User
}

// Tenant is the CRM account as the pages name it.
type Tenant struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Linkname string `json:"linkname"`
}

// User is the person in front of the page.
type User struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	// Role is "admin" or "user".
	Role string `json:"role"`
	// TimeZone is an IANA name; Locale a BCP 47 tag.
	TimeZone string `json:"time_zone"`
	Locale   string `json:"locale"`
}

// Data is what the page's modules read from <script type="application/json" id="page">.
func (p Page) Data() map[string]any {
	return map[string]any{
		"tenant": p.Tenant, "user": p.User, "crm_origin": p.CRMOrigin,
		"app_page_url": p.AppPageURL, "upgrade_url": p.UpgradeURL,
		"expires_in": int(p.ExpiresIn.Seconds()),
	}
}

// Home is the page at the app's own address ("home"): what the app is.
type Home struct {
	AppPageURL string // the CRM's page about the app
}

// Plain is the page without script ("plain"): what happened and the way on.
// An empty LinkURL leaves the link out.
type Plain struct {
	Title, Message, LinkText, LinkURL string
}

// Confirm asks, in the connect window ("connect_confirm"), whether this Dialpad
// company really belongs to this tenant. It posts state and
// action=connect|cancel to /connect/confirm.
type Confirm struct {
	Company, DialpadEmail, TenantName, Linkname, State string
}

// Done ends the connect window ("connect_done"): after success it closes by
// itself. An empty LinkURL leaves the link out.
type Done struct {
	OK                                bool
	Title, Message, LinkText, LinkURL string
}

// Renderer holds the parsed pages. It is safe for use by many at once.
type Renderer struct {
	pages *template.Template
}

// Pages parses every page; it fails where one does not parse or the catalogue
// of words is not readable.
func Pages() (*Renderer, error) {
	words, err := catalogue()
	if err != nil {
		return nil, err
	}
	pages, err := template.New("pages").Funcs(template.FuncMap{
		"asset": AssetPath,
		"t":     words.say,
	}).ParseFS(files, "html/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse pages: %w", err)
	}
	return &Renderer{pages: pages}, nil
}

// Render writes the page called name. Nothing is written unless all of it
// could be rendered, so a failure can still become an error page.
func (r *Renderer) Render(w io.Writer, name string, data any) error {
	var page bytes.Buffer
	if err := r.pages.ExecuteTemplate(&page, name, data); err != nil {
		return fmt.Errorf("render page %s: %w", name, err)
	}
	if _, err := page.WriteTo(w); err != nil {
		return fmt.Errorf("write page %s: %w", name, err)
	}
	return nil
}
