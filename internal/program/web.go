package program

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

func (p *Program) serveWeb(ctx context.Context, l net.Listener) error {
	if l == nil {
		var err error
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", ":"+p.cfg.Port); err != nil {
			return err
		}
	}
	p.log.Info("serving", "address", l.Addr().String(), "public", p.cfg.PublicURL)
	var storing sync.WaitGroup
	storing.Go(p.webhook.Run)
	err := serveHTTP(ctx, l, p.Handler, writeTimeout)
	p.webhook.Close()
	storing.Wait()
	return err
}

// writeTimeout bounds an answer.
const writeTimeout = time.Minute

// serveHTTP serves until ctx ends, then lets requests finish.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler, timeout time.Duration) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: timeout,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		soft, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err := srv.Shutdown(soft)
		if err != nil {
			err = srv.Close()
		}
		stopped <- err
	}()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}
