package recovery_test

import (
	"testing"

	"regain/recovery"
)

// Of two spellings of a group that look the same, a directory may have both: a member of either is excluded, and included is
// only who is in the one that the profile names.
func TestExclusionsGoByLooks(t *testing.T) {
	const written = "Gesch\u00e4ftsf\u00fchrung"
	profiles := recovery.Profiles{{Name: "everybody", Enabled: true, Scope: recovery.Scope{All: true}}}
	included := recovery.Profiles{{Name: "board", Enabled: true, Scope: recovery.Scope{Include: []recovery.GroupName{written}}}}
	for member, row := range map[recovery.GroupName]struct{ excluded, in bool }{
		written:                             {true, true},
		"gesch\u00e4ftsF\u00dcHRUNG":        {true, false},
		"Gescha\u0308ftsfu\u0308hrung":      {true, false}, // composed of letter and mark
		" " + written + "\u00a0":            {true, false},
		"Geschaftsfuhrung":                  {false, false}, // another word
		"Gesch\u00e4ftsf\u00fchrung extern": {false, false},
	} {
		account := recovery.Account{Enabled: true, Groups: []recovery.GroupName{member}}
		if _, reason := profiles.Match(account, []recovery.GroupName{written}); (reason == recovery.ReasonAccountExcluded) != row.excluded {
			t.Errorf("%q, excluded from all: %q", member, reason)
		}
		if _, reason := included.Match(account, nil); (reason == recovery.ReasonNone) != row.in {
			t.Errorf("%q, included: %q", member, reason)
		}
		profiles[0].Scope.Exclude = []recovery.GroupName{written}
		if _, reason := profiles.Match(account, nil); (reason == recovery.ReasonAccountExcluded) != row.excluded {
			t.Errorf("%q, excluded from the profile: %q", member, reason)
		}
		profiles[0].Scope.Exclude = nil
	}
}
