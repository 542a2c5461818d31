package sandbox

import "net/http"

const appSettingsPath = "/api/v2/app/settings"

// companyAPI serves the company, its opt-outs and its app settings.
type companyAPI struct{ *state }

func (a *companyAPI) register(mux *http.ServeMux, s *apiServer) {
	mux.Handle("GET /api/v2/company", s.withToken(readLock, companyAdmin(a.getCompany)))
	mux.Handle("GET /api/v2/company/{id}/smsoptout", s.withToken(readLock, companyAdmin(a.listOptOuts)))
	mux.Handle("GET "+appSettingsPath, s.withToken(readLock, a.getAppSettings))
}

func (a *companyAPI) getCompany(c *apiRequest) response {
	return jsonResponse(map[string]any{
		"id": a.restID(c.company.id), "name": c.company.name, "state": c.company.state, "country": "us",
		"account_type": "standard", "office_count": "1",
	})
}

func (a *companyAPI) getAppSettings(c *apiRequest) response {
	return jsonResponse(map[string]any{
		"enabled": !c.company.appDisabled, "is_preferred_service": true, "settings": map[string]any{},
	})
}

func (a *companyAPI) listOptOuts(c *apiRequest) response {
	if c.http.PathValue("id") != c.company.id {
		return refuse(http.StatusNotFound, "Company not found")
	}
	want := c.http.URL.Query().Get("opt_out_state")
	if want != "opted_out" && want != "opted_back_in" {
		return refuse(http.StatusBadRequest, "opt_out_state is required")
	}
	scope := map[string]any{"opt_out_scope_level": "company", "scope_id": a.restID(c.company.id)}
	var found []any
	for _, o := range c.company.optOuts {
		if o.out == (want == "opted_out") {
			found = append(found, map[string]any{
				"external_endpoint": o.number, "opt_out_state": want, "date": o.at.UnixMilli(), "opt_out_scope_info": scope,
			})
		}
	}
	return pageResponse(c, found)
}
