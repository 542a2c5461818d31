package conventions

// These tables are what the tests of this package enforce. A folder is written
// as in the repository, "." is the module's root; "x/..." is x and all below
// it.

// imports lists what each package may import of this module, tests apart. Every
// package is here: main → internal/program → handlers → app → models,
// integrations.
var imports = map[string][]string{
	".": {"internal/cli", "internal/program", "internal/demo", "internal/drill"},

	"internal/cli":     {},
	"internal/program": {"internal/cli", "config", "handlers", "static", "app/...", "models", "models/ledger", "integrations/crm", "integrations/dialpad"},
	"internal/demo": {"internal/cli", "internal/program", "config",
		"integrations/crm", "integrations/crm/sandbox", "integrations/dialpad/sandbox"},
	"internal/drill": {"internal/cli", "internal/program", "internal/demo",
		"app/access", "app/batch", "app/connection", "models", "models/ledger", "integrations/crm", "integrations/dialpad/sandbox"},

	"handlers": {"config", "static", "app/...", "models", "models/ledger", "integrations/crm", "integrations/dialpad"},

	// Leaves: they import nothing of this module but one another.
	"internal/coalesce":    {},
	"internal/ctxtime":     {},
	"internal/faircache":   {},
	"internal/intake":      {},
	"internal/phone":       {},
	"internal/spreadsheet": {},
	"internal/text":        {},

	// What the others build on.
	"app/compose":   {},
	"app/hours":     {},
	"app/apierror":  {"models", "integrations/crm", "app/compose"},
	"app/walltime":  {"app/apierror"},
	"app/crmtenant": {"models", "integrations/crm"},

	"app/access": {"models", "integrations/crm"},
	"app/templates": {"models", "integrations/crm",
		"app/apierror", "app/compose", "app/crmtenant"},
	"app/webhook":  {"models", "models/ledger", "integrations/dialpad"},
	"app/replies":  {"models", "models/ledger", "integrations/dialpad"},
	"app/timeline": {"models", "models/ledger", "integrations/crm", "app/crmtenant"},
	"app/optout": {"models", "models/ledger", "models/queue", "integrations/crm", "integrations/dialpad",
		"app/access", "app/apierror", "app/compose", "app/crmtenant"},

	// A tenant's plan, installation, connection and people.
	"app/eligibility": {"models", "models/ledger", "integrations/dialpad"},
	"app/connection":  {"models", "models/ledger", "models/queue", "integrations/crm", "integrations/dialpad", "app/eligibility"},
	"app/install":     {"models", "models/ledger", "models/queue", "app/compose", "app/connection", "app/eligibility"},
	"app/accounts": {"models", "integrations/crm", "integrations/dialpad",
		"app/compose", "app/connection", "app/crmtenant", "app/eligibility"},

	// From a request to its messages.
	"app/audience": {"models", "models/ledger", "models/queue", "integrations/crm", "integrations/lenient",
		"app/access", "app/apierror", "app/compose", "app/crmtenant", "app/hours", "app/eligibility", "app/optout", "app/templates", "app/walltime"},
	"app/batch": {"models", "models/ledger", "models/queue", "integrations/crm",
		"app/access", "app/apierror", "app/audience", "app/compose", "app/hours", "app/eligibility", "app/templates", "app/walltime"},
	"app/outbox": {"models", "models/ledger", "integrations/crm",
		"app/access", "app/apierror", "app/audience", "app/batch", "app/compose", "app/eligibility", "app/walltime"},
	"app/activity": {"models", "app/access"},
	"app/popup": {"models", "models/ledger", "integrations/crm",
		"app/access", "app/apierror", "app/audience", "app/compose", "app/hours", "app/eligibility", "app/optout", "app/outbox", "app/templates", "app/walltime"},
	"app/automation": {"models", "models/ledger", "models/queue", "integrations/crm",
		"app/apierror", "app/audience", "app/batch", "app/compose", "app/crmtenant", "app/eligibility", "app/templates"},

	// What runs in the background.
	"app/delivery": {"models", "models/ledger", "models/queue", "integrations/dialpad",
		"app/accounts", "app/compose", "app/connection", "app/hours", "app/eligibility"},
	"app/jobs": {"models", "models/ledger", "models/queue", "integrations/crm",
		"app/accounts", "app/audience", "app/automation", "app/batch", "app/compose", "app/connection", "app/delivery",
		"app/eligibility", "app/install", "app/optout", "app/timeline"},

	"integrations/lenient":         {},
	"integrations/crm":             {"integrations/lenient"},
	"integrations/crm/sandbox":     {"integrations/crm"},
	"integrations/dialpad":         {"integrations/lenient"},
	"integrations/dialpad/sandbox": {},

	"models":            {"models/database", "models/ledger", "models/queue"},
	"models/ledger":     {"models/database", "models/queue"},
	"models/queue":      {},
	"models/database":   {"models/migrations", "models/sqlite"},
	"models/migrations": {},
	"models/sqlite":     {},

	"config": {},
	"static": {},
}

// leaves are small and know nothing of the product: every package may import
// them.
var leaves = []string{"internal/coalesce", "internal/ctxtime", "internal/faircache", "internal/intake", "internal/phone", "internal/spreadsheet", "internal/text"}

// testPackages are for tests: no package of the table above may import them.
var testPackages = []string{
	"internal/apptest", "internal/browser", "internal/browsertest", "internal/conventions", "internal/demotest",
	"internal/e2e", "internal/sandboxtest",
	"models/ledger/ledgertest", "models/modeltest", "models/seed", "static/openapitest",
}

// libraries lists which packages may import a library, by the prefix of its
// path.
var libraries = map[string][]string{
	"gorm.io/":              {"models/..."},
	"github.com/gin-gonic/": {"handlers", "integrations/crm/sandbox", "integrations/dialpad/sandbox"},
	"github.com/gorilla/":   {"handlers", "integrations/crm/sandbox", "integrations/dialpad/sandbox"},
	"github.com/chromedp/":  {"internal/browser", "internal/browsertest", "integrations/crm/sandbox", "integrations/dialpad/sandbox"},
}

// environmentReaders may read the process's environment. Tests may too.
var environmentReaders = []string{".", "config"}

// clockUsers take the time from an injected clock: no call of time.Now, Since
// or Until.
var clockUsers = []string{"app/...", "handlers", "models/..."}

// ledgerTables hold the batches, their messages and what becomes of them. Only
// ledgerWriters write them, in SQL or through the model of the table.
var (
	ledgerTables = []string{
		"messages", "lanes", "lane_turns", "attempts", "incoming_events", "webhook_events", "batches", "recipients", "callbacks", "figures",
		"batch_counts", "minute_counts", "count_changes",
	}
	ledgerModels = []string{
		"Message", "Lane", "Attempt", "WebhookEvent", "Batch", "Recipient", "Callback", "Figure",
	}
	ledgerWriters = []string{"models/ledger/..."}
)

// Limits of what is not a test.
const (
	maxFileLines       = 320
	maxFunctionLines   = 50
	maxMethods         = 30
	maxWordsPerComment = 10.0 // on average, in a line of a package's comments
)
