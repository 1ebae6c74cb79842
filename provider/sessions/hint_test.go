package sessions_test

import (
	"testing"

	"regain/provider/sessions"
)

// A hint means its own session and, without a sid, those of its subject in which its client took part; never another person's
// or another client's.
func TestHinted(t *testing.T) {
	all, _ := setUp(t)
	begin := func(account string, clients ...string) string {
		t.Helper()
		subjects := map[string]string{}
		for _, client := range clients {
			subjects[client] = account
		}
		s, _, err := all.Begin(t.Context(), sessions.Session{Account: account, Subjects: subjects})
		if err != nil {
			t.Fatal(err)
		}
		return s.ID
	}
	laptop, phone := begin("ada", "a"), begin("ada", "b")
	joined, err := all.Get(t.Context(), phone)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := all.Join(t.Context(), joined, "a", "ada"); err != nil { // what joins a session keeps its subject's sessions together
		t.Fatal(err)
	}
	begin("ada", "c")
	begin("bob", "a")
	ended := begin("ada", "a")
	if _, err := all.End(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		hint sessions.Hint
		want []string
	}{
		"sid":                      {sessions.Hint{Session: laptop, Account: "ada", Client: "a"}, []string{laptop}},
		"a sid that has ended":     {sessions.Hint{Session: ended, Account: "ada", Client: "a"}, nil},
		"a sid of nobody":          {sessions.Hint{Session: "x", Account: "ada", Client: "a"}, nil},
		"sub":                      {sessions.Hint{Account: "ada", Client: "a"}, []string{laptop, phone}},
		"sub, of the other client": {sessions.Hint{Account: "ada", Client: "b"}, []string{phone}},
		"sub, of no client":        {sessions.Hint{Account: "ada", Client: "d"}, nil},
		"another sub":              {sessions.Hint{Account: "carol", Client: "a"}, nil},
	} {
		found, err := all.Hinted(t.Context(), row.hint)
		if err != nil || len(found) != len(row.want) {
			t.Errorf("%s: %d sessions, %v", name, len(found), err)
			continue
		}
		ids := map[string]bool{}
		for _, s := range found {
			ids[s.ID] = true
		}
		for _, id := range row.want {
			if !ids[id] {
				t.Errorf("%s: lacks one of its sessions", name)
			}
		}
	}
}
