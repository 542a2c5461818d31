package handlers

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/connection"
	"dialpad-texting/models"
	"dialpad-texting/static"
)

// connectWindow is the window in which an admin connects Dialpad.
type connectWindow struct {
	pages     *pageWriter
	connector *connection.Connector
	cookies   cookies
}

// getConnect redirects to Dialpad's consent page. A cookie ties the
// callback to this browser; it is kept, since one browser may have
// several windows open.
func (w *connectWindow) getConnect(c *gin.Context) error {
	browser := cookie(c, w.cookies.connect, connectCookie)
	if browser == "" {
		browser = models.NewSecret()
	}
	query, err := queries(c, "ticket")
	if err != nil {
		return err
	}
	consent, err := w.connector.OpenWindow(c.Request.Context(), query["ticket"], browser)
	var connectErr *connection.ConnectError
	if errors.As(err, &connectErr) {
		return w.writeResult(c, connectErr.Result)
	}
	if err != nil {
		return err
	}
	if err := setCookie(c, w.cookies.connect, connectCookie, browser); err != nil {
		return err
	}
	c.Redirect(http.StatusFound, consent)
	return nil
}

func (w *connectWindow) getCallback(c *gin.Context) error {
	query, err := queries(c, "state", "code", "error", "error_description")
	if err != nil {
		return err
	}
	result, err := w.connector.Callback(c.Request.Context(), connection.CallbackQuery{
		State: query["state"], Code: query["code"], Error: query["error"], Description: query["error_description"],
		Browser: cookie(c, w.cookies.connect, connectCookie),
	})
	if err != nil {
		return err
	}
	return w.writeResult(c, result)
}

func (w *connectWindow) postConfirm(c *gin.Context) error {
	form, err := bindForm(c)
	if err != nil {
		return err
	}
	decide := w.connector.Decline
	switch form.Get("action") {
	case "connect":
		decide = w.connector.Confirm
	case "cancel":
	default:
		return badRequest("Choose to connect or not.")
	}
	result, err := decide(c.Request.Context(), form.Get("state"), cookie(c, w.cookies.connect, connectCookie))
	if err != nil {
		return err
	}
	return w.writeResult(c, result)
}

// writeResult shows the next page of the window. No site may frame it,
// against clickjacking.
func (w *connectWindow) writeResult(c *gin.Context, result connection.Result) error {
	// Without a referrer older browsers post the form with origin null.
	c.Header("Referrer-Policy", "same-origin")
	if result.Confirm != nil {
		return w.pages.render(c, http.StatusOK, scripted, nobody, "connect_confirm", w.question(*result.Confirm))
	}
	status := http.StatusOK
	if !result.Done {
		status = http.StatusBadRequest
	}
	done := static.Done{OK: result.Done, Title: result.Title, Message: result.Message}
	if result.Link != nil {
		done.LinkText, done.LinkURL = result.Link.Text, result.Link.URL
	}
	return w.pages.render(c, status, scripted, nobody, "connect_done", done)
}

func (w *connectWindow) question(q connection.Confirm) static.Confirm {
	return static.Confirm{Company: q.Company, DialpadEmail: q.DialpadEmail, TenantName: q.TenantName, State: q.State,
		Host: w.pages.config.TenantHost(q.Linkname), OtherEmail: q.OtherEmail, Replaces: q.Replaces}
}
