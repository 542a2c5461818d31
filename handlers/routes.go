package handlers

import (
	"github.com/gin-gonic/gin"

	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
)

// routes lists every address there is: people's, then machines'.
func (s *server) routes(r *gin.Engine) {
	s.pageRoutes(r)
	s.textRoutes(r)
	s.machineRoutes(r)
}

func (s *server) pageRoutes(r *gin.Engine) {
	// Launches: the token is the proof, no cookie is read.
	r.POST("/embed/popup", s.page(s.postPopup))
	r.POST("/apps/dialpad", s.page(s.postPage("app")))
	r.POST("/texts", s.page(s.postPage("texts")))
	r.POST("/embed/api/session", s.api(s.postSession))

	// The same pages again, by their cookie, which opens nothing else.
	r.GET("/apps/dialpad", s.page(s.getPage("app")))
	r.GET("/texts", s.page(s.getPage("texts")))

	// The window that connects Dialpad.
	r.GET("/connect", s.page(s.getConnect))
	r.GET("/connect/callback", s.page(s.getCallback))
	r.POST("/connect/confirm", s.page(s.postConfirm))

	// The app detail page.
	app := r.Group("/apps/dialpad", s.bearer(models.SessionPage))
	app.GET("/status", s.api(s.getStatus))
	admin := app.Group("", s.admins)
	admin.POST("/install", s.api(s.postInstall))
	admin.POST("/connect", s.api(s.postStartConnect))
	admin.POST("/disconnect", s.api(s.postDisconnect))
	admin.POST("/remove", s.api(s.postRemove))
	admin.PUT("/settings", s.api(s.putSettings))
	admin.GET("/people", s.api(s.getPeople))
	app.GET("/laws", s.api(s.getLaws))
}

// textRoutes are what people write, send and look after.
func (s *server) textRoutes(r *gin.Engine) {
	// The popup.
	popup := r.Group("/embed/api", s.bearer(models.SessionPopup))
	popup.GET("/context", s.api(s.getContext))
	popup.GET("/templates", s.api(s.getTemplates))
	popup.POST("/render", s.api(s.postRender))
	popup.POST("/preview", s.api(s.postPreview))
	popup.POST("/batches", s.api(s.postBatch))

	// Batches and messages: the popup's and the outbox's.
	texts := r.Group("/embed/api", s.bearer(models.SessionPopup, models.SessionPage))
	texts.GET("/batches/:id", s.api(s.getBatch))
	texts.PATCH("/batches/:id", s.api(s.patchBatch))
	texts.GET("/batches/:id/messages", s.api(s.getMessages))
	texts.POST("/batches/:id/cancel", s.api(s.changeBatch(s.Batches.Cancel)))
	texts.POST("/batches/:id/pause", s.api(s.changeBatch(s.Batches.Pause)))
	texts.POST("/batches/:id/resume", s.api(s.changeBatch(s.Batches.Resume)))
	texts.POST("/batches/:id/resend", s.api(s.postResend))
	texts.POST("/messages/:id/cancel", s.api(s.postCancelMessage))
	texts.GET("/messages/:id/receipt", s.api(s.getReceipt))
	r.GET("/texts/api/batches", s.bearer(models.SessionPage), s.api(s.getOutbox))
}

func (s *server) machineRoutes(r *gin.Engine) {
	// The CRM's servers, signed.
	r.POST("/crm/events", s.api(s.signed(s.answerEvent)))
	r.POST("/automation/definition", s.api(s.signed(only(crm.CallDefinition, s.answerDefinition))))
	r.POST("/automation/options", s.api(s.signed(only(crm.CallOptions, s.answerOptions))))
	r.POST("/automation/execute", s.api(s.signed(only(crm.CallExecute, s.answerExecute))))

	// Dialpad's events, each a token signed with the tenant's own secret.
	r.POST("/dialpad/events/:path", s.api(s.postDialpadEvent))

	// For browsers, and for those who run the app.
	r.GET("/", s.page(s.getHome))
	r.GET("/embed/sdk.js", s.api(s.getSDK))
	r.GET("/static/*path", s.getAsset)
	r.HEAD("/static/*path", s.getAsset)
	r.GET("/healthz", s.api(s.getHealthz))
	r.GET("/readyz", s.api(s.getReadyz))
	r.GET("/metrics", s.api(s.getMetrics))
	r.GET("/openapi.yaml", s.api(s.getOpenAPI))
}
