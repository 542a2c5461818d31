// Package compose turns what a person wrote into what a phone receives:
// merge fields, text segments, and phone numbers as they are written.
//
// It is pure: no clock, no database, no network. One renderer serves
// preview, sending and automation, so what was shown is what goes out.
package compose
