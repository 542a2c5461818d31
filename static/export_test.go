package static

// Strip is strip, for tests from outside.
var Strip = strip
