package compose

import "strings"

// suggest returns the known field that a misspelled one most likely
// means, or "". Case does not count; more than a third of the name
// wrong is no suggestion.
func suggest(field string, known []string) string {
	best, bestDistance := "", len(field)/3+1
	for _, k := range known {
		if len(k) >= len(field)+bestDistance || len(field) >= len(k)+bestDistance {
			continue // so many letters differ at least
		}
		if d := distance(strings.ToLower(field), strings.ToLower(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the Levenshtein distance, over bytes: field names are
// ASCII.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
