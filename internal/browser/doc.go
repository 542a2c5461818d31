// Package browser tests what people do in their browsers, from the CRM to a
// phone. Package e2e makes the same calls under the race detector.
package browser
