package main_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"regain/storage"
)

// kinds lists what records there are, and whether they outlive an older copy of the store that is put back. Whoever adds a
// kind decides: what somebody may have used up since does not.
func kinds() map[storage.Kind]bool {
	return map[storage.Kind]bool{
		"transaction": false, "code": false, "token": false, "refresh": false, "session": false, "par": false, "pass": false, "node": false,
		"jti": true, "dpop": true, "client": true, "audit_head": true, "generation": true, "issued": true, "restored": true,
		// Counters are no records: nothing voids them.
		"attempts": false, "visits": false, "pass-guesses": false, "probe": false,
		// Nor is what a survey calls the sum of the file.
		"sum of the file": false,
	}
}

// TestKindsOutliveARollbackOrNot holds that every kind of record was thought of.
func TestKindsOutliveARollbackOrNot(t *testing.T) {
	declared := regexp.MustCompile(`\bKind\("([^"]+)"\)`)
	known, found := kinds(), map[storage.Kind]bool{}
	eachGoFile(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "conformance/") || strings.HasPrefix(path, "storage/storagetest/") || strings.HasPrefix(path, "internal/publickey/") {
			return
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range declared.FindAllStringSubmatch(string(text), -1) {
			kind := storage.Kind(match[1])
			found[kind] = true
			if outlives, listed := known[kind]; !listed || outlives != kind.Outlives() {
				t.Errorf("%s: kind %q: listed %v, outlives %v: decide in storage.Kind.Outlives and here", path, kind, listed, kind.Outlives())
			}
		}
	})
	for kind := range known {
		if !found[kind] {
			t.Errorf("kind %q is listed and nowhere declared", kind)
		}
	}
}
