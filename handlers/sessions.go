package handlers

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/access"
)

// bearer requires a session of one of the kinds, from the header
// Authorization. A cookie does not count.
// It is checked before the body is read. An address that failed too often
// is not looked up, unless others may stand behind it.
func (s *server) bearer(kinds ...string) gin.HandlerFunc {
	return func(c *gin.Context) {
		address, shared := client(c)
		if !shared && s.doors.failures.Exceeded(address) {
			s.writeError(c, errTooMany)
			return
		}
		caller, err := s.access.Bearer(c.Request.Context(), bearerToken(c), kinds...)
		if err != nil {
			if errors.Is(err, access.ErrSession) {
				s.doors.failures.Add(address)
			}
			s.writeError(c, err)
			return
		}
		c.Set(keyTenant, caller.Tenant.ID)
		c.Set(keySession, caller)
		body := s.doors.sessions.Open(caller.Tenant.ID+"\x00"+caller.Session.UserID, maxTextJSON, bodyTimeout)
		defer body.Release()
		c.Set(keyBody, body)
		c.Next()
	}
}

func bearerToken(c *gin.Context) string {
	scheme, token, _ := strings.Cut(c.GetHeader("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

// requireAdmin refuses callers who are no admins of the CRM account.
func (s *server) requireAdmin(c *gin.Context) {
	if !askerOf(c).IsAdmin() {
		s.writeError(c, errAdminsOnly)
	}
}

func callerOf(c *gin.Context) access.Caller { return c.MustGet(keySession).(access.Caller) }

func askerOf(c *gin.Context) access.Asker { return callerOf(c).Asker() }

// postSession exchanges a new launch token for a new session. The old
// session names the person; it may have expired by being idle.
func (p *pages) postSession(c *gin.Context) error {
	var in struct {
		Token string `json:"token" max:"65536"`
	}
	caller, err := p.access.Renewable(c.Request.Context(), bearerToken(c))
	if err != nil {
		return err
	}
	if err := bindJSON(c, &in, maxSmallJSON); err != nil {
		return err
	}
	c.Set(keyTenant, caller.Tenant.ID)
	token, expires, err := p.access.Renew(c.Request.Context(), caller, in.Token)
	return writeSecret(c, http.StatusOK, gin.H{"session_token": token, "expires_at": expires}, err)
}
