package crm

import (
	"encoding/json"
	"time"
)

// Call is the envelope of every server-to-server body, in both
// directions. Seq orders events of the same tenant, user or number.
type Call struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Seq       *int64          `json:"seq,omitempty"`
	Data      json.RawMessage `json:"data"`
}

// ParseCall decodes an envelope and ignores unknown fields. The error
// names the invalid field: answer 400.
func ParseCall(body []byte) (Call, error) {
	o := readObject(body, "")
	c := Call{Type: o.requiredIdentifier("type", maxID), Timestamp: o.requiredTime("timestamp").UTC(), Seq: o.integer("seq")}
	o.object("data")
	c.Data = o.fields["data"]
	if err := o.callErr(); err != nil {
		return Call{}, err
	}
	return c, nil
}
