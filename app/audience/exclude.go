package audience

import (
	"context"
	"hash/maphash"
	"math"
	"strings"

	"dialpad-texting/app/optout"
	"dialpad-texting/internal/phone"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// Codes of excluded recipients; more come from package compose.
const (
	CodeOptedOut  = "opted_out"
	CodeDuplicate = "duplicate"
	CodeMissing   = "missing"
	CodeForbidden = "forbidden"
	CodeLeftOut   = "left_out"
	CodeReview    = ledger.CodeReview
	CodeNoContact = "no_contact"

	CodeUnreadable = "record_unreadable"

	codeRefused = "record_refused"
)

// Sentences for people, beside the codes above.
const (
	ReasonMissing   = "The record no longer exists"
	ReasonForbidden = "You may not see this record"
	ReasonNoContact = "This deal has no contact"
	ReasonReview    = "May want no more texts: decide first"

	reasonRefused    = "Salesmate refused access to these records"
	reasonUnreadable = "Salesmate gives these records in a form that can't be read"
	reasonLeftOut    = "Removed before sending"

	reasonUnreadableRecord = "Salesmate gives this record in a form that can't be read"
)

// unreadableReason names the fields of a record that can't be read.
func unreadableReason(fields []string) string {
	if len(fields) == 0 {
		return reasonUnreadableRecord
	}
	shown := fields[:min(len(fields), 3)]
	return reasonUnreadableRecord + " (" + strings.Join(shown, ", ") + ")"
}

// excludeSuppressed excludes who opted out on any side that the
// database knows, and from a bulk who may have. Delivery checks again
// right before each request to Dialpad.
func (x *Audience) excludeSuppressed(ctx context.Context, t models.Tenant, source string, list []Recipient) error {
	keys, canonicalOf := make([]string, 0, len(list)), map[string]string{}
	for i := range list {
		r := &list[i]
		if r.Number == "" {
			continue
		}
		found, err := x.store.Tenants.NumberKeys(ctx, t.ID, r.Number)
		if err != nil {
			return err
		}
		r.NumberKey = found[0]
		keys = append(keys, found...)
		for _, key := range found {
			canonicalOf[key] = r.NumberKey
		}
	}
	if len(keys) == 0 {
		return nil
	}
	suppressed, err := x.store.Suppressions.Keys(ctx, t.ID, keys)
	if err != nil {
		return err
	}
	for key := range suppressed {
		suppressed[canonicalOf[key]] = true
	}
	for i := range list {
		if r := &list[i]; r.NumberKey != "" && suppressed[r.NumberKey] {
			r.exclude(CodeOptedOut, optout.Message)
		}
	}
	if source != ledger.SourceBulk {
		return nil
	}
	return x.excludeReviewed(ctx, t, keys, canonicalOf, list)
}

// excludeReviewed excludes whose last text may mean an opt-out.
func (x *Audience) excludeReviewed(ctx context.Context, t models.Tenant, keys []string, canonicalOf map[string]string, list []Recipient) error {
	found, err := x.store.Suppressions.ReviewKeys(ctx, t.ID, keys)
	reviewed := make(map[string]bool, len(found))
	for key := range found {
		reviewed[canonicalOf[key]] = true
	}
	for i := range list {
		if r := &list[i]; r.Code == "" && reviewed[r.NumberKey] {
			r.exclude(CodeReview, ReasonReview)
		}
	}
	return err
}

// excludeByName excludes the records that an edit of the batch named.
func (s audienceSpec) excludeByName(list []Recipient) {
	for i := range list {
		if r := &list[i]; s.excluded[r.RecordID] {
			r.exclude(CodeLeftOut, reasonLeftOut)
		}
	}
}

// hashSeed is of what is compared within this process alone.
var hashSeed = maphash.MakeSeed()

// duplicates knows the numbers that a batch already texts, hashed, and their
// recipients' names, which are kept up to a number of bytes. A hundred
// thousand take a few MB.
type duplicates struct {
	names            map[uint64]string
	length, capacity int // of the names, in bytes
}

func newDuplicates(capacity int) duplicates {
	return duplicates{names: map[uint64]string{}, capacity: capacity}
}

// excludeDuplicates excludes everyone whose number an earlier recipient of
// the list has.
func excludeDuplicates(list []Recipient) {
	d := newDuplicates(math.MaxInt)
	d.exclude(list)
}

// bytes is about what the duplicates take: a map needs up to twice its
// entries' room.
func (d *duplicates) bytes() int { return 50*len(d.names) + d.length }

// exclude excludes everyone whose number an earlier recipient has, and
// names that one.
func (d *duplicates) exclude(list []Recipient) {
	for i := range list {
		r := &list[i]
		if r.Code != "" {
			continue
		}
		h := maphash.String(hashSeed, phone.Canonical(r.Number))
		if first, found := d.names[h]; found {
			r.exclude(CodeDuplicate, sameNumberAs(first))
			continue
		}
		name := nameWithDeal(r.Name, r.Deal)
		if d.length+len(name) > d.capacity {
			name = ""
		}
		d.names[h] = name
		d.length += len(name)
	}
}

// nameWithDeal tells apart the deals of one person.
func nameWithDeal(name, deal string) string {
	if deal == "" {
		return name
	}
	return name + " (" + deal + ")"
}

func sameNumberAs(name string) string {
	if name == "" {
		name = "another recipient"
	}
	return "Same number as " + name
}
