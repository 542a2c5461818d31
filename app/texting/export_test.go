package texting

// QuietUntil is when quiet hours end.
var QuietUntil = quietUntil
