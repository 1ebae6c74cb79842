package presentation_test

import (
	"encoding/json"
	"testing"

	jose "github.com/go-jose/go-jose/v4"

	"regain/internal/publickey/publickeytest"
	"regain/presentation"
)

// A wallet may publish keys of other kinds, and damaged ones, beside the one that we encrypt to: they are passed over (RFC
// 7517 §5), wherever they stand. One that has nothing else is refused: it asked for encryption.
func TestWalletKeysOfOtherKinds(t *testing.T) {
	good := jose.JSONWebKey{Key: newChain(t, nil).key.Public(), KeyID: "w", Use: "enc"}
	find := func(keys ...any) (*presentation.WalletKey, error) {
		text, err := json.Marshal(map[string]any{"jwks": map[string]any{"keys": keys}})
		if err != nil {
			t.Fatal(err)
		}
		said, err := presentation.ParseRequestURIPost(map[string][]string{"wallet_metadata": {string(text)}})
		return said.Key, err
	}
	others := map[string]any{"no object": "x", "a private key": map[string]any{"kty": "EC", "crv": "P-256", "d": "AA"}}
	for name, jwk := range publickeytest.Foreign() {
		jwk["use"] = "enc"
		others[name] = jwk
	}
	for name, other := range others {
		for _, keys := range [][]any{{other, good}, {good, other}} {
			if key, err := find(keys...); err != nil || key == nil {
				t.Errorf("%s beside a good one: %v", name, err)
			}
		}
		if key, err := find(other); err == nil || key != nil {
			t.Errorf("%s alone: %v, %v", name, key, err)
		}
	}
}
