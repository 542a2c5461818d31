package handlers

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"
)

// Keys of gin's request context.
const (
	keyRequest = "request"
	keyTenant  = "tenant"
	keySession = "session"
	keyBody    = "body"
)

func requestID(c *gin.Context) string { return c.GetString(keyRequest) }

// assignRequestID adds an id for the log and for error reports.
func assignRequestID(c *gin.Context) {
	id := rand.Text()
	c.Set(keyRequest, id)
	c.Header("X-Request-Id", id)
}

// observe logs and counts each request: its route, never its address,
// which may contain a ticket or a search for a person.
func (s *server) observe(c *gin.Context) {
	started := s.now()
	defer func() { s.logRequest(c, s.now().Sub(started)) }() // aborted requests count too
	c.Next()
}

func (s *server) logRequest(c *gin.Context, took time.Duration) {
	route := c.FullPath()
	if route == "" {
		route = "none"
	}
	s.metrics.count(c.Request.Method, route, c.Writer.Status(), took)
	level := slog.LevelInfo
	if s.quiet[route] && c.Writer.Status() < http.StatusBadRequest {
		level = slog.LevelDebug
	}
	s.log.LogAttrs(c.Request.Context(), level, "request", slog.String("request", requestID(c)),
		slog.String("method", c.Request.Method), slog.String("route", route), slog.Int("status", c.Writer.Status()),
		slog.Float64("took_ms", float64(took.Microseconds())/1000), slog.String("tenant", c.GetString(keyTenant)))
}

// recover answers a panic with 500. net/http handles ErrAbortHandler.
func (s *server) recover(c *gin.Context) {
	defer func() {
		switch v := recover(); {
		case v == nil:
		case v == http.ErrAbortHandler: //nolint:errorlint,err113 // a panic's value, never wrapped
			panic(v)
		default:
			s.log.ErrorContext(c.Request.Context(), "panic", "request", requestID(c), "route", c.FullPath(),
				"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			s.writeError(c, fmt.Errorf("panic: %v", v))
		}
	}()
	c.Next()
}

// secure sets the security headers; pages replace the content policy.
func (s *server) secure(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	if s.https {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// sameOrigin refuses browsers' cross-origin requests, except at addresses
// where a token or a signature authenticates: launches come from
// the CRM's site, the rest from servers.
func (s *server) sameOrigin() gin.HandlerFunc {
	guard := http.NewCrossOriginProtection()
	for _, pattern := range []string{
		"POST /embed/popup", "POST /apps/dialpad", "POST /texts",
		"POST /crm/events", "POST /automation/", "POST /dialpad/events/",
	} {
		guard.AddInsecureBypassPattern(pattern)
	}
	return func(c *gin.Context) {
		if err := guard.Check(c.Request); err != nil {
			s.writeError(c, refuse("cross_origin", "This request came from another site's page.").withCause(err))
		}
	}
}
