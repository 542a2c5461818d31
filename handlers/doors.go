package handlers

import (
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"dialpad-texting/internal/intake"
)

// Bytes of a body, by route. Contract section 6: nothing over 1 MiB.
const (
	maxTextJSON  = 1 << 20   // a text with its fields, or who is left out of a bulk
	maxSmallJSON = 64 << 10  // everything else of a page
	maxSigned    = 1 << 20   // a call of the CRM's
	maxHook      = 256 << 10 // an event of Dialpad's has about 2 KiB
	maxForm      = 64 << 10  // a launch token of 200 record ids has about 8 KiB
	maxConfirm   = 4 << 10
	maxSuspect   = 16 << 10 // of an address that failed too often: what is genuine is small
)

const (
	bodyTimeout = 15 * time.Second // for a body to arrive
	hookTimeout = 5 * time.Second  // Dialpad's own
)

// Bytes of bodies at one time: of all whom nobody has authenticated, and of
// the people with a session.
var (
	anonymousLimits = intake.Limits{Client: 8 << 20, Total: 16 << 20}
	sessionLimits   = intake.Limits{Client: 3 << 20, Total: 24 << 20}
)

// An address may fail so often: far more often than people and servers that
// mean well do.
const (
	failureBurst    = 1000
	failuresASecond = 10
)

// doors bounds what comes in before it is read.
type doors struct {
	anonymous *intake.Pool
	sessions  *intake.Pool
	failures  *intake.Failures
}

func newDoors(now func() time.Time) *doors {
	return &doors{intake.NewPool(anonymousLimits), intake.NewPool(sessionLimits),
		intake.NewFailures(failureBurst, failuresASecond, now)}
}

var (
	errBusy    = refuse("busy", "Too much is coming in at once. Try again in a moment.")
	errTooMany = refuse("too_many_failures", "Too much from this address was refused. Try again in a moment.")
	errSlow    = refuse("body_timeout", "The request did not arrive in time.")
	errLarge   = refuse("too_large", "The request is too large.")
)

// retryAfter is the seconds after which errBusy and errTooMany may be over.
const retryAfter = "5"

// client returns the name of the address that a request comes from, and
// whether others may stand behind it too.
func client(c *gin.Context) (name string, shared bool) {
	address := c.ClientIP()
	return intake.Client(address), intake.IsShared(address)
}

// open is an address that anybody may call: its body, of at most most
// bytes, proves who does.
func (d *doors) open(most int, within time.Duration, h handler) handler {
	return func(c *gin.Context) error {
		name, shared := client(c)
		if shared {
			name = "" // no share of its own
		}
		body := d.anonymous.Open(name, most, within)
		defer body.Release()
		c.Set(keyBody, body)
		return h(c)
	}
}

// counted counts what is refused by address. One that failed too often is
// answered 429 where it fails again; what is genuine always passes.
func (d *doors) counted(h handler) handler {
	return func(c *gin.Context) error {
		name, _ := client(c)
		suspect := d.failures.Exceeded(name)
		if suspect {
			bodyOf(c).Limit(maxSuspect)
		}
		err := h(c)
		if err == nil {
			return nil
		}
		r := asRefusal(err)
		if r.status == http.StatusUnauthorized {
			d.failures.Add(name)
		}
		if suspect && (r.status == http.StatusUnauthorized || r.status == http.StatusRequestEntityTooLarge) {
			return errTooMany.withCause(err)
		}
		return err
	}
}

func bodyOf(c *gin.Context) *intake.Body {
	body, _ := c.MustGet(keyBody).(*intake.Body)
	return body
}

// readBody reads the whole body of a route.
func readBody(c *gin.Context) ([]byte, error) {
	content, err := bodyOf(c).Read(c.Writer, c.Request)
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return content, nil
	case errors.As(err, &tooLarge):
		return nil, errLarge
	case errors.Is(err, intake.ErrBusy):
		return nil, errBusy
	case errors.Is(err, intake.ErrSlow):
		return nil, errSlow
	}
	return nil, badRequest("The request broke off.").withCause(err)
}

// isUnread reports whether a request has a body that did not arrive, or
// that nobody read.
func isUnread(c *gin.Context) bool {
	body, _ := c.Value(keyBody).(*intake.Body)
	return c.Request.ContentLength != 0 && (body == nil || !body.WasRead())
}
