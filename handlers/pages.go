package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/access"
	"dialpad-texting/app/walltime"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/static"
)

// pages opens popup, app page and outbox page, and serves the files
// that browsers load.
type pages struct {
	writer  *pageWriter
	access  *access.Access
	cookies cookies
	assets  http.Handler
}

// postPopup opens the popup. It sets no cookie, so that it works where
// third-party cookies are blocked.
func (p *pages) postPopup(c *gin.Context) error {
	opened, err := p.launch(c, crm.UsePopup)
	if err != nil {
		return err
	}
	return p.open(c, "popup", opened)
}

// postPage opens a page and sets its cookie for reloads.
func (p *pages) postPage(name string) handler {
	return func(c *gin.Context) error {
		opened, err := p.launch(c, crm.UsePage)
		if err != nil {
			return err
		}
		if err := setCookie(c, p.cookies.page, pageCookie, opened.Cookie); err != nil {
			return err
		}
		return p.open(c, name, opened)
	}
}

// getPage reopens a page by its cookie.
func (p *pages) getPage(name string) handler {
	return func(c *gin.Context) error {
		opened, err := p.access.Cookie(c.Request.Context(), cookie(c, p.cookies.page, pageCookie))
		if err != nil {
			return err
		}
		return p.open(c, name, opened)
	}
}

func (p *pages) launch(c *gin.Context, use string) (access.Opened, error) {
	form, err := bindForm(c)
	if err != nil {
		return access.Opened{}, err
	}
	return p.access.Launch(c.Request.Context(), form.Get("token"), use)
}

func (p *pages) open(c *gin.Context, name string, o access.Opened) error {
	c.Set(keyTenant, o.Tenant.ID)
	v, linkname := o.Session, o.Tenant.Linkname
	return p.writer.render(c, http.StatusOK, scripted, v.Origin, name, static.Page{
		SessionToken: o.Token, ExpiresIn: access.Idle, CRMOrigin: v.Origin,
		AppPageURL: p.writer.config.AppPageURL(linkname), UpgradeURL: p.writer.config.UpgradeURL(linkname),
		RecordURL: p.writer.config.RecordURL(linkname),
		Tenant:    static.Tenant{ID: o.Tenant.ID, Name: o.Tenant.Name, Linkname: linkname},
		User:      pageUser(v, o.Tenant),
	})
}

// pageUser returns what a page knows of its user. A time zone that can't be read
// is replaced, and named.
func pageUser(v models.Session, t models.Tenant) static.User {
	u := static.User{ID: v.UserID, Name: v.Name, Email: v.Email, Role: v.Role, Locale: v.Locale}
	var isOwn bool
	if u.TimeZone, isOwn = walltime.Zone(v.TimeZone, t.TimeZone); !isOwn {
		u.UnknownTimeZone = &v.TimeZone
	}
	return u
}

// getHome describes the app, as a page or JSON by Accept.
func (p *pages) getHome(c *gin.Context) error {
	appPageURL := p.writer.appPageURL(c.Request)
	c.Header("Vary", "Accept")
	if c.NegotiateFormat(gin.MIMEHTML, gin.MIMEJSON) == gin.MIMEJSON {
		openAPI := p.writer.config.PublicURL + "/openapi.yaml"
		c.JSON(http.StatusOK, gin.H{"name": "Dialpad Texting for Salesmate", "app_page": appPageURL, "openapi": openAPI})
		return nil
	}
	return p.writer.render(c, http.StatusOK, scriptless, nobody, "home", static.Home{AppPageURL: appPageURL})
}

// getSDK serves the script that the CRM's pages load.
func (p *pages) getSDK(c *gin.Context) error {
	static.ServeSDK(c.Writer, c.Request)
	return nil
}

func (p *pages) getAsset(c *gin.Context) { p.assets.ServeHTTP(c.Writer, c.Request) }

func (p *pages) getOpenAPI(c *gin.Context) error {
	static.ServeOpenAPI(c.Writer, c.Request)
	return nil
}
