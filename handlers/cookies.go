package handlers

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/sessions"

	"dialpad-texting/app/access"
)

// Cookie names. Browsers accept the prefix __Host- only from the host
// itself, for all its paths, over https or on loopback.
const (
	pageCookie    = "__Host-page"
	connectCookie = "__Host-connect"
)

// connectMaxAge covers a ticket's life and the confirmation's.
const connectMaxAge = 20 * time.Minute

// cookies hold an opaque value each; the database knows its meaning.
type cookies struct{ page, connect *sessions.CookieStore }

// newCookies signs with the first key and verifies with any.
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
		// The page is framed by the CRM: cross-site and partitioned.
		page:    store(access.MaxAge, http.SameSiteNoneMode, true),
		connect: store(connectMaxAge, http.SameSiteLaxMode, false),
	}
}

const cookieValue = "v"

// setCookie writes a cookie. It reads none: a launch must not depend
// on the browser's old cookies.
func setCookie(c *gin.Context, store *sessions.CookieStore, name, value string) error {
	session, options := sessions.NewSession(store, name), *store.Options
	session.Options, session.Values[cookieValue] = &options, value
	return store.Save(c.Request, c.Writer, session)
}

// cookie returns a cookie's value, "" if it is absent or not signed by us.
func cookie(c *gin.Context, store *sessions.CookieStore, name string) string {
	session, err := store.New(c.Request, name)
	if err != nil {
		return ""
	}
	value, _ := session.Values[cookieValue].(string)
	return value
}
