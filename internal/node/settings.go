package node

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"regain/internal/keep"
)

// common returns what this node must have in common with the others of its store.
func (n *Node) common(name string) (keep.Settings, error) {
	var published struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(n.ring.JWKS(), &published); err != nil {
		return keep.Settings{}, fmt.Errorf("read our own keys: %w", err)
	}
	var signing []string
	for _, key := range published.Keys {
		signing = append(signing, key.ID)
	}
	return keep.Settings{Node: name, Issuer: n.cfg.Issuer, Keys: map[string][]string{
		"secrets.token_secret": keyIDs("token", n.loaded.Secrets.Token...),
		"secrets.pass_key":     keyIDs("pass", n.loaded.Secrets.Pass...),
		"secrets.signing_key":  signing,
	}}, nil
}

// keyIDs tells keys for a purpose apart, and tells nothing of them.
func keyIDs(purpose string, keys ...[]byte) (ids []string) {
	for _, key := range keys {
		const size = 4
		sum := sha256.Sum256(append([]byte("regain node settings\x00"+purpose+"\x00"), key...))
		ids = append(ids, hex.EncodeToString(sum[:size]))
	}
	return ids
}
