package popup

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"dialpad-texting/app/access"
	"dialpad-texting/app/apierror"
	"dialpad-texting/integrations/crm"
	"dialpad-texting/models"
	"dialpad-texting/models/ledger"
)

// ConversationView is one page of what the tenant's people and the popup's
// person wrote to each other, newest first.
type ConversationView struct {
	Items    []ConversationItem `json:"items"`
	Contacts int                `json:"contacts"` // that were texted at this number
	Next     *string            `json:"next"`
}

// ConversationItem is one text of a conversation.
type ConversationItem struct {
	ID        string    `json:"id"`
	Direction string    `json:"direction"` // outbound, inbound
	By        string    `json:"by"`        // who asked for an outbound one: a person, or an automation
	Mine      bool      `json:"mine"`
	Text      *string   `json:"text"` // null where Dialpad gives no content
	Picture   bool      `json:"picture"`
	State     string    `json:"state"` // of an outbound one; "received"
	ErrorText string    `json:"error_text"`
	At        time.Time `json:"at"`
}

const conversationPage = 20

// place is where a page of a conversation ends.
type place struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

// Conversation pages the texts with the popup's person.
func (x *Popup) Conversation(ctx context.Context, a access.Asker, cursor string) (ConversationView, error) {
	v := ConversationView{Items: []ConversationItem{}}
	if a.Target == nil || a.Target.Mode != crm.ModeOne {
		return v, apierror.NoRecords()
	}
	before := place{At: x.store.Now().Add(time.Hour)}
	if cursor != "" && json.Unmarshal([]byte(cursor), &before) != nil {
		return v, apierror.Field("cursor", "There is no such page.")
	}
	keys, err := x.store.Tenants.NumberKeys(ctx, a.Tenant.ID, clickedNumber(a).Number)
	if err != nil {
		return v, err
	}
	texts, err := x.store.Pairs.PostedTo(ctx, a.Tenant.ID, keys, before.At, before.ID, conversationPage+1)
	if err != nil {
		return v, err
	}
	answers, err := x.store.Replies.ByNumber(ctx, a.Tenant.ID, keys, before.At, before.ID, conversationPage+1)
	if err != nil {
		return v, err
	}
	if v.Contacts, err = x.store.Pairs.CountContacts(ctx, a.Tenant.ID, keys); err != nil {
		return v, err
	}
	if v.Items, err = x.items(ctx, a, texts, answers); err != nil || len(v.Items) <= conversationPage {
		return v, err
	}
	v.Items = v.Items[:conversationPage]
	last := v.Items[conversationPage-1]
	raw, err := json.Marshal(place{last.At, last.ID})
	next := string(raw)
	v.Next = &next
	return v, err
}

// items are texts and answers in one list, newest first.
func (x *Popup) items(ctx context.Context, a access.Asker, texts []ledger.Message, answers []models.Reply) ([]ConversationItem, error) {
	batches := map[string]ledger.Batch{}
	out := make([]ConversationItem, 0, len(texts)+len(answers))
	for _, m := range texts {
		b, known := batches[m.BatchID]
		if !known {
			var err error
			if b, err = x.store.Batches.Get(ctx, a.Tenant.ID, "", m.BatchID); apierror.IgnoreNotFound(err) != nil {
				return nil, err
			}
			batches[m.BatchID] = b
		}
		out = append(out, ConversationItem{ID: m.ID, Direction: "outbound", By: cmp.Or(b.WorkflowName, b.UserName, b.UserEmail),
			Mine: b.UserID == a.UserID && b.WorkflowName == "", Text: &m.Text, State: ledger.PublicState(m.State), ErrorText: m.ErrorText, At: *m.ClaimedAt})
	}
	for _, r := range answers {
		item := ConversationItem{ID: r.ID, Direction: "inbound", Picture: r.Picture, State: "received", At: r.WrittenAt}
		if r.Body != "" {
			item.Text = &r.Body
		}
		out = append(out, item)
	}
	slices.SortFunc(out, func(a, b ConversationItem) int { return cmp.Or(b.At.Compare(a.At), strings.Compare(b.ID, a.ID)) })
	return out, nil
}
