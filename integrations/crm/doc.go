// Package crm speaks the contract between the CRM and this app.
//
// It has three parts. Launch tokens (launch.go) are what the CRM posts when
// it opens the popup or a page. Signed calls (webhook.go) are Standard Webhooks
// (https://www.standardwebhooks.com) in both directions; events.go and
// automation.go read what the CRM sends, client.go and its neighbours send what
// the CRM answers. All three are proved by the same Secrets.
//
// The tenant of a token or call is always the one that was signed, never one
// from a URL or a header. Ids are strings here; on the wire the CRM may write
// them as strings or as numbers.
package crm
