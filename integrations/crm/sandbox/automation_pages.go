package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"

	"dialpad-texting/integrations/crm"
)

const (
	maxRunsShown     = 200
	maxRecordsPerRun = 500
)

var workflow = crm.Workflow{ID: "w1", Name: "Welcome"}

type builderBody struct {
	Definition crm.Definition
	Problem    string
	Inputs     []builderInput
	People     int
	Runs       runsBody
}

type builderInput struct {
	crm.Input
	Value string
}

type runsBody struct {
	URL  string
	Runs []runRow
}

type runRow struct {
	Callback, Module, Record, Name string
	At, Problem                    string
	Done                           *Completion
}

// automationPages are the automation builder and its runs.
type automationPages struct {
	*pageRenderer
	app *AppClient
}

func (s *automationPages) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /automation", s.automationPage)
	mux.HandleFunc("POST /automation", s.saveInputs)
	mux.HandleFunc("POST /automation/run", s.runAutomation)
	mux.HandleFunc("GET /automation/runs", s.runsFragment)
	mux.HandleFunc("POST /automation/options", s.listOptions)
}

// automationPage shows the app's action. The page's script fills the
// selects.
func (s *automationPages) automationPage(w http.ResponseWriter, r *http.Request) {
	body := builderBody{}
	def, err := s.app.Definition(r.Context(), tenantOf(r).id)
	if err != nil {
		s.log.Warn("crm sandbox: get definition failed", "error", err)
		body.Problem = "Dialpad does not answer, so its action cannot be shown. Try again in a few minutes."
	}
	body.Definition = def
	s.page(w, r, "automation", func(t *tenant, _ *user, v *view) bool {
		for _, in := range def.Inputs {
			body.Inputs = append(body.Inputs, builderInput{in, t.inputs[in.Key]})
		}
		body.People, body.Runs = len(t.people), t.runRows()
		v.Title, v.Section, v.Body = "Automation", "automation", body
		return true
	})
}

func (t *tenant) runRows() runsBody {
	b := runsBody{URL: "/automation/runs"}
	for i := len(t.runs) - 1; i >= 0 && len(b.Runs) < maxRunsShown; i-- {
		r := t.runs[i]
		b.Runs = append(b.Runs, runRow{r.callback, r.module, r.record, r.name, formatTime(r.started, t.timeZone), r.problem, r.done})
	}
	return b
}

func (s *automationPages) runsFragment(w http.ResponseWriter, r *http.Request) {
	s.fragment(w, r, "automation", "runs", func(t *tenant) any { return t.runRows() })
}

// saveInputs saves the action's inputs.
func (s *automationPages) saveInputs(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.notFound(w, "The form cannot be read.")
		return
	}
	s.change(tenantOf(r).id, func(t *tenant) {
		for _, key := range []string{"from_user", "to_field", "template_id", "message"} {
			if values, ok := r.PostForm[key]; ok {
				t.inputs[key] = values[len(values)-1]
			}
		}
	})
	redirectBack(w, r, "saved")
}

// listOptions gets the choices of an input from the app.
func (s *automationPages) listOptions(w http.ResponseWriter, r *http.Request) {
	var in struct{ Field, Q, Cursor, Value string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&in); err != nil {
		writeAnswer(w, nil, badRequest("the request cannot be read"))
		return
	}
	options, err := s.app.Options(r.Context(), tenantOf(r).id, in.Field, in.Q, in.Cursor, in.Value)
	if err != nil {
		s.log.Warn("crm sandbox: get options failed", "error", err)
		writeJSON(w, http.StatusBadGateway, map[string]any{"error": "Dialpad does not answer."})
		return
	}
	writeJSON(w, http.StatusOK, options)
}

// runAutomation runs the automation for one record or the first count.
func (s *automationPages) runAutomation(w http.ResponseWriter, r *http.Request) {
	t := tenantOf(r)
	execs, err := s.startRuns(t, r.PostFormValue("module"), r.PostFormValue("record_id"), r.PostFormValue("count"))
	if err != nil {
		redirectBack(w, r, "no_record")
		return
	}
	for _, e := range execs {
		if _, err := s.app.Execute(r.Context(), t.id, e); err != nil {
			s.change(t.id, func(t *tenant) { t.failRun(e.CallbackID) })
		}
	}
	redirectBack(w, r, "ran")
}

// startRuns records the runs before they are executed: a completion may
// arrive before the answer to execute.
func (s *automationPages) startRuns(t *tenant, module, id, count string) ([]crm.Execute, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := t.search(module, "", t.users[0])
	if n, err := strconv.Atoi(count); err == nil && n > 0 {
		ids = ids[:min(n, len(ids), maxRecordsPerRun)]
	} else {
		ids = []string{id}
	}
	if len(ids) == 0 || t.recordName(module, ids[0]) == "" {
		return nil, errors.New("no such record")
	}
	inputs := maps.Clone(t.inputs)
	var execs []crm.Execute
	for _, id := range ids {
		e := crm.Execute{
			CallbackID: "cb_" + rand.Text(), Workflow: workflow, Module: module, RecordID: id,
			Inputs: crm.Inputs{
				FromUser: inputs["from_user"], ToField: inputs["to_field"],
				TemplateID: inputs["template_id"], Message: inputs["message"],
			},
		}
		t.runs = append(t.runs, &automationRun{
			callback: e.CallbackID, module: module, record: id, name: t.recordName(module, id), started: s.now(),
		})
		execs = append(execs, e)
	}
	t.version++
	return execs, nil
}

// failRun marks a run that the app did not accept.
func (t *tenant) failRun(callback string) {
	for _, r := range t.runs {
		if r.callback == callback && r.done == nil {
			r.problem = "Dialpad did not take it"
		}
	}
}

func (t *tenant) recordName(module, id string) string {
	if module == crm.ModuleDeal {
		if d := t.dealByID[id]; d != nil {
			return d.title
		}
		return ""
	}
	if p := t.personByID[id]; p != nil {
		return p.name()
	}
	return ""
}
