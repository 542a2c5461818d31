package eligibility

import (
	"slices"

	"dialpad-texting/models/ledger"
)

// HasPlan reports whether a plan includes Dialpad.
func (c *Checker) HasPlan(plan string) bool { return slices.Contains(c.cfg.Plans, plan) }

// Plans returns the plans that include Dialpad.
func (c *Checker) Plans() []string { return slices.Clone(c.cfg.Plans) }

// CheckPlan is the plan gate alone: nil if the plan includes Dialpad.
func (c *Checker) CheckPlan(plan, linkname string) *Refusal {
	if c.HasPlan(plan) {
		return nil
	}
	return c.refuse(CodePlan, ledger.HeldPlan, linkname, "The plan does not include Dialpad.")
}
