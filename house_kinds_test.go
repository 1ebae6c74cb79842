package main_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"regain/storage"
)

// TestEveryKindIsDecidedOn holds that somebody thought of each kind of record when an older copy of the store is put back:
// storage.Kind.Outlives says which stay valid, and here is why the others do not.
func TestEveryKindIsDecidedOn(t *testing.T) {
	void := map[string]string{
		"transaction": "it would go on, or be redeemed a second time",
		"code":        "it may have been redeemed",
		"token":       "it may have been revoked",
		"refresh":     "it may have been used, and a newer one is out",
		"par":         "the request may have been used",
		"session":     "it may have been signed out",
		"pass":        "it may have been used",
		"probe":       "nobody reads it",
	}
	counters := map[string]string{ // which come back with their counts, and know nothing of Outlives
		"attempts":     "a count is never lower than none",
		"visits":       "the same",
		"pass-guesses": "the same",
	}
	declared := regexp.MustCompile(`\bKind\("([^"]+)"\)`)
	var found []string
	eachGoFile(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") || strings.Contains(path, "storagetest") {
			return
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range declared.FindAllStringSubmatch(string(text), -1) {
			found = append(found, kind[1])
			outlives, why := storage.Kind(kind[1]).Outlives(), void[kind[1]]+counters[kind[1]]
			if outlives == (why != "") {
				t.Errorf("%s: whether records of kind %q stay valid when an older copy of the store is put back must be decided, in storage.Kind.Outlives or here", path, kind[1])
			}
		}
	})
	for kind := range void {
		if !slices.Contains(found, kind) {
			t.Errorf("nobody stores the kind %q any more", kind)
		}
	}
	if len(found) < 14 {
		t.Errorf("%d kinds are found; they are declared as Kind(\"name\")", len(found))
	}
}
