package handlers

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"dialpad-texting/config"
	"dialpad-texting/models"
)

const readyTimeout = 3 * time.Second

// operation serves those who run the app: health and metrics.
type operation struct {
	store        *models.Store
	metricsToken config.Secret
	metrics      *metrics
	now          func() time.Time
	log          *slog.Logger
	workersFresh time.Duration
}

func (o *operation) getHealthz(c *gin.Context) error {
	c.JSON(http.StatusOK, gin.H{"alive": true})
	return nil
}

// getReadyz names the failing checks; their causes are in the log. Without a
// worker the web is ready all the same: texts wait for one, and taking the web
// down would help nobody.
func (o *operation) getReadyz(c *gin.Context) error {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readyTimeout)
	defer cancel()
	checks, status := gin.H{}, http.StatusOK
	for _, check := range []struct {
		name     string
		run      func(context.Context) error
		isNeeded bool
	}{{"database", o.store.Ping, true}, {"schema", o.store.SchemaCurrent, true}, {"worker", o.workerSeen, false}} {
		checks[check.name] = "ok"
		if err := check.run(ctx); err != nil {
			checks[check.name] = "failing"
			if check.isNeeded {
				status = http.StatusServiceUnavailable
			}
			o.log.WarnContext(ctx, "readiness check failed", "request", requestID(c), "check", check.name, "cause", err)
		}
	}
	c.JSON(status, gin.H{"ready": status == http.StatusOK, "checks": checks})
	return nil
}

func (o *operation) workerSeen(ctx context.Context) error {
	seen, err := o.store.Workers.CountSince(ctx, o.now().Add(-o.workersFresh))
	if err == nil && seen == 0 {
		return errors.New("no worker was seen lately")
	}
	return err
}
