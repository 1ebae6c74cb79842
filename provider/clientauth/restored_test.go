package clientauth_test

import (
	"testing"
	"time"
)

// After a store was filled from a copy, which does not know what was used since, an assertion that may have been made before
// is refused, to the second: by its iat, with as much as a client's clock may be ahead, or without one by its lifetime.
func TestAssertionsFromBeforeARestore(t *testing.T) {
	m := setUpMethods(t)
	restored := m.now.Truncate(time.Second)
	m.notBefore = restored
	m.start()
	at := func(after time.Duration) func(a *attempt) {
		return func(a *attempt) {
			m.now = restored.Add(after)
			a.claims["iat"], a.claims["exp"] = m.now.Unix(), m.now.Add(time.Minute).Unix()
		}
	}
	without := func(exp time.Duration) func(a *attempt) {
		return func(a *attempt) {
			m.now = restored.Add(exp - time.Minute)
			a.claims["exp"] = restored.Add(exp).Unix()
			delete(a.claims, "iat")
		}
	}
	for name, row := range map[string]struct {
		change func(a *attempt)
		says   string
	}{
		"made before it":                  {at(-time.Minute), "may have been used before"},
		"in its moment":                   {at(0), "may have been used before"},
		"as soon as a clock may be ahead": {at(10 * time.Second), "may have been used before"},
		"a second later":                  {at(11 * time.Second), ""},
		"no iat, and as old as it may be": {without(5*time.Minute + 10*time.Second), "may have been used before"},
		"no iat, and a second younger":    {without(5*time.Minute + 11*time.Second), ""},
	} {
		a := m.good("private_key_jwt")
		row.change(a)
		if row.says != "" {
			m.refuses(name, a, row.says)
			continue
		}
		if _, err := m.try(a); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
