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
	"internal/program": {"internal/cli", "config", "handlers", "static", "app/...", "models", "integrations/crm", "integrations/dialpad"},
	"internal/demo": {"internal/cli", "internal/program", "config",
		"integrations/crm", "integrations/crm/sandbox", "integrations/dialpad/sandbox"},
	"internal/drill": {"internal/cli", "internal/program", "internal/demo",
		"app/market", "app/texting", "models", "integrations/crm", "integrations/dialpad/sandbox"},

	"handlers": {"config", "static", "app/...", "models", "integrations/crm", "integrations/dialpad"},

	"app/access":     {"models", "integrations/crm"},
	"app/accounts":   {"models", "integrations/crm", "integrations/dialpad", "app/market"},
	"app/automation": {"models", "integrations/crm", "app/compose", "app/market", "app/texting"},
	"app/compose":    {},
	"app/delivery":   {"models", "integrations/crm", "integrations/dialpad", "app/accounts", "app/compose", "app/market"},
	"app/market":     {"models", "integrations/dialpad"},
	"app/texting":    {"models", "integrations/crm", "integrations/dialpad", "app/compose", "app/market"},
	"app/work": {"models", "integrations/crm", "app/accounts", "app/automation", "app/compose", "app/delivery",
		"app/market", "app/texting"},

	"integrations/lenient":         {},
	"integrations/crm":             {"integrations/lenient"},
	"integrations/crm/sandbox":     {"integrations/crm"},
	"integrations/dialpad":         {"integrations/lenient"},
	"integrations/dialpad/sandbox": {"integrations/dialpad"},

	"models":            {"models/migrations", "models/sqlite"},
	"models/migrations": {},
	"models/sqlite":     {},

	"config": {},
	"static": {},
}

// testPackages are for tests: no package of the table above may import them.
var testPackages = []string{
	"internal/browser", "internal/browsertest", "internal/conventions", "internal/demotest", "internal/e2e",
	"models/modeltest", "models/seed", "static/openapitest",
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

// ledgerTables hold the messages and what becomes of them; only ledgerWriters
// write them, in SQL or through the model of the table.
var (
	ledgerTables  = []string{"messages", "lanes", "attempts", "webhook_events"}
	ledgerModels  = []string{"Message", "Lane", "AttemptRow", "WebhookEvent"}
	ledgerWriters = []string{"models"}
)

// Limits of what is not a test.
const (
	maxFileLines       = 320
	maxFunctionLines   = 50
	maxMethods         = 30
	maxWordsPerComment = 10.0 // on average, in a line of a package's comments
)

// manyMethods lists types with more than maxMethods, and how many they may
// have.
var manyMethods = map[string]int{
	"app/market.Market":                    89,
	"app/texting.Texting":                  93,
	"handlers.server":                      75, // one for each address
	"integrations/crm/sandbox.Sandbox":     86,
	"integrations/dialpad.Client":          31, // one for each call
	"integrations/dialpad/sandbox.Sandbox": 110,
	"models.Store":                         215,
}

// longComments lists packages with more than maxWordsPerComment, and their
// limit.
var longComments = map[string]float64{
	"app/access":           14.5,
	"app/accounts":         14,
	"app/automation":       13.5,
	"app/delivery":         13.5,
	"app/market":           13,
	"app/texting":          13,
	"app/work":             14.5,
	"handlers":             13,
	"integrations/crm":     11,
	"integrations/dialpad": 11.5,
	"models":               12.5,
	"models/modeltest":     11,
	"models/sqlite":        13.5,
	"static":               10.5,
}
