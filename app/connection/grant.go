package connection

import (
	"encoding/json"
	"errors"
	"slices"

	"dialpad-texting/integrations/dialpad"
	"dialpad-texting/models"
)

// grant is an OAuth grant and who gave it. Its sealed form in a connect
// attempt waits for the confirmation, or for CleanGrant; then Path and Known
// name the webhook and subscriptions that it had.
type grant struct {
	Grant       models.Grant
	CompanyID   string
	CompanyName string
	UserID      string
	Emails      []string
	Path        string
	Known       models.Subscriptions
}

// owner returns whose grant it is, for the revoker.
func (g grant) owner(attemptID string) grantOwner {
	return grantOwner{CompanyID: g.CompanyID, UserID: g.UserID, Attempt: attemptID}
}

// hasHooks reports whether a webhook or subscriptions were made with it.
func (g grant) hasHooks() bool { return g.Path != "" || g.Known != (models.Subscriptions{}) }

// encode returns the grant as JSON, "" when there is none.
func (g grant) encode() string {
	if g.Grant.Access == "" {
		return ""
	}
	b, err := json.Marshal(g)
	if err != nil {
		panic(err) // strings and a time: always marshals
	}
	return string(b)
}

func decodeGrant(encoded string) (grant, error) {
	var g grant
	if json.Unmarshal([]byte(encoded), &g) != nil {
		return g, errors.New("a stored grant is not readable") // the cause would quote it
	}
	return g, nil
}

// attemptGrant opens the grant that an attempt stores.
func attemptGrant(store *models.Store, a models.ConnectAttempt) (grant, error) {
	opened, err := store.ConnectAttempts.OpenGrant(a)
	if err != nil {
		return grant{}, err
	}
	return decodeGrant(opened)
}

// email returns the first e-mail of the consenting person.
func (g grant) email() string {
	if len(g.Emails) == 0 {
		return "A person without an e-mail"
	}
	return g.Emails[0]
}

// hasEmail reports whether the consenting person has this e-mail.
func (g grant) hasEmail(email string) bool {
	return slices.Contains(g.Emails, models.FoldEmail(email))
}

// grantOf converts Dialpad's answer to the stored form.
func grantOf(t dialpad.Token) models.Grant {
	g := models.Grant{Access: t.Access, Refresh: t.Refresh}
	if !t.Expiry.IsZero() {
		g.ExpiresAt = &t.Expiry
	}
	return g
}
