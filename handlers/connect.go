package handlers

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/connection"
	"dialpad-texting/models"
	"dialpad-texting/static"
)

// getConnect sends the window on to Dialpad's consent and ties what comes back to this browser. One browser may have
// several windows under way, so it keeps its value.
func (s *server) getConnect(c *gin.Context) error {
	browser := get(c, s.cookies.connect, connectCookie)
	if browser == "" {
		browser = models.NewSecret()
	}
	search, err := queries(c, "ticket")
	if err != nil {
		return err
	}
	consent, err := s.Connector.OpenWindow(c.Request.Context(), search["ticket"], browser)
	var stop *connection.ConnectError
	if errors.As(err, &stop) {
		return s.outcome(c, stop.Result)
	}
	if err != nil {
		return err
	}
	if err := set(c, s.cookies.connect, connectCookie, browser); err != nil {
		return err
	}
	c.Redirect(http.StatusFound, consent)
	return nil
}

func (s *server) getCallback(c *gin.Context) error {
	search, err := queries(c, "state", "code", "error", "error_description")
	if err != nil {
		return err
	}
	out, err := s.Connector.Callback(c.Request.Context(), connection.CallbackQuery{
		State: search["state"], Code: search["code"], Error: search["error"], Description: search["error_description"],
		Browser: get(c, s.cookies.connect, connectCookie),
	})
	if err != nil {
		return err
	}
	return s.outcome(c, out)
}

func (s *server) postConfirm(c *gin.Context) error {
	if err := bindForm(c); err != nil {
		return err
	}
	decide := s.Connector.Decline
	switch c.Request.PostForm.Get("action") {
	case "connect":
		decide = s.Connector.Confirm
	case "cancel":
	default:
		return badRequest("Choose to connect or not.")
	}
	out, err := decide(c.Request.Context(), c.Request.PostForm.Get("state"), get(c, s.cookies.connect, connectCookie))
	if err != nil {
		return err
	}
	return s.outcome(c, out)
}

// outcome is what the window shows next: nobody may frame it, or it could be pressed unseen.
func (s *server) outcome(c *gin.Context, o connection.Result) error {
	// The confirmation posts a form; without a referrer older browsers would call its origin null.
	c.Header("Referrer-Policy", "same-origin")
	if o.Confirm != nil {
		return s.render(c, http.StatusOK, scripted, nobody, "connect_confirm", static.Confirm(*o.Confirm))
	}
	status := http.StatusOK
	if !o.Done {
		status = http.StatusBadRequest
	}
	done := static.Done{OK: o.Done, Title: o.Title, Message: o.Message}
	if o.Link != nil {
		done.LinkText, done.LinkURL = o.Link.Text, o.Link.URL
	}
	return s.render(c, status, scripted, nobody, "connect_done", done)
}
