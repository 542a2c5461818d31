package handlers

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/access"
	"dialpad-texting/app/walltime"
	"dialpad-texting/config"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/static"
)

// postPopup opens the popup. It sets no cookie: it works where third-party cookies are blocked.
func (s *server) postPopup(c *gin.Context) error {
	opened, err := s.launch(c, crm.UsePopup)
	if err != nil {
		return err
	}
	return s.open(c, "popup", opened)
}

// postPage opens a page and leaves its cookie, so that reload and back work.
func (s *server) postPage(name string) handler {
	return func(c *gin.Context) error {
		opened, err := s.launch(c, crm.UsePage)
		if err != nil {
			return err
		}
		if err := set(c, s.cookies.page, pageCookie, opened.Cookie); err != nil {
			return err
		}
		return s.open(c, name, opened)
	}
}

// getPage opens a page again, by its cookie.
func (s *server) getPage(name string) handler {
	return func(c *gin.Context) error {
		opened, err := s.Access.Cookie(c.Request.Context(), get(c, s.cookies.page, pageCookie))
		if err != nil {
			return err
		}
		return s.open(c, name, opened)
	}
}

func (s *server) launch(c *gin.Context, use string) (access.Opened, error) {
	if err := bindForm(c); err != nil {
		return access.Opened{}, err
	}
	return s.Access.Launch(c.Request.Context(), c.Request.PostForm.Get("token"), use)
}

func (s *server) open(c *gin.Context, name string, o access.Opened) error {
	c.Set(keyTenant, o.Tenant.ID)
	v, linkname := o.Session, o.Tenant.Linkname
	return s.render(c, http.StatusOK, scripted, v.Origin, name, static.Page{
		SessionToken: o.Token, ExpiresIn: access.Idle, CRMOrigin: v.Origin,
		AppPageURL: s.Config.AppPageURL(linkname), UpgradeURL: s.Config.UpgradeURL(linkname),
		Tenant: static.Tenant{ID: o.Tenant.ID, Name: o.Tenant.Name, Linkname: linkname},
		User:   pageUser(v, o.Tenant),
	})
}

func pageUser(v models.Session, t models.Tenant) static.User {
	u := static.User{ID: v.UserID, Name: v.Name, Email: v.Email, Role: v.Role, Locale: v.Locale}
	var isOwn bool
	if u.TimeZone, isOwn = walltime.Zone(v.TimeZone, t.TimeZone); !isOwn {
		u.UnknownTimeZone = &v.TimeZone
	}
	return u
}

// Policies of pages: what frames them is added.
const (
	scripted = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
	scriptless = "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"form-action 'none'; base-uri 'none'; frame-ancestors "
	nobody = "'none'"
)

// render answers a page, framed by frames alone.
func (s *server) render(c *gin.Context, status int, policy, frames, name string, data any) error {
	var page bytes.Buffer
	if err := s.Pages.Render(&page, name, data); err != nil {
		return err
	}
	c.Header("Content-Security-Policy", policy+frames)
	c.Data(status, "text/html; charset=utf-8", page.Bytes())
	return nil
}

// getHome says what the app is: a page or, for clients that prefer it, JSON.
func (s *server) getHome(c *gin.Context) error {
	appPage := s.wayBack(c.Request)
	c.Header("Vary", "Accept")
	if c.NegotiateFormat(gin.MIMEHTML, gin.MIMEJSON) == gin.MIMEJSON {
		c.JSON(http.StatusOK, gin.H{"name": "Dialpad Texting for Salesmate", "app_page": appPage, "openapi": s.Config.PublicURL + "/openapi.yaml"})
		return nil
	}
	return s.render(c, http.StatusOK, scriptless, nobody, "home", static.Home{AppPageURL: appPage})
}

// plain answers a page without script that says what is wrong and leads back to the CRM.
func (s *server) plain(c *gin.Context, r *refusal) {
	c.Abort()
	err := s.render(c, r.status, scriptless, s.tenantOrigins(), "plain", static.Plain{
		Title: "This page cannot be shown", Message: r.message, LinkText: "Open Dialpad in your CRM", LinkURL: s.wayBack(c.Request),
	})
	if err != nil {
		s.Log.Error("the plain page could not be drawn", "request", requestID(c), "cause", err)
		c.Data(r.status, "text/plain; charset=utf-8", []byte(r.message))
	}
}

// crmScheme is how the CRM's tenants are reached.
func (s *server) crmScheme() string {
	if config.Loopback(s.Config.CRMBaseDomain) {
		return "http://"
	}
	return "https://"
}

// tenantOrigins is any page of the CRM: which tenant's is not known where no token was good.
func (s *server) tenantOrigins() string { return s.crmScheme() + "*." + s.Config.CRMBaseDomain }

var dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// wayBack is the CRM's page about us. A browser says where a launch came from; that is good enough for a link back to
// the very same place, and for nothing else. Without it the link leads to the CRM at large.
func (s *server) wayBack(r *http.Request) string {
	label := strings.TrimPrefix(r.Header.Get("Origin"), s.crmScheme())
	label, ours := strings.CutSuffix(label, "."+s.Config.CRMBaseDomain)
	if ours && dnsLabel.MatchString(label) {
		return s.Config.AppPageURL(label)
	}
	return strings.NewReplacer("{linkname}.", "", "{linkname}", "").Replace(s.Config.CRMAppPageURL)
}

// getSDK is the script of the CRM's pages, which load it from their own sites.
func (s *server) getSDK(c *gin.Context) error {
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "text/javascript; charset=utf-8", static.SDK())
	return nil
}

func (s *server) getAsset(c *gin.Context) { s.Assets.ServeHTTP(c.Writer, c.Request) }

func (s *server) getOpenAPI(c *gin.Context) error {
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "application/yaml", static.OpenAPI())
	return nil
}
