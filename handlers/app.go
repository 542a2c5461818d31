package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"dialpad-texting/app/hours"
	"dialpad-texting/app/install"
	"dialpad-texting/models"
)

func (s *server) getStatus(c *gin.Context) error {
	status, err := s.Installer.Status(c.Request.Context(), callerOf(c).Session)
	return answer(c, http.StatusOK, status, err)
}

func (s *server) postInstall(c *gin.Context) error {
	if err := bindNothing(c); err != nil {
		return err
	}
	caller := callerOf(c)
	no, err := s.Installer.Install(c.Request.Context(), caller.Tenant, caller.Session.UserID)
	if no != nil {
		return asRefusal(no).with("plans", s.Eligibility.Plans())
	}
	return answer(c, http.StatusCreated, gin.H{"installed": true}, err)
}

func (s *server) postStartConnect(c *gin.Context) error {
	if err := bindNothing(c); err != nil {
		return err
	}
	caller := callerOf(c)
	url, no, err := s.Connector.Start(c.Request.Context(), caller.Tenant, caller.Session)
	if no != nil {
		return no
	}
	return answer(c, http.StatusOK, gin.H{"url": url}, err)
}

func (s *server) postDisconnect(c *gin.Context) error {
	if err := bindNothing(c); err != nil {
		return err
	}
	v := callerOf(c).Session
	if err := s.Connections.Disconnect(c.Request.Context(), v.TenantID, v.UserID); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (s *server) postRemove(c *gin.Context) error {
	if err := bindNothing(c); err != nil {
		return err
	}
	v := callerOf(c).Session
	if err := s.Installer.Remove(c.Request.Context(), v.TenantID, v.UserID); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// putSettings changes what is named and leaves the rest: an older page must not reset what it does not know.
func (s *server) putSettings(c *gin.Context) error {
	caller := callerOf(c)
	in := install.SettingsOf(caller.Tenant)
	if err := bindJSON(c, &in); err != nil {
		return err
	}
	settings := models.Settings{Country: in.Country, RatePerMinute: in.RatePerMinute, Reserve: in.Reserve, KeepLaws: in.KeepLaws, OptOutLine: in.OptOutLine}
	if in.QuietHours != nil {
		settings.QuietFrom, settings.QuietTo = in.QuietHours.From, in.QuietHours.To
	}
	if err := s.Installer.SaveSettings(c.Request.Context(), caller.Tenant.ID, caller.Session.UserID, settings); err != nil {
		return err
	}
	tenant, err := s.Store.Tenants.Get(c.Request.Context(), caller.Tenant.ID)
	return answer(c, http.StatusOK, gin.H{"settings": install.SettingsOf(tenant)}, err)
}

// getLaws answers with the hours of the law and where they come from.
func (s *server) getLaws(c *gin.Context) error {
	laws, checked := hours.Laws()
	return answer(c, http.StatusOK, gin.H{"laws": laws, "checked": checked}, nil)
}

func (s *server) getPeople(c *gin.Context) error {
	search, err := queries(c, "q", "cursor")
	if err != nil {
		return err
	}
	page, err := s.Accounts.People(c.Request.Context(), callerOf(c).Tenant.ID, search["q"], search["cursor"])
	return answer(c, http.StatusOK, page, err)
}
