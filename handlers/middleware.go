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

// Keys of what a request carries along.
const (
	keyRequest = "request"
	keyTenant  = "tenant"
	keySession = "session"
)

func requestID(c *gin.Context) string { return c.GetString(keyRequest) }

// identify names the request, for the log and for whoever reports a failure.
func identify(c *gin.Context) {
	id := rand.Text()
	c.Set(keyRequest, id)
	c.Header("X-Request-Id", id)
}

// observe logs and counts each request: its route, never its address, which may hold a ticket or a search for a person.
func (s *server) observe(c *gin.Context) {
	begun := s.Now()
	defer func() { s.tell(c, s.Now().Sub(begun)) }() // an answer that is broken off counts too
	c.Next()
}

func (s *server) tell(c *gin.Context, took time.Duration) {
	route := c.FullPath()
	if route == "" {
		route = "none"
	}
	s.metrics.count(c.Request.Method, route, c.Writer.Status(), took)
	level := slog.LevelInfo
	if s.quiet[route] && c.Writer.Status() < http.StatusBadRequest {
		level = slog.LevelDebug
	}
	s.Log.LogAttrs(c.Request.Context(), level, "request", slog.String("request", requestID(c)),
		slog.String("method", c.Request.Method), slog.String("route", route), slog.Int("status", c.Writer.Status()),
		slog.Float64("took_ms", float64(took.Microseconds())/1000), slog.String("tenant", c.GetString(keyTenant)))
}

// recover turns a panic into a 500. net/http's own way of breaking an answer off goes on its way.
func (s *server) recover(c *gin.Context) {
	defer func() {
		switch v := recover(); {
		case v == nil:
		case v == http.ErrAbortHandler: //nolint:errorlint,err113 // a panic's value, never wrapped
			panic(v)
		default:
			s.Log.ErrorContext(c.Request.Context(), "panic", "request", requestID(c), "route", c.FullPath(),
				"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			s.fail(c, fmt.Errorf("panic: %v", v))
		}
	}()
	c.Next()
}

// secure sets what every answer wants; pages replace the policy by their own.
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

// sameOrigin refuses what another site's page sends with a browser, but where a token or a signature is the proof:
// launches come cross-site by nature, and the rest come from servers.
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
			s.fail(c, refuse(http.StatusForbidden, "cross_origin", "This request came from another site's page.").because(err))
		}
	}
}
