package handlers

import (
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"

	"dialpad-texting/app/access"
	"dialpad-texting/integrations/crm"
)

// bearer lets in whose page session is of one of the kinds. A cookie is no bearer, whatever it says.
func (s *server) bearer(kinds ...string) gin.HandlerFunc {
	return func(c *gin.Context) {
		caller, err := s.Access.Bearer(c.Request.Context(), bearerToken(c), kinds...)
		if err != nil {
			s.fail(c, err)
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

func (s *server) admins(c *gin.Context) {
	if callerOf(c).Session.Role != crm.RoleAdmin {
		s.fail(c, errAdminsOnly)
	}
}

func callerOf(c *gin.Context) access.Caller { return c.MustGet(keySession).(access.Caller) }

func asker(c *gin.Context) access.Asker { return callerOf(c).Asker() }

// postSession trades a new launch token for a new session. The old one says for whom; it may have been idle too long.
func (s *server) postSession(c *gin.Context) error {
	var in struct {
		Token string `json:"token"`
	}
	if err := bindJSON(c, &in); err != nil {
		return err
	}
	caller, err := s.Access.Renewable(c.Request.Context(), bearerToken(c))
	if err != nil {
		return err
	}
	c.Set(keyTenant, caller.Tenant.ID)
	token, expires, err := s.Access.Renew(c.Request.Context(), caller, in.Token)
	return answer(c, http.StatusOK, gin.H{"session_token": token, "expires_at": expires}, err)
}

// Names of our cookies. Browsers take the prefix only from the host itself, for all of it, over https or on loopback.
const (
	pageCookie    = "__Host-page"
	connectCookie = "__Host-connect"
)

// connectLife covers a ticket's life and the confirmation's.
const connectLife = 20 * time.Minute

// cookies hold an opaque value each; what it means stands in our tables.
type cookies struct{ page, connect *sessions.CookieStore }

// newCookies signs with the first key and takes all of them.
func newCookies(keys [][]byte) cookies {
	var pairs [][]byte
	for _, key := range keys {
		pairs = append(pairs, key, nil) // signed; an opaque value needs no encryption
	}
	store := func(life time.Duration, site http.SameSite, partitioned bool) *sessions.CookieStore {
		k := sessions.NewCookieStore(pairs...)
		k.Options = &sessions.Options{Path: "/", Secure: true, HttpOnly: true, SameSite: site, Partitioned: partitioned}
		k.MaxAge(int(life.Seconds()))
		return k
	}
	return cookies{
		// A page stands in the CRM's frame: another site, and a partition of its own there.
		page:    store(access.MaxAge, http.SameSiteNoneMode, true),
		connect: store(connectLife, http.SameSiteLaxMode, false),
	}
}

const cookieValue = "v"

// set writes a cookie without reading one: a launch must not depend on what the browser brought.
func set(c *gin.Context, store *sessions.CookieStore, name, value string) error {
	session, options := sessions.NewSession(store, name), *store.Options
	session.Options, session.Values[cookieValue] = &options, value
	return store.Save(c.Request, c.Writer, session)
}

// get is "" where there is no cookie, or none of ours.
func get(c *gin.Context, store *sessions.CookieStore, name string) string {
	session, err := store.New(c.Request, name)
	if err != nil {
		return ""
	}
	value, _ := session.Values[cookieValue].(string)
	return value
}
