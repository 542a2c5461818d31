package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/accounts"
	"dialpad-texting/app/compose"
	"dialpad-texting/app/connection"
	"dialpad-texting/app/eligibility"
	"dialpad-texting/app/hours"
	"dialpad-texting/app/install"
	"dialpad-texting/models"
)

// appPage is the API of the app page.
type appPage struct {
	store       *models.Store
	eligibility *eligibility.Checker
	connector   *connection.Connector
	connections *connection.Connections
	installer   *install.Installer
	accounts    *accounts.Accounts
	cursors     cursors
}

func (p *appPage) getStatus(c *gin.Context) error {
	status, err := p.installer.Status(c.Request.Context(), callerOf(c).Session)
	return writeJSON(c, http.StatusOK, status, err)
}

func (p *appPage) postInstall(c *gin.Context) error {
	if err := bindNothing(c); err != nil {
		return err
	}
	caller := callerOf(c)
	denied, err := p.installer.Install(c.Request.Context(), caller.Tenant, caller.Session.UserID)
	if denied != nil {
		return asRefusal(denied).withDetail("plans", p.eligibility.Plans())
	}
	return writeJSON(c, http.StatusCreated, gin.H{"installed": true}, err)
}

func (p *appPage) postStartConnect(c *gin.Context) error {
	if err := bindNothing(c); err != nil {
		return err
	}
	caller := callerOf(c)
	url, denied, err := p.connector.Start(c.Request.Context(), caller.Tenant, caller.Session)
	if denied != nil {
		return denied
	}
	return writeSecret(c, http.StatusOK, gin.H{"url": url}, err)
}

func (p *appPage) postDisconnect(c *gin.Context) error {
	if err := bindNothing(c); err != nil {
		return err
	}
	session := callerOf(c).Session
	return writeNoContent(c, p.connections.Disconnect(c.Request.Context(), session.TenantID, session.UserID))
}

func (p *appPage) postRemove(c *gin.Context) error {
	if err := bindNothing(c); err != nil {
		return err
	}
	session := callerOf(c).Session
	return writeNoContent(c, p.installer.Remove(c.Request.Context(), session.TenantID, session.UserID, session.TokenHash))
}

// putSettings changes the settings that the body names. The rest stays:
// an older page must not reset settings that it lacks.
func (p *appPage) putSettings(c *gin.Context) error {
	caller := callerOf(c)
	in := install.SettingsOf(caller.Tenant)
	if err := bindJSON(c, &in, maxSmallJSON); err != nil {
		return err
	}
	settings := models.Settings{Country: in.Country, RatePerMinute: in.RatePerMinute, Reserve: in.Reserve, KeepLaws: in.KeepLaws, OptOutLine: in.OptOutLine,
		ConfirmOver: in.ConfirmOver}
	if in.QuietHours != nil {
		settings.QuietFrom, settings.QuietTo = in.QuietHours.From, in.QuietHours.To
	}
	if err := p.installer.SaveSettings(c.Request.Context(), caller.Tenant.ID, caller.Session.UserID, settings); err != nil {
		return err
	}
	tenant, err := p.store.Tenants.Get(c.Request.Context(), caller.Tenant.ID)
	return writeJSON(c, http.StatusOK, gin.H{"settings": install.SettingsOf(tenant)}, err)
}

// getLaws answers with the hours of the law and where they come from.
func getLaws(c *gin.Context) error {
	laws, checked := hours.Laws()
	return writeJSON(c, http.StatusOK, gin.H{"laws": laws, "checked": checked}, nil)
}

// getCountries answers with the countries whose numbers can be read.
func getCountries(c *gin.Context) error {
	return writeJSON(c, http.StatusOK, gin.H{"countries": compose.Countries()}, nil)
}

func (p *appPage) getPeople(c *gin.Context) error {
	query, err := queries(c, "q", "cursor")
	if err != nil {
		return err
	}
	cursor, err := p.cursors.open(c, listPeople, query["cursor"])
	if err != nil {
		return err
	}
	tenantID := callerOf(c).Tenant.ID
	blocked, err := p.eligibility.CheckTenant(c.Request.Context(), tenantID)
	if err != nil {
		return err
	}
	page, err := p.accounts.People(c.Request.Context(), tenantID, query["q"], cursor, blocked)
	page.Next = p.cursors.seal(c, listPeople, page.Next)
	return writeJSON(c, http.StatusOK, page, err)
}
