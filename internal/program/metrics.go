package program

import (
	"github.com/prometheus/client_golang/prometheus"

	"dialpad-texting/app/delivery"
)

type engineCollector struct{ e *delivery.Engine }

var (
	textsDesc = prometheus.NewDesc("dialpad_texting_texts_total", "Texts by what became of their attempt in this process.", []string{"outcome"}, nil)
	lanesDesc = prometheus.NewDesc("dialpad_texting_lanes", "Lanes that this process holds.", nil, nil)
)

// engineMetrics exposes what an engine does.
func engineMetrics(e *delivery.Engine) prometheus.Collector { return engineCollector{e} }

func (engineCollector) Describe(ch chan<- *prometheus.Desc) { ch <- textsDesc; ch <- lanesDesc }

func (c engineCollector) Collect(ch chan<- prometheus.Metric) {
	n := c.e.Counts()
	for outcome, v := range map[string]int64{"claimed": n.Claimed, "posted": n.Posted, "sent": n.Sent, "failed": n.Failed,
		"requeued": n.Requeued, "held": n.Held, "uncertain": n.Uncertain} {
		ch <- prometheus.MustNewConstMetric(textsDesc, prometheus.CounterValue, float64(v), outcome)
	}
	ch <- prometheus.MustNewConstMetric(lanesDesc, prometheus.GaugeValue, float64(c.e.Lanes()))
}
