//go:build npm

package keys_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/keys"
)

// TestAgainstNPM has tokens of every algorithm that a ring can sign with verified by the npm package jose, which stands on
// WebCrypto, against the published JWK Set. scripts/browser runs it, with `-tags npm`: it needs Node.js and what is
// installed there.
func TestAgainstNPM(t *testing.T) {
	r, err := keys.NewRing([]keys.Key{{Private: generate(t, jose.ES256)}, {Private: generate(t, jose.RS256)}, {Private: generate(t, jose.EdDSA)}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Algorithms()); n != 4 {
		t.Fatalf("the ring signs with %d algorithms, and this test has keys for 4", n)
	}
	for _, alg := range r.Algorithms() {
		token, err := r.MintWith(alg, "recovery+jwt", map[string]any{"iss": "https://regain.example"})
		if err != nil {
			t.Fatal(err)
		}
		input, err := json.Marshal(map[string]any{"token": token, "jwks": json.RawMessage(r.JWKS()), "alg": alg, "typ": "recovery+jwt"})
		if err != nil {
			t.Fatal(err)
		}
		command := exec.CommandContext(t.Context(), "node", "../../conformance/browsertest/verify.mjs")
		command.Stdin = strings.NewReader(string(input))
		if said, err := command.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", alg, err, said)
		}
	}
}
