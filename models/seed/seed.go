// Package seed opens stores and creates rows for tests:
//
//	s := seed.Store(t, dsn, clock.Now)
//	s.Tenant("t_9").Connected("c1").Account("42", "ana@acme.com", "+14155550100").
//		Batch("b1", ledger.ClassBulk, "42", "ana@acme.com", 50)
package seed

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Clock is a clock that moves only when a test calls Add.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock at 2026-03-02 15:00 UTC.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 3, 2, 15, 0, 0, 0, time.UTC)} }

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves the clock forward.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Vault returns a vault with a fixed key.
func Vault() *models.Vault {
	v, err := models.NewVault([][]byte{bytes.Repeat([]byte{7}, 32)})
	if err != nil {
		panic(err)
	}
	return v
}

// Migrate migrates a database to the newest schema. It is a modeltest.Migrate.
func Migrate(dsn string) error {
	ctx := context.Background()
	s, err := models.Open(ctx, dsn, models.Options{Vault: Vault()})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	return s.Migrate(ctx)
}

// DB is a store with methods that create rows.
type DB struct {
	*models.Store
	t       testing.TB
	tenants []string

	skipCounts bool
}

// Store opens a migrated database and closes it after the test.
func Store(t testing.TB, dsn string, now func() time.Time) *DB {
	t.Helper()
	s, err := models.Open(context.Background(), dsn, models.Options{Vault: Vault(), Now: now})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	d := &DB{Store: s, t: t}
	t.Cleanup(func() {
		d.checkCounts()
		_ = s.Close()
	})
	return d
}

// Tenant is a created tenant, with methods that create its rows.
type Tenant struct {
	db   *DB
	ID   string
	Lane string // id of the lane, set by Connected
}

// Tenant creates a tenant with the plan "business".
func (d *DB) Tenant(id string) *Tenant {
	d.t.Helper()
	_, err := d.Tenants.SaveSigned(context.Background(), models.SignedTenant{ID: id, Linkname: "l" + id[2:], Name: "Tenant " + id,
		Plan: "business", TimeZone: "America/New_York", SignedAt: d.Now()})
	d.check(err)
	d.tenants = append(d.tenants, id)
	return &Tenant{db: d, ID: id}
}

func (d *DB) check(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatalf("seed: %v", err)
	}
}

// Connected installs the app and connects a company. The connection is
// ready to text.
func (t *Tenant) Connected(company string) *Tenant {
	t.db.t.Helper()
	ctx := context.Background()
	_, err := t.db.Installations.Install(ctx, t.ID, "42")
	t.db.check(err)
	_, err = t.db.Connections.Save(ctx, models.NewConnection{TenantID: t.ID, CompanyID: company, CompanyName: "Company " + company,
		DialpadUserID: "1", ConnectedBy: "ana@acme.com", ConnectedByUser: "42", Grant: models.Grant{Access: "access-" + t.ID, Refresh: "refresh-" + t.ID}})
	t.db.check(err)
	t.db.check(t.db.Connections.MarkReady(ctx, t.ID))
	t.db.check(t.db.Lanes.Ensure(ctx, company, t.ID))
	t.Lane = company
	return t
}

// Rate sets the tenant's limit in texts a minute; 0 is unlimited.
func (t *Tenant) Rate(perMinute int) *Tenant {
	t.db.t.Helper()
	t.db.check(t.db.Tenants.SaveSettings(context.Background(), t.ID, models.Settings{Country: "US", RatePerMinute: perMinute}))
	return t
}

// Account creates an active Dialpad account that was read now.
func (t *Tenant) Account(id, email, number string) *Tenant {
	t.db.t.Helper()
	_, err := t.db.Accounts.Save(context.Background(), t.ID, t.db.Now(), []models.Account{{DialpadID: id, Name: email,
		Emails: []string{email}, Number: number, State: models.AccountActive}})
	t.db.check(err)
	return t
}

// User stores a CRM user.
func (t *Tenant) User(id, email string, active bool) *Tenant {
	t.db.t.Helper()
	t.db.check(t.db.Users.Save(context.Background(), t.ID, []models.User{{UserID: id, Email: email, Name: email, Active: active}}))
	return t
}

// Batch creates a batch of n queued messages from an account, each to
// another number, and returns the messages.
func (t *Tenant) Batch(id string, class int, sender, email string, n int) []ledger.Message {
	t.db.t.Helper()
	return t.batch(id, class, sender, email, n, func(int, *ledger.Message) {})
}

// Waiting creates a bulk of n messages that wait for a time.
func (t *Tenant) Waiting(id, sender, email string, n int, due time.Time) []ledger.Message {
	t.db.t.Helper()
	return t.batch(id, ledger.ClassBulk, sender, email, n, func(_ int, m *ledger.Message) { m.State, m.DueAt = ledger.Waiting, &due })
}

// WaitingOneToOne creates a batch of n one-to-one messages that wait
// for a time.
func (t *Tenant) WaitingOneToOne(id, sender, email string, n int, due time.Time) []ledger.Message {
	t.db.t.Helper()
	return t.batch(id, ledger.ClassOneToOne, sender, email, n, func(_ int, m *ledger.Message) { m.State, m.DueAt = ledger.Waiting, &due })
}

// Quiet creates a bulk that respects quiet hours, with one recipient
// in each of the time zones. When they begin is looked up at once.
func (t *Tenant) Quiet(id, sender, email string, zones ...string) []ledger.Message {
	t.db.t.Helper()
	now := t.db.Now()
	return t.batch(id, ledger.ClassBulk, sender, email, len(zones), func(i int, m *ledger.Message) {
		if m.QuietZone = zones[i]; m.QuietZone != "" {
			m.QuietAt = &now
		}
	})
}

func (t *Tenant) batch(id string, class int, sender, email string, n int, change func(int, *ledger.Message)) []ledger.Message {
	t.db.t.Helper()
	ctx := context.Background()
	source := map[int]string{ledger.ClassOneToOne: ledger.SourceOneToOne, ledger.ClassAutomation: ledger.SourceAutomation, ledger.ClassBulk: ledger.SourceBulk}[class]
	user := "user-of-" + email
	t.User(user, email, true)
	batch := ledger.Batch{ID: id, TenantID: t.ID, UserID: "42", SenderID: sender, SenderUserID: user, SenderEmail: email,
		Source: source, Class: class, Module: "contact", Message: "Hi", IdempotencyKey: id, State: ledger.BatchSending,
		Expected: n, Prepared: true}
	messages := make([]ledger.Message, n)
	for i := range messages {
		number := fmt.Sprintf("+1415%03d%04d", 200+i/10000, i%10000)
		key, err := t.db.Tenants.NumberKey(ctx, t.ID, number)
		t.db.check(err)
		messages[i] = ledger.Message{ID: models.NewID(), TenantID: t.ID, BatchID: id, LaneID: t.Lane, Class: class, UserID: "42",
			SenderID: sender, Module: "contact", RecordID: fmt.Sprint(i), ContactID: fmt.Sprint(i), Name: fmt.Sprint("Person ", i),
			ToNumber: number, ToKey: key, Text: "Hi", Segments: 1, State: ledger.Queued}
		change(i, &messages[i])
	}
	t.create(batch, messages)
	return messages
}

// create stores a batch with its messages and makes the lane due, in
// one transaction: a program under test that works on the same database
// never finds the batch without its messages.
func (t *Tenant) create(batch ledger.Batch, messages []ledger.Message) {
	t.db.t.Helper()
	ctx := context.Background()
	t.db.check(t.db.Tx(ctx, func(tx *models.Store) error {
		if _, _, err := tx.Batches.Create(ctx, batch); err != nil {
			return err
		}
		lane, err := tx.Lanes.Get(ctx, t.ID, t.Lane)
		if err != nil {
			return err
		}
		for page := range slices.Chunk(messages, 500) { // the number of parameters is limited
			if _, err := tx.Messages.Add(ctx, lane, page); err != nil {
				return err
			}
		}
		return tx.Lanes.MarkDue(ctx, t.ID, t.Lane, tx.Now())
	}))
}
