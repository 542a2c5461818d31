package batch

import (
	"context"
	"errors"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/app/eligibility"
)

// Held are the batches that wait for a person's Resume, together.
type Held struct{ batches *Batches }

// ResumedView is what Held.Resume did. Failed counts the batches that
// could not be resumed, Reason is why the first could not. Next goes on
// with the others.
type ResumedView struct {
	Resumed int    `json:"resumed"`
	Failed  int    `json:"failed"`
	Reason  string `json:"reason"`

	Next *string `json:"next"`
}

// maxResumed bounds how many batches one call resumes.
const maxResumed = 200

// Resume resumes the held batches with a code: an admin's call all of
// the tenant's, a user's call that user's own.
// after is "" or the Next of the call before.
func (h Held) Resume(ctx context.Context, a access.Asker, code, after string) (v ResumedView, err error) {
	ids, err := h.batches.store.OnHold.IDs(ctx, a.Tenant.ID, a.VisibleUserID(), code, after, maxResumed+1)
	if err != nil {
		return v, err
	}
	if len(ids) > maxResumed {
		ids = ids[:maxResumed]
		v.Next = &ids[maxResumed-1]
	}
	for _, id := range ids {
		_, err := h.batches.Resume(ctx, a, id)
		var refusal *eligibility.Refusal
		var refused *apierror.Error
		switch {
		case err == nil:
			v.Resumed++
			continue
		case errors.As(err, &refusal):
			v.fail(refusal.Message)
		case errors.As(err, &refused):
			v.fail(refused.Message)
		default:
			return v, err
		}
	}
	return v, nil
}

func (v *ResumedView) fail(reason string) {
	if v.Failed++; v.Failed == 1 {
		v.Reason = reason
	}
}

// MayText reports whether the asker's tenant may text now.
func (h Held) MayText(ctx context.Context, tenantID string) (bool, error) {
	refusal, err := h.batches.eligibility.CheckTenant(ctx, tenantID)
	return refusal == nil, err
}
