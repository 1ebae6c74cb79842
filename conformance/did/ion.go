package did

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	standard "encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4/json"
	"github.com/gowebpki/jcs"

	"regain/conformance/jose"
)

const (
	ionPrefix = "did:ion:"
	maxDelta  = 1000 // bytes, MAX_DELTA_SIZE of Sidetree v1.0.0
)

// LongForm makes the long form of a DID from the document it begins with: {"publicKeys", "services"}
// as in Sidetree's patches, and the JWKs of the keys that could update and recover it (Sidetree,
// Create and Long-Form DID URIs).
func LongForm(document map[string]any, update, recovery jose.JWK) (string, error) {
	updates, err := commitment(update)
	if err != nil {
		return "", err
	}
	recoveries, err := commitment(recovery)
	if err != nil {
		return "", err
	}
	delta := map[string]any{
		"patches":          []any{map[string]any{"action": "replace", "document": document}},
		"updateCommitment": updates,
	}
	deltaHash, err := hash(delta)
	if err != nil {
		return "", err
	}
	suffix := map[string]any{"deltaHash": deltaHash, "recoveryCommitment": recoveries}
	short, err := hash(suffix)
	if err != nil {
		return "", err
	}
	state, err := canonical(map[string]any{"delta": delta, "suffixData": suffix})
	if err != nil {
		return "", err
	}
	return ionPrefix + short + ":" + base64.RawURLEncoding.EncodeToString(state), nil
}

// hash is Sidetree's hashing process: base64url of the multihash of the canonical JSON.
func hash(v any) (string, error) {
	raw, err := canonical(v)
	if err != nil {
		return "", fmt.Errorf("hashing: %w", err)
	}
	return multihash(raw), nil
}

// commitment hides a key behind two hashes (Sidetree v1.0.0, Public Key Commitment Scheme).
func commitment(jwk jose.JWK) (string, error) {
	raw, err := canonical(jwk)
	if err != nil {
		return "", fmt.Errorf("committing to a key: %w", err)
	}
	sum := sha256.Sum256(raw)
	return multihash(sum[:]), nil
}

// canonical writes JSON in the one way of RFC 8785.
func canonical(v any) ([]byte, error) {
	raw, err := standard.Marshal(v)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(raw)
}

func multihash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(append([]byte{0x12, sha256.Size}, sum[:]...))
}

// initialState is the last part of a long form. What is hashed stays as it is written.
type initialState struct {
	Suffix json.RawMessage `json:"suffixData"`
	Delta  json.RawMessage `json:"delta"`
}

type delta struct {
	Patches []struct {
		Action   string `json:"action"`
		Document struct {
			Keys []struct {
				rawMethod
				Purposes []string `json:"purposes"`
			} `json:"publicKeys"`
			Services []rawService `json:"services"`
		} `json:"document"`
	} `json:"patches"`
}

// resolveION reads the document out of a long form, after the hashes that make it the DID's own (Sidetree v1.0.0,
// Unpublished DID Resolution). What is not written canonically is refused (Long-Form DID URIs): else one document has
// many DIDs, and of two members of one name a hash vouches for one and a reader takes the other.
func resolveION(did string) (Document, error) {
	short, encoded, long := strings.Cut(strings.TrimPrefix(did, ionPrefix), ":")
	if !long {
		return Document{}, fmt.Errorf("%w: a did:ion in short form", ErrMethod)
	}
	raw, err := decode(encoded)
	if err != nil {
		return Document{}, err
	}
	if again, err := jcs.Transform(raw); err != nil || !bytes.Equal(raw, again) {
		return Document{}, fmt.Errorf("%w: its state is not canonical JSON", ErrDocument)
	}
	var state initialState
	var suffix struct {
		DeltaHash string `json:"deltaHash"`
	}
	var begin delta
	if json.Unmarshal(raw, &state) != nil || json.Unmarshal(state.Suffix, &suffix) != nil || json.Unmarshal(state.Delta, &begin) != nil {
		return Document{}, fmt.Errorf("%w: its state is not the JSON expected", ErrDocument)
	}
	switch {
	case multihash(state.Suffix) != short:
		return Document{}, fmt.Errorf("%w: the DID is not the hash of its suffix data", ErrDocument)
	case multihash(state.Delta) != suffix.DeltaHash || len(state.Delta) > maxDelta:
		return Document{}, fmt.Errorf("%w: the suffix data is not about this delta, or that is too long", ErrDocument)
	}
	return begin.document(did)
}

// document applies the one patch that DIDs begin with.
func (b delta) document(did string) (Document, error) {
	if len(b.Patches) != 1 || b.Patches[0].Action != "replace" {
		return Document{}, fmt.Errorf("%w: it does not begin with one replace", ErrDocument)
	}
	d := Document{ID: did}
	content := b.Patches[0].Document
	for _, key := range content.Keys {
		if !isKeyName(key.ID) {
			return Document{}, fmt.Errorf("%w: the id of a key is not base64url or too long", ErrDocument)
		}
		name := key.ID
		key.ID = "#" + name
		if err := d.addMethod(key.rawMethod); err != nil {
			return Document{}, err
		}
		if slices.Contains(key.Purposes, "assertionMethod") {
			d.asserts = append(d.asserts, name)
		}
		if slices.Contains(key.Purposes, "authentication") {
			d.authenticates = append(d.authenticates, name)
		}
	}
	return d, d.addServices(content.Services)
}

// isKeyName holds Sidetree's rule for the id of a key: at most fifty characters of base64url.
func isKeyName(name string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return name != "" && len(name) <= 50 && strings.Trim(name, allowed) == ""
}
