package static

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"time"
)

// Page is the data of the three launched pages: "app" (the app detail page),
// "popup" (one to one and bulk; GET /embed/api/context says which) and "texts"
// (the outbox).
type Page struct {
	// SessionToken is the bearer token of the JSON calls. It stands in
	// <meta name="session-token"> and nowhere else.
	SessionToken string
	// ExpiresIn is how long the session lasts without another call.
	ExpiresIn time.Duration
	// CRMOrigin is the only origin that messages go to and come from, with
	// scheme and port: the iss of the launch token.
	CRMOrigin string
	// AppPageURL is CRM_APP_PAGE_URL filled in: the target of "Click here".
	AppPageURL string
	// UpgradeURL is CRM_UPGRADE_URL, for pages outside a frame.
	UpgradeURL string
	// RecordURL is CRM_RECORD_URL filled in but for {module} and {id}.
	RecordURL string
	Tenant    Tenant
	User      User
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
	// UnknownTimeZone is what the CRM says instead, if that is no zone;
	// TimeZone is then the tenant's, or UTC.
	UnknownTimeZone *string `json:"unknown_time_zone"`
	Locale          string  `json:"locale"`
}

// Data returns what the scripts read from
// <script type="application/json" id="page">.
func (p Page) Data() map[string]any {
	return map[string]any{
		"tenant": p.Tenant, "user": p.User, "language": p.language(), "crm_origin": p.CRMOrigin,
		"app_page_url": p.AppPageURL, "upgrade_url": p.UpgradeURL, "record_url": p.RecordURL,
		"expires_in": int(p.ExpiresIn.Seconds()),
	}
}

func (p Page) language() string { return languageOf(p.User.Locale) }

// Home is the data of the page at the app's own address ("home"): what the app
// is.
type Home struct {
	AppPageURL string // the CRM's page about the app
}

// Plain is the data of the page without script ("plain"): what happened and
// where to go. With an empty LinkURL there is no link.
type Plain struct {
	Title, Message, LinkText, LinkURL string
}

// Confirm is the data of the page in the connect window ("connect_confirm")
// that asks whether this Dialpad company belongs to this tenant. It posts state
// and action=connect|cancel to /connect/confirm.
type Confirm struct {
	Company, DialpadEmail, TenantName, State string
	Host                                     string // of the tenant in the CRM; nobody else chose it
	OtherEmail                               bool   // another than that of the admin who started this
	Replaces                                 string // the company connected at present, "" for none
}

// Done is the data of the last page of the connect window ("connect_done"),
// which closes by itself after success. With an empty LinkURL there is no link.
type Done struct {
	OK                                bool
	Title, Message, LinkText, LinkURL string
}

// Renderer holds the parsed pages by language. It is safe for concurrent use.
type Renderer struct {
	pages map[string]*template.Template
}

// Pages parses every page in every language. It returns an error if one does
// not parse or the words can't be read.
func Pages() (*Renderer, error) {
	all, err := catalogues()
	if err != nil {
		return nil, err
	}
	r := &Renderer{pages: map[string]*template.Template{}}
	for language, words := range all {
		pages, err := template.New("pages").Funcs(template.FuncMap{
			"asset":    AssetPath,
			"language": func() string { return language },
			"t":        words.find,
			"words":    func(part string) string { return AssetPath("words/" + part + "." + language + ".js") },
		}).ParseFS(files, "html/*.html")
		if err != nil {
			return nil, fmt.Errorf("parse pages: %w", err)
		}
		r.pages[language] = pages
	}
	return r, nil
}

// Render writes the page called name in the language of its user. It writes nothing unless the whole page
// could be rendered, so that a failure can still become an error page.
func (r *Renderer) Render(w io.Writer, name string, data any) error {
	var page bytes.Buffer
	language := defaultLanguage
	if launched, ok := data.(Page); ok {
		language = launched.language()
	}
	if err := r.pages[language].ExecuteTemplate(&page, name, data); err != nil {
		return fmt.Errorf("render page %s: %w", name, err)
	}
	if _, err := page.WriteTo(w); err != nil {
		return fmt.Errorf("write page %s: %w", name, err)
	}
	return nil
}
