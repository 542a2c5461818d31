package crm

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Modes of a popup.
const (
	ModeOne  = "one"  // exactly one record
	ModeBulk = "bulk" // many records
)

const (
	maxClickedNumber = 64         // bytes
	maxCount         = 10_000_000 // records of a selection
)

// LaunchTarget is whom a popup is to text: the claim "ctx" of a launch.
//
// ModeOne has one record, and ToNumber as it was clicked. It is signed
// and thus authoritative, but may be invalid or none of the record's
// phones. ModeBulk has RecordIDs, or a Selection that the CRM resolves
// page by page. Count is the number of records.
type LaunchTarget struct {
	Mode      string   `json:"mode"`
	Module    string   `json:"module"`
	RecordIDs []string `json:"record_ids,omitempty"`
	Selection string   `json:"selection,omitempty"`
	Count     int      `json:"count,omitempty"`
	ToNumber  string   `json:"to_number,omitempty"`
}

// UnmarshalJSON accepts ids as strings or numbers. It checks the shape
// only; LaunchVerifier checks the rules.
func (c *LaunchTarget) UnmarshalJSON(b []byte) error {
	o := readObject(b, "ctx")
	*c = readCtx(o)
	return o.err()
}

func readCtx(o objectReader) LaunchTarget {
	c := LaunchTarget{
		Mode: o.identifier("mode", maxWord), Module: o.identifier("module", maxWord), RecordIDs: o.ids("record_ids"),
		Selection: o.opaque("selection"), ToNumber: o.text("to_number", maxClickedNumber),
	}
	if n := o.integer("count"); n != nil {
		if c.Count = int(*n); *n > maxCount || *n < 0 {
			o.fail("count", "is no number of records")
		}
	}
	return c
}

// verifyCtx reads the ctx claim, which only popups have.
func verifyCtx(claims json.RawMessage, use string) (*LaunchTarget, error) {
	o := readObject(claims, "")
	if use != UsePopup {
		if o.has("ctx") {
			o.fail("ctx", "does not belong on a page")
		}
		return nil, o.err()
	}
	in := o.object("ctx")
	if err := o.err(); err != nil {
		return nil, err
	}
	c := readCtx(in)
	if in.err() == nil {
		checkCtx(in, &c)
	}
	return &c, in.err()
}

func checkCtx(o objectReader, c *LaunchTarget) {
	if c.Module != ModuleContact && c.Module != ModuleDeal {
		o.fail("module", "is neither contact nor deal")
	}
	for _, id := range c.RecordIDs {
		if id == "" {
			o.fail("record_ids", "holds an empty id")
		}
	}
	switch c.Mode {
	case ModeOne:
		checkOne(o, c)
	case ModeBulk:
		checkBulk(o, c)
	default:
		o.fail("mode", "is neither one nor bulk")
	}
}

func checkOne(o objectReader, c *LaunchTarget) {
	if len(c.RecordIDs) != 1 || c.Selection != "" {
		o.fail("record_ids", "must hold exactly one id in mode one")
	}
	if strings.TrimSpace(c.ToNumber) == "" {
		o.fail("to_number", "is required in mode one")
	}
	c.Count = 1
}

func checkBulk(o objectReader, c *LaunchTarget) {
	switch n := len(c.RecordIDs); {
	case c.Selection != "" && n > 0:
		o.fail("selection", "and record_ids exclude each other")
	case c.Selection != "" && c.Count < 1:
		o.fail("count", "is required with a selection")
	case c.Selection == "" && (n < 1 || n > MaxRecordIDs):
		o.fail("record_ids", fmt.Sprintf("must hold 1 to %d ids", MaxRecordIDs))
	case c.Selection == "":
		c.Count = n
	}
	c.ToNumber = ""
}
