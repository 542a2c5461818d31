package handlers

import (
	"github.com/gin-gonic/gin"

	"dialpad-texting/app/activity"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// routes registers every address.
func (s *server) routes(r *gin.Engine, d Deps) {
	cookies := newCookies(d.Config.SessionKeys.List())
	s.pageRoutes(r, &pages{s.pages, d.Access, cookies, d.Assets})
	cursors := newCursors(d.Config.SessionKeys.List())
	s.appPageRoutes(r, &appPage{d.Store, d.Eligibility, d.Connector, d.Connections, d.Installer, d.Accounts, cursors})
	s.textRoutes(r, &textAPI{d.Popup, d.Audience, d.Batches, d.Outbox, cursors})
	s.optOutRoutes(r, &optOutAPI{d.OptOuts, d.Outbox, cursors})
	log := &activityAPI{activity.New(d.Store), cursors}
	r.GET("/apps/dialpad/activity", s.bearer(models.SessionPage), s.requireAdmin, s.api(log.getActivity))

	// The window that connects Dialpad.
	connect := &connectWindow{s.pages, d.Connector, cookies}
	r.GET("/connect", s.page(connect.getConnect))
	r.GET("/connect/callback", s.page(connect.getCallback))
	r.POST("/connect/confirm", s.page(s.doors.open(maxConfirm, bodyTimeout, connect.postConfirm)))

	// Signed calls of the CRM's servers.
	calls := &crmCalls{secrets: d.Secrets, store: d.Store, automation: d.Automation, events: d.Events, now: d.Now}
	signed := func(answer call) gin.HandlerFunc {
		return s.api(s.doors.open(maxSigned, bodyTimeout, s.doors.counted(calls.signed(answer))))
	}
	r.POST("/crm/events", signed(calls.applyEvent))
	r.POST("/automation/definition", signed(only(crm.CallDefinition, calls.definition)))
	r.POST("/automation/options", signed(only(crm.CallOptions, calls.options)))
	r.POST("/automation/execute", signed(only(crm.CallExecute, calls.execute)))

	// Dialpad's events, each signed with the tenant's own secret.
	hooks := newDialpadEvents(d, s.doors.failures)
	r.POST("/dialpad/events/:path", s.api(s.doors.open(maxHook, hookTimeout, hooks.post)))

	operation := &operation{d.Store, d.Config.MetricsToken, s.metrics, d.Now, d.Log, d.WorkersFresh}
	r.GET("/healthz", s.api(operation.getHealthz))
	r.GET("/readyz", s.api(operation.getReadyz))
	r.GET("/metrics", s.api(operation.getMetrics))
}

func (s *server) pageRoutes(r *gin.Engine, p *pages) {
	// Launches: the token authenticates, no cookie is read.
	launch := func(h handler) gin.HandlerFunc {
		return s.page(s.doors.open(maxForm, bodyTimeout, s.doors.counted(h)))
	}
	r.POST("/embed/popup", launch(p.postPopup))
	r.POST("/apps/dialpad", launch(p.postPage("app")))
	r.POST("/texts", launch(p.postPage("texts")))
	r.POST("/embed/api/session", s.api(s.doors.open(maxSmallJSON, bodyTimeout, s.doors.counted(p.postSession))))

	// The same pages, reloaded. The page cookie opens nothing else.
	r.GET("/apps/dialpad", s.page(p.getPage("app")))
	r.GET("/texts", s.page(p.getPage("texts")))

	r.GET("/", s.page(p.getHome))
	r.GET("/embed/sdk.js", s.api(p.getSDK))
	r.GET("/openapi.yaml", s.api(p.getOpenAPI))
	r.GET("/static/*path", p.getAsset)
	r.HEAD("/static/*path", p.getAsset)
}

func (s *server) appPageRoutes(r *gin.Engine, p *appPage) {
	app := r.Group("/apps/dialpad", s.bearer(models.SessionPage))
	app.GET("/status", s.api(p.getStatus))
	app.GET("/laws", s.api(getLaws))
	app.GET("/countries", s.api(getCountries))
	admin := app.Group("", s.requireAdmin)
	admin.POST("/install", s.api(p.postInstall))
	admin.POST("/connect", s.api(p.postStartConnect))
	admin.POST("/disconnect", s.api(p.postDisconnect))
	admin.POST("/remove", s.api(p.postRemove))
	admin.PUT("/settings", s.api(p.putSettings))
	admin.GET("/people", s.api(p.getPeople))
}

func (s *server) optOutRoutes(r *gin.Engine, h *optOutAPI) {
	r.GET("/apps/dialpad/opt-outs", s.bearer(models.SessionPage), s.requireAdmin, s.api(h.getOptOuts))
	r.GET("/texts/api/reviews", s.bearer(models.SessionPage), s.api(h.getReviews))
	numbers := r.Group("/embed/api/opt-outs", s.bearer(models.SessionPopup, models.SessionPage))
	numbers.GET("", s.api(h.getOptOut))
	numbers.POST("", s.api(h.postOptOut))
}

func (s *server) textRoutes(r *gin.Engine, t *textAPI) {
	// The popup.
	popup := r.Group("/embed/api", s.bearer(models.SessionPopup))
	popup.GET("/context", s.api(t.getContext))
	popup.GET("/conversation", s.api(t.getConversation))
	popup.PUT("/draft", s.api(t.putDraft))
	popup.PUT("/preferences", s.api(t.putPreferences))
	popup.GET("/templates", s.api(t.getTemplates))
	popup.POST("/render", s.api(t.postRender))
	popup.POST("/preview", s.api(t.postPreview))
	popup.POST("/batches", s.api(t.postBatch))

	// The popup and the outbox page.
	texts := r.Group("/embed/api", s.bearer(models.SessionPopup, models.SessionPage))
	texts.GET("/batches/:id", s.api(withID(t.getBatch)))
	texts.PATCH("/batches/:id", s.api(withID(t.patchBatch)))
	texts.GET("/batches/:id/messages", s.api(withID(t.getMessages)))
	texts.POST("/batches/:id/cancel", s.api(t.changeBatch(t.batches.Cancel)))
	texts.POST("/batches/:id/pause", s.api(t.changeBatch(t.batches.Pause)))
	texts.POST("/batches/:id/resume", s.api(t.changeBatch(t.batches.Resume)))
	texts.POST("/batches/:id/resend", s.api(withID(t.postResend)))
	texts.POST("/batches/:id/duplicate", s.api(withID(t.postDuplicate)))
	texts.POST("/messages/:id/cancel", s.api(withID(t.postCancelMessage)))
	texts.GET("/messages/:id/receipt", s.api(withID(t.getReceipt)))
	outbox := r.Group("/texts/api", s.bearer(models.SessionPage))
	outbox.GET("/batches", s.api(t.getOutbox))
	outbox.GET("/attention", s.api(t.getAttention))
	outbox.POST("/seen", s.api(t.postSeen))
	outbox.POST("/resume", s.api(t.postResume))
	outbox.GET("/senders", s.api(t.getSenders))
	outbox.GET("/figures", s.api(t.getFigures))
}
