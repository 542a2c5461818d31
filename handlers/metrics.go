package handlers

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics counts requests by route pattern: addresses contain ids.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	handler  http.Handler
}

func newMetrics(r *prometheus.Registry) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dialpad_texting_http_requests_total", Help: "Requests answered.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dialpad_texting_http_request_duration_seconds", Help: "Time from request to answer.",
			Buckets: []float64{.001, .0025, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
		handler: promhttp.HandlerFor(r, promhttp.HandlerOpts{}),
	}
	r.MustRegister(m.requests, m.duration)
	return m
}

func (m *metrics) count(method, route string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other" // clients may invent methods without end
	}
	m.requests.WithLabelValues(method, route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(method, route).Observe(took.Seconds())
}

// getMetrics answers scrapers with METRICS_TOKEN, wherever they are: behind
// a proxy every client may have a loopback address, and headers may lie.
// Without a token there are no metrics at this port.
func (o *operation) getMetrics(c *gin.Context) error {
	if o.metricsToken.Reveal() == "" {
		return errNotFound
	}
	if !o.hasMetricsToken(c.GetHeader("Authorization")) {
		c.Header("WWW-Authenticate", "Bearer")
		return refuse("metrics_token_required", "Metrics need the bearer token METRICS_TOKEN.")
	}
	o.metrics.handler.ServeHTTP(c.Writer, c.Request)
	return nil
}

func (o *operation) hasMetricsToken(header string) bool {
	want := o.metricsToken.Reveal()
	scheme, got, _ := strings.Cut(header, " ")
	if want == "" || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want)) // equal lengths, for a constant-time comparison
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
