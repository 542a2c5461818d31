package handlers

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/access"
)

// bearer requires a session of one of the kinds, from the header
// Authorization. A cookie does not count.
func (s *server) bearer(kinds ...string) gin.HandlerFunc {
	return func(c *gin.Context) {
		caller, err := s.access.Bearer(c.Request.Context(), bearerToken(c), kinds...)
		if err != nil {
			s.writeError(c, err)
			return
		}
		c.Set(keyTenant, caller.Tenant.ID)
		c.Set(keySession, caller)
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
		Token string `json:"token"`
	}
	if err := bindJSON(c, &in); err != nil {
		return err
	}
	caller, err := p.access.Renewable(c.Request.Context(), bearerToken(c))
	if err != nil {
		return err
	}
	c.Set(keyTenant, caller.Tenant.ID)
	token, expires, err := p.access.Renew(c.Request.Context(), caller, in.Token)
	return writeJSON(c, http.StatusOK, gin.H{"session_token": token, "expires_at": expires}, err)
}
