package batch

import (
	"context"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/models/ledger"
)

// byKey finds the batch that a user's idempotency key already made. The
// same request again gives the same batch; another request with the key
// is a conflict. Keys never expire: the database has them unique per
// user.
func (x *Batches) byKey(ctx context.Context, a access.Asker, key, bodyHash string) (b ledger.Batch, found bool, err error) {
	if key == "" {
		return b, false, nil
	}
	b, err = x.store.Batches.ByIdempotencyKey(ctx, a.Tenant.ID, a.UserID, key)
	if err != nil {
		return b, false, apierror.IgnoreNotFound(err)
	}
	return b, true, sameRequest(b, bodyHash)
}

// sameRequest refuses a key that was used for another request.
func sameRequest(b ledger.Batch, bodyHash string) error {
	if b.BodyHash != bodyHash {
		return apierror.New("idempotency_conflict", "This request was already used for another text. Send again from a new popup.")
	}
	return nil
}
