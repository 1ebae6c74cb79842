package openid_test

import (
	"net/http"
	"strings"
	"testing"

	"regain/provider/facetest"
)

// A code is made, and the account's name is given to somebody else before the client redeems it: no token says that this
// person is the other one. The code of the next press has the new name. A client that knows accounts by id notices nothing.
func TestRenamedBetweenTheCodeAndTheToken(t *testing.T) {
	const before = "accounts:\n  - {name: ada@example.org, id: A1, attributes: {family_name: Lovelace, given_name: Augusta}}\n"
	for name, row := range map[string]struct {
		client, directory, says string
	}{
		"renamed, and the name given to Eve": {"broker", `accounts:
  - {name: ada.lovelace@example.org, id: A1, attributes: {family_name: Lovelace, given_name: Augusta}}
  - {name: ada@example.org, id: E1, attributes: {family_name: Stone, given_name: Eve}}
`, "another name"},
		"in another spelling": {"broker", strings.Replace(before, "ada@", "Ada@", 1), "another name"},
		"known by its id":     {"broker-by-id", strings.Replace(before, "ada@", "ada.lovelace@", 1), ""},
		"as it was":           {"broker", before, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProvider(t, nil)
			s := p.signIn(t, row.client, facetest.Ada)
			code := s.silently(t, row.client, nil).Get("code")
			p.Accounts.Replace(t, row.directory)
			got := p.client("/token", row.client, redemption(code))
			if says := got.Body.String(); (got.Code == http.StatusOK) != (row.says == "") || !strings.Contains(says, row.says) {
				t.Errorf("%d %s", got.Code, says)
			}
			if row.says == "" {
				return
			}
			p.Accounts.Replace(t, before)
			if again := p.client("/token", row.client, redemption(code)); again.Code != http.StatusOK {
				t.Errorf("the code was used up: %d %s", again.Code, again.Body)
			}
		})
	}
}
