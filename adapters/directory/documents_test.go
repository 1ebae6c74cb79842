package directory_test

import (
	"strings"
	"testing"

	"regain/adapters/directory"
)

// YAML files may have several documents. Of a newer list under the older one nothing would count: who was disabled there
// would go on recovering.
func TestASecondDocumentIsAMistake(t *testing.T) {
	const first = "accounts:\n  - {name: ada@example.org}\n"
	for _, text := range []string{first + "---\naccounts:\n  - {name: ada@example.org, enabled: false}\n", "---\n" + first + "...\n---\n", first + "---\n{"} {
		if _, err := directory.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), "second document") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{first, "---\n" + first, "# accounts\n---\n" + first + "...\n", first + "# end\n"} {
		if d, err := directory.Parse([]byte(text)); err != nil || d.Len() != 1 {
			t.Errorf("%q: %v", text, err)
		}
	}
}
