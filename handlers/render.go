package handlers

import (
	"bytes"
	"log/slog"
	"net/http"
	"regexp"
	"strings"

	"github.com/gin-gonic/gin"

	"dialpad-texting/config"
	"dialpad-texting/static"
)

// Content security policies of pages; render appends who may frame them.
const (
	scripted = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "
	scriptless = "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
		"form-action 'none'; base-uri 'none'; frame-ancestors "
	nobody = "'none'"
)

// pageWriter writes HTML pages.
type pageWriter struct {
	renderer *static.Renderer
	config   config.Config
	log      *slog.Logger
}

// render writes a page that only frames may frame.
func (w *pageWriter) render(c *gin.Context, status int, policy, frames, name string, data any) error {
	var page bytes.Buffer
	if err := w.renderer.Render(&page, name, data); err != nil {
		return err
	}
	c.Header("Content-Security-Policy", policy+frames)
	const html = "text/html; charset=utf-8"
	if strings.HasPrefix(name, "connect_") { // they repeat what Dialpad said, beside a ticket
		c.Data(status, html, page.Bytes())
		return nil
	}
	writeCompressed(c, status, html, page.Bytes())
	return nil
}

// plain writes an error page: no script, and a link to the CRM.
func (w *pageWriter) plain(c *gin.Context, r *refusal) {
	c.Abort()
	err := w.render(c, r.status, scriptless, w.tenantOrigins(), "plain", static.Plain{
		Title: "This page cannot be shown", Message: r.message, LinkText: "Open Dialpad in your CRM", LinkURL: w.appPageURL(c.Request),
	})
	if err != nil {
		w.log.Error("render error page failed", "request", requestID(c), "cause", err)
		c.Data(r.status, "text/plain; charset=utf-8", []byte(r.message))
	}
}

func (w *pageWriter) crmScheme() string {
	if config.Loopback(w.config.CRMBaseDomain) {
		return "http://"
	}
	return "https://"
}

// tenantOrigins matches every tenant of the CRM: without a valid token
// the tenant is unknown.
func (w *pageWriter) tenantOrigins() string { return w.crmScheme() + "*." + w.config.CRMBaseDomain }

var dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// appPageURL is the address of the app's page in the CRM. It takes the tenant
// from the header Origin, which is trusted for this link only.
// Without a tenant it is the CRM's own address.
func (w *pageWriter) appPageURL(r *http.Request) string {
	label := strings.TrimPrefix(r.Header.Get("Origin"), w.crmScheme())
	label, ofCRM := strings.CutSuffix(label, w.config.TenantHost(""))
	if ofCRM && dnsLabel.MatchString(label) {
		return w.config.AppPageURL(label)
	}
	return strings.NewReplacer("{linkname}.", "", "{linkname}", "").Replace(w.config.CRMAppPageURL)
}
