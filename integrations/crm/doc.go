// Package crm implements the contract between the CRM and this app.
//
// It has three parts. Launch tokens (launch.go) are what the CRM posts
// when it opens the popup or a page. Calls from the CRM (events.go,
// automation.go) and to the CRM (client.go; a file for each type of
// call) are signed as Standard Webhooks
// (https://www.standardwebhooks.com; signature.go). The same Secrets
// prove all three.
//
// The tenant of a token or call is always the signed one, never one
// from a URL or a header. Ids are strings here; the CRM may write them
// as strings or numbers.
package crm
