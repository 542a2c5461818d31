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
	maxRuns     = 200 // shown
	maxRecordsN = 500 // one press of the button
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

// automationPage draws the app's definition; its script fills the selects.
func (s *Sandbox) automationPage(w http.ResponseWriter, r *http.Request) {
	body := builderBody{}
	def, err := s.Definition(r.Context(), tenantOf(r).id)
	if err != nil {
		s.log.Warn("crm sandbox: no definition", "error", err)
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
	for i := len(t.runs) - 1; i >= 0 && len(b.Runs) < maxRuns; i-- {
		r := t.runs[i]
		b.Runs = append(b.Runs, runRow{r.callback, r.module, r.record, r.name, clockIn(r.started, t.timeZone), r.problem, r.done})
	}
	return b
}

func (s *Sandbox) runsFragment(w http.ResponseWriter, r *http.Request) {
	s.fragment(w, r, "automation", "runs", func(t *tenant) any { return t.runRows() })
}

// postAutomation saves the action's inputs.
func (s *Sandbox) postAutomation(w http.ResponseWriter, r *http.Request) {
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
	back(w, r, "saved")
}

// postOptions passes a question of the builder on to the app, signed.
func (s *Sandbox) postOptions(w http.ResponseWriter, r *http.Request) {
	var ask struct{ Field, Q, Cursor, Value string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&ask); err != nil {
		s.answer(w, nil, refuse("the request cannot be read"))
		return
	}
	options, err := s.Options(r.Context(), tenantOf(r).id, ask.Field, ask.Q, ask.Cursor, ask.Value)
	if err != nil {
		s.log.Warn("crm sandbox: no options", "error", err)
		writeJSON(w, http.StatusBadGateway, map[string]any{"error": "Dialpad does not answer."})
		return
	}
	writeJSON(w, http.StatusOK, options)
}

// postRun triggers the automation for one record or for the first so many.
func (s *Sandbox) postRun(w http.ResponseWriter, r *http.Request) {
	t := tenantOf(r)
	execs, err := s.startRuns(t, r.PostFormValue("module"), r.PostFormValue("record_id"), r.PostFormValue("count"))
	if err != nil {
		back(w, r, "nobody")
		return
	}
	for _, e := range execs {
		x, err := s.Execute(r.Context(), t.id, e)
		s.change(t.id, func(t *tenant) { t.taken(e.CallbackID, x, err) })
	}
	back(w, r, "ran")
}

// startRuns notes the runs before the app is told of them: a completion may
// come before the answer to execute.
func (s *Sandbox) startRuns(t *tenant, module, id, count string) ([]crm.Execute, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := t.search(module, "", t.users[0])
	if n, err := strconv.Atoi(count); err == nil && n > 0 {
		ids = ids[:min(n, len(ids), maxRecordsN)]
	} else {
		ids = []string{id}
	}
	if len(ids) == 0 || t.recordName(module, ids[0]) == "" {
		return nil, errors.New("no such record")
	}
	inputs := maps.Clone(t.inputs)
	var execs []crm.Execute
	for _, id := range ids {
		e := crm.Execute{CallbackID: "cb_" + rand.Text(), Workflow: workflow, Module: module, RecordID: id, Inputs: crm.Inputs{
			FromUser: inputs["from_user"], ToField: inputs["to_field"], TemplateID: inputs["template_id"], Message: inputs["message"],
		}}
		t.runs = append(t.runs, &run{callback: e.CallbackID, module: module, record: id, name: t.recordName(module, id), started: s.now()})
		execs = append(execs, e)
	}
	t.version++
	return execs, nil
}

func (t *tenant) taken(callback string, x crm.Execution, err error) {
	for _, r := range t.runs {
		if r.callback != callback {
			continue
		}
		r.messageID = x.MessageID
		if err != nil && r.done == nil {
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
