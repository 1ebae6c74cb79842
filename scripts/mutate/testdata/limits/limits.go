// Package limits is what the test of mutate changes: some of its lines are tested well, some badly, some not at all.
package limits

import "errors"

const (
	most  = 10
	table = 4
)

var slots [table]int

// Within is tested at its limit, so every change of it is noticed.
func Within(n int) error {
	if n > most || n < 0 {
		return errors.New("out of range")
	}
	return nil
}

// Loose is tested far from its limit, and never with a name.
func Loose(n int, name string) bool {
	return n < 1000 && name == ""
}

// Count is tested whole.
func Count(words []string) (total int, err error) {
	for _, w := range words {
		switch w {
		case "skip":
			continue
		case "stop":
			return total, errors.New("stopped")
		}
		total++
	}
	note(total)
	return total, nil
}

// note is reached, and nobody looks at what it does.
func note(n int) {
	slots[n%len(slots)] = n
}

// Forgotten is not tested.
func Forgotten(n int) bool {
	return n == 7
}
