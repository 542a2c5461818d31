package program

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"dialpad-texting/app/delivery"
)

const namespace = "dialpad_texting"

// desc describes a metric of this program.
func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(namespace+"_"+name, help, labels, nil)
}

func gauge(ch chan<- prometheus.Metric, d *prometheus.Desc, value float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func counter(ch chan<- prometheus.Metric, d *prometheus.Desc, value float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
}

type engineCollector struct{ e *delivery.Engine }

var (
	textsDesc  = desc("texts_total", "Texts by what became of their attempt in this process.", "outcome")
	lanesDesc  = desc("lanes", "Lanes that this process holds.")
	openDesc   = desc("requests_open", "Requests to send a text that Dialpad has not answered yet, of this process.")
	hungDesc   = desc("requests_hung", "Those of them that gave their connection's place to others, since they have no answer for a second.")
	oldestDesc = desc("requests_oldest_seconds", "How long the oldest of them waits.")
)

// engineMetrics exposes what an engine does.
func engineMetrics(e *delivery.Engine) prometheus.Collector { return engineCollector{e} }

// Describe implements prometheus.Collector.
func (c engineCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c engineCollector) Collect(ch chan<- prometheus.Metric) {
	n := c.e.Counts()
	for outcome, v := range map[string]int64{"claimed": n.Claimed, "posted": n.Posted, "sent": n.Sent, "failed": n.Failed,
		"requeued": n.Requeued, "held": n.Held, "uncertain": n.Uncertain} {
		counter(ch, textsDesc, float64(v), outcome)
	}
	gauge(ch, lanesDesc, float64(c.e.Lanes()))
	open := c.e.OpenRequests()
	gauge(ch, openDesc, float64(open.Count))
	gauge(ch, hungDesc, float64(open.Hung))
	gauge(ch, oldestDesc, open.Oldest.Seconds())
}

// callMetrics counts and times the calls to Dialpad and to the CRM.
type callMetrics struct{ duration *prometheus.HistogramVec }

func newCallMetrics() callMetrics {
	return callMetrics{prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "call_duration_seconds", Help: "Time of each call to Dialpad and to the CRM, by what came of it.",
		Buckets: []float64{.01, .025, .05, .1, .2, .4, .8, 1.6, 3, 6, 12, 30},
	}, []string{"service", "call", "outcome"})}
}

func (m callMetrics) observer(service string) func(call, outcome string, took time.Duration) {
	ofService := m.duration.MustCurryWith(prometheus.Labels{"service": service})
	return func(call, outcome string, took time.Duration) {
		ofService.WithLabelValues(call, outcome).Observe(took.Seconds())
	}
}
