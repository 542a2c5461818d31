package handlers

import (
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"dialpad-texting/models"
)

// AdminDeps are what the admin handlers call.
type AdminDeps struct {
	Store    *models.Store
	Registry *prometheus.Registry
	Now      func() time.Time
	Log      *slog.Logger
}

// NewAdmin returns the handler of an address for operators alone: metrics and
// profiles need no token there, so the address must not be public. Every
// process has one, also a worker, which has no other.
func NewAdmin(d AdminDeps) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	o := &operation{store: d.Store, now: d.Now, log: d.Log, workersFresh: time.Minute}
	r := gin.New()
	r.Use(gin.Recovery(), assignRequestID)
	r.GET("/healthz", plain(o.getHealthz))
	r.GET("/readyz", plain(o.getReadyz))
	r.GET("/metrics", gin.WrapH(promhttp.HandlerFor(d.Registry, promhttp.HandlerOpts{})))
	// Index serves the named profiles too.
	for path, handler := range map[string]http.HandlerFunc{"/": pprof.Index, "/cmdline": pprof.Cmdline, "/profile": pprof.Profile,
		"/symbol": pprof.Symbol, "/trace": pprof.Trace} {
		r.GET("/debug/pprof"+path, gin.WrapF(handler))
	}
	for _, name := range []string{"allocs", "block", "goroutine", "heap", "mutex", "threadcreate"} {
		r.GET("/debug/pprof/"+name, gin.WrapH(pprof.Handler(name)))
	}
	return r
}

// plain is a handler that never fails.
func plain(h handler) gin.HandlerFunc {
	return func(c *gin.Context) { _ = h(c) }
}
