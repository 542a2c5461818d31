package sandbox

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// state is the data that all parts of the sandbox share.
type state struct {
	opts   Options // with defaults
	lastID atomic.Int64

	mu              sync.RWMutex // guards all below
	companies       map[string]*company
	users           map[string]*User
	userByNumber    map[string]*User
	authCodes       map[string]*authCode
	accessTokens    map[string]*accessToken
	refreshTokens   map[string]*refreshToken
	deliveryResults map[string]string // by number, see SetDeliveryResult
	instantFailures map[string]string // by number, see FailAtOnce
	rateLimitStyle  RateLimitStyle
	revokeReach     RevokeReach
	expiresIn       string // JSON, see SetExpiresIn
}

func newState(opts Options) *state {
	return &state{
		opts:      opts.withDefaults(),
		companies: map[string]*company{}, users: map[string]*User{}, userByNumber: map[string]*User{},
		authCodes: map[string]*authCode{}, accessTokens: map[string]*accessToken{},
		refreshTokens: map[string]*refreshToken{}, deliveryResults: map[string]string{}, instantFailures: map[string]string{},
	}
}

func (st *state) now() time.Time { return st.opts.Now() }

const firstID = 4612924117880000

// newID returns a 16-digit id like Dialpad's.
func (st *state) newID() int64 { return firstID + st.lastID.Add(1) }

func (st *state) newTextID() string { return strconv.FormatInt(st.newID(), 10) }

// restID returns an id as Options.NumericIDs wants it in JSON.
func (st *state) restID(v string) any {
	if st.opts.NumericIDs {
		return json.Number(v)
	}
	return v
}

// restTime formats a time without a zone, as Dialpad does although its
// schema says date-time.
func restTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05") }

// companiesByID returns all companies in order. The caller holds mu.
func (st *state) companiesByID() []*company {
	var out []*company
	for _, c := range st.companies {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *company) int { return strings.Compare(a.id, b.id) })
	return out
}

// User is a person with an account.
type User struct {
	ID           string // "": AddUser makes one
	CompanyID    string
	Emails       []string
	FirstName    string
	LastName     string
	Numbers      []string // E.164
	State        string   // active, suspended, pending, deleted, cancelled; "": active
	IsAdmin      bool
	IsSuperAdmin bool // company admin
	AddedAt      time.Time
}

// Name is the display name.
func (u User) Name() string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

// company is a customer and all that belongs to it.
type company struct {
	id, name       string
	state          string
	appDisabled    bool
	textsPerMinute int // 0: no limit
	users          []*User
	texts          rollingWindow
	requests       rollingWindow
	webhooks       []*webhook
	subscriptions  map[subscriptionKind][]*subscription
	optOuts        []*optOut
	optOutByNumber map[string]*optOut
}

type optOut struct {
	number string
	out    bool
	at     time.Time
}

func (c *company) isOptedOut(number string) bool {
	o := c.optOutByNumber[number]
	return o != nil && o.out
}

// setOptOut records an opt-out or opt-in. An opt-in without an earlier
// opt-out leaves no entry.
func (c *company) setOptOut(number string, out bool, at time.Time) {
	o := c.optOutByNumber[number]
	if o == nil {
		if !out {
			return
		}
		o = &optOut{number: number}
		c.optOutByNumber[number] = o
		c.optOuts = append(c.optOuts, o)
	}
	o.out, o.at = out, at
}
