package handlers

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/apierror"
)

// handler handles one request; an error is answered instead.
type handler func(c *gin.Context) error

// api answers errors with the contract's envelope. A person who
// opens an unknown address in a browser gets a page.
func (s *server) api(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			s.writeError(c, err)
		}
	}
}

// page answers errors with a page.
func (s *server) page(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			s.pages.plain(c, s.prepareError(c, err))
		}
	}
}

func (s *server) writeError(c *gin.Context, err error) {
	r := s.prepareError(c, err)
	if c.FullPath() == "" && strings.Contains(c.GetHeader("Accept"), gin.MIMEHTML) {
		s.pages.plain(c, r)
		return
	}
	c.AbortWithStatusJSON(r.status, r.envelope())
}

// prepareError logs the refusal and removes the headers of the replaced
// answer. If part of that was sent, it closes the connection, so that
// the client notices.
func (s *server) prepareError(c *gin.Context, err error) *refusal {
	r := asRefusal(err)
	s.logRefusal(c, r)
	if c.Writer.Written() {
		panic(http.ErrAbortHandler)
	}
	for _, name := range []string{"Content-Type", "Content-Disposition", "Content-Length"} {
		c.Writer.Header().Del(name)
	}
	if r.code == errBusy.code || r.code == errTooMany.code {
		c.Header("Retry-After", retryAfter)
	}
	if seconds, ok := r.details[apierror.DetailRetryAfter].(int); ok {
		c.Header("Retry-After", strconv.Itoa(seconds))
	}
	if isUnread(c) {
		c.Header("Connection", "close") // the server would wait for the rest
	}
	return r
}

// logRefusal logs the cause, for the operator alone.
func (s *server) logRefusal(c *gin.Context, r *refusal) {
	level := slog.LevelDebug
	if r.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	s.log.LogAttrs(c.Request.Context(), level, "request refused", slog.String("request", requestID(c)),
		slog.String("route", c.FullPath()), slog.Int("status", r.status), slog.String("code", r.code), slog.Any("cause", r.cause))
}

// writeJSON writes a view, or returns the error. A view with a secret goes to
// writeSecret.
func writeJSON(c *gin.Context, status int, view any, err error) error {
	if err != nil {
		return err
	}
	body, err := json.Marshal(view)
	if err != nil {
		return err
	}
	writeCompressed(c, status, "application/json; charset=utf-8", body)
	return nil
}

// writeNoContent answers 204, or returns the error.
func writeNoContent(c *gin.Context, err error) error {
	if err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
