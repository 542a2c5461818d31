package program

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"time"

	"dialpad-texting/config"
)

// adminTimeout bounds an answer to operators: a profile takes as long as it is
// asked to.
const adminTimeout = 5 * time.Minute

// listenAdmin listens for operators on ADMIN_ADDR, or on the default. An
// address that was set and is taken is an error; a default that is taken, by
// another process of this machine, gives way to a free port. It returns nil
// where nobody is to listen.
func (p *Program) listenAdmin(ctx context.Context, byDefault string) (net.Listener, error) {
	address := cmp.Or(p.cfg.AdminAddr, byDefault)
	if byDefault == "" || address == config.AdminOff {
		return nil, nil //nolint:nilnil // documented
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil && p.cfg.AdminAddr != "" {
		return nil, fmt.Errorf("ADMIN_ADDR: %w", err)
	}
	if err != nil {
		p.log.Warn("default admin address is taken", "address", address, "err", err)
		if l, err = lc.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	p.log.Info("admin address", "address", l.Addr().String())
	return l, nil
}
