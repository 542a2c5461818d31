package drill

import (
	"context"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	dialpadsandbox "dialpad-texting/integrations/dialpad/sandbox"
	"dialpad-texting/internal/ctxtime"
	"dialpad-texting/models"
)

const (
	// leaseTTL is a lane's lease: a process that is paused for longer has lost
	// it.
	leaseTTL = 12 * time.Second
	// stallTimeout is how long an interruption waits for texts to go out.
	stallTimeout = 45 * time.Second
)

// interruptions is how many there are: each kill is followed by a pause or a
// cut database.
func (r *run) interruptions() int { return 2 * r.o.Kills }

// interrupt interrupts the bulk again and again, spread over its texts.
func (r *run) interrupt(ctx context.Context) error {
	r.injectFaults()
	for i := range r.interruptions() {
		due := r.requested * (2*i + 1) / (2 * (r.interruptions() + 1))
		waitFor(ctx, stallTimeout, func() bool { return r.DialpadSandbox.Accepted() >= due })
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case i%2 == 0:
			r.kill(i%10 == 8) // each fifth time all of them
		case i%4 == 1:
			r.pause(ctx)
		default:
			if err := r.cut(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) kill(all bool) {
	victims := []*process{r.processes[r.rand.IntN(len(r.processes))]}
	if all {
		victims = r.processes
	}
	for _, p := range victims {
		r.logf("kill -9 %s", p.name)
		p.signal(syscall.SIGKILL)
	}
}

// pause stops a process past its lease and continues it: others have marked its
// texts in flight uncertain by then.
func (r *run) pause(ctx context.Context) {
	p := r.processes[r.rand.IntN(len(r.processes))]
	r.logf("SIGSTOP %s", p.name)
	p.signal(syscall.SIGSTOP)
	_ = ctxtime.Sleep(ctx, leaseTTL+2*time.Second+time.Duration(r.rand.IntN(2000))*time.Millisecond)
	p.signal(syscall.SIGCONT)
	r.logf("SIGCONT %s", p.name)
}

// cut ends all connections to Postgres a few times, or keeps others from
// writing to SQLite for longer than they wait.
func (r *run) cut(ctx context.Context) error {
	if !r.postgres() {
		r.logf("the database is locked for 11 s")
		return r.Program.Store.Tx(ctx, func(*models.Store) error {
			_ = ctxtime.Sleep(ctx, 11*time.Second)
			return nil
		})
	}
	conn, err := pgx.Connect(ctx, r.o.Database)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	r.logf("all connections to the database are cut, three times")
	for range 3 {
		if _, err := conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			return err
		}
		_ = ctxtime.Sleep(ctx, time.Duration(50+r.rand.IntN(300))*time.Millisecond)
	}
	return nil
}

// injectFaults lets Dialpad accept and not answer, hang up, refuse, be slow,
// and send its events twice and out of order.
func (r *run) injectFaults() {
	const sms = "/api/v2/sms"
	for _, fault := range []dialpadsandbox.Fault{
		{Kind: dialpadsandbox.Slow, Path: sms, Delay: 50 * time.Millisecond},
		{Kind: dialpadsandbox.TooManyRequests, Path: sms, Every: r.o.Texts / 3, Times: 2, RetryAfter: time.Second},
		{Kind: dialpadsandbox.UnavailableRetryAfter, Path: sms, Every: 307, RetryAfter: time.Second},
		{Kind: dialpadsandbox.ErrorBeforeAccepting, Path: sms, Every: 151},
		{Kind: dialpadsandbox.DropBeforeReading, Path: sms, Every: 149},
		{Kind: dialpadsandbox.DropAfterAccepting, Path: sms, Every: 97},
		{Kind: dialpadsandbox.ErrorAfterAccepting, Path: sms, Every: 131},
		{Kind: dialpadsandbox.ResetMidResponse, Path: sms, Every: 173},
		{Kind: dialpadsandbox.TimeoutAfterAccepting, Path: sms, Every: 211, Delay: 3 * time.Second},
		{Kind: dialpadsandbox.EventsDuplicated, Every: 5},
		{Kind: dialpadsandbox.EventsReordered, Every: 7},
		{Kind: dialpadsandbox.EventBeforeAnswer, Path: sms, Every: 11},
	} {
		r.DialpadSandbox.Fault(fault)
	}
}
