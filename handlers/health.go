package handlers

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

const readyWithin = 3 * time.Second

func (s *server) getHealthz(c *gin.Context) error {
	c.JSON(http.StatusOK, gin.H{"alive": true})
	return nil
}

// getReadyz tells what is missing before people can be sent here; why is in the log.
func (s *server) getReadyz(c *gin.Context) error {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readyWithin)
	defer cancel()
	checks, status := gin.H{}, http.StatusOK
	for _, check := range []struct {
		name string
		run  func(context.Context) error
	}{{"database", s.Store.Ping}, {"schema", s.Store.SchemaCurrent}, {"worker", s.workerSeen}} {
		checks[check.name] = "ok"
		if err := check.run(ctx); err != nil {
			checks[check.name], status = "failing", http.StatusServiceUnavailable
			s.Log.WarnContext(ctx, "not ready", "request", requestID(c), "check", check.name, "cause", err)
		}
	}
	c.JSON(status, gin.H{"ready": status == http.StatusOK, "checks": checks})
	return nil
}

func (s *server) workerSeen(ctx context.Context) error {
	seen, err := s.Store.Workers.AnySince(ctx, s.Now().Add(-s.WorkersFresh))
	if err == nil && !seen {
		return errors.New("no worker was seen lately")
	}
	return err
}
