package backup_test

import (
	"strings"
	"testing"

	"regain/internal/backup"
)

// A schema is migrated up and never down: whoever looks at that of a newer program is not sent to a command that refuses it.
func TestSchemasOfOtherPrograms(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		schema backup.Schema
		says   string
	}{
		"this one": {backup.Schema{Version: 2, Known: 2, Current: true}, "which is this program's"},
		"older":    {backup.Schema{Version: 1, Known: 2}, "storage migrate --dry-run"},
		"newer":    {backup.Schema{Version: 3, Known: 2}, "which a newer program made; this one knows version 2"},
		"none":     {backup.Schema{Known: 2}, "none yet"},
	} {
		if said := row.schema.String(); !strings.Contains(said, row.says) {
			t.Errorf("%s: it says %q, without %q", name, said, row.says)
		}
	}
}
