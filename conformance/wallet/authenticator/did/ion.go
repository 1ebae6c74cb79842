package did

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4/json"
)

const ionPrefix = "did:ion:"

// LongForm makes the long form of a DID from the document it begins with: {"publicKeys", "services"}
// as in Sidetree's patches, and the JWKs of the keys that could update and recover it (Sidetree,
// Create and Long-Form DID URIs).
func LongForm(document, update, recovery map[string]any) (string, error) {
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

// commitment hides a key behind two hashes (Sidetree, Public Key Commitment Scheme).
func commitment(jwk map[string]any) (string, error) {
	raw, err := canonical(jwk)
	if err != nil {
		return "", fmt.Errorf("committing to a key: %w", err)
	}
	sum := sha256.Sum256(raw)
	return multihash(sum[:]), nil
}

func multihash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(append([]byte{0x12, sha256.Size}, sum[:]...))
}

// initialState is the last part of a long form.
type initialState struct {
	Delta struct {
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
	} `json:"delta"`
	Suffix struct {
		DeltaHash string `json:"deltaHash"`
	} `json:"suffixData"`
}

// resolveION reads the document out of a long form, after the hashes that make it the DID's own
// (Sidetree, Unpublished DID Resolution).
func resolveION(did string) (Document, error) {
	short, encoded, long := strings.Cut(strings.TrimPrefix(did, ionPrefix), ":")
	if !long {
		return Document{}, fmt.Errorf("%w: a did:ion in short form", ErrMethod)
	}
	raw, members, err := decodeCanonical(encoded)
	if err != nil {
		return Document{}, fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if sum, err := hash(members["suffixData"]); err != nil || sum != short {
		return Document{}, fmt.Errorf("%w: the DID is not the hash of its suffix data", ErrDocument)
	}
	// Names count to the letter here: a reader that takes "Delta" for "delta" would verify one of
	// them and believe the other.
	var state initialState
	if err := json.Unmarshal(raw, &state); err != nil {
		return Document{}, fmt.Errorf("%w: its state is not the JSON expected", ErrDocument)
	}
	if sum, err := hash(members["delta"]); err != nil || sum != state.Suffix.DeltaHash {
		return Document{}, fmt.Errorf("%w: the suffix data is not about this delta", ErrDocument)
	}
	return state.document(did)
}

// document applies the one patch that DIDs begin with.
func (s initialState) document(did string) (Document, error) {
	if len(s.Delta.Patches) != 1 || s.Delta.Patches[0].Action != "replace" {
		return Document{}, fmt.Errorf("%w: it does not begin with one replace", ErrDocument)
	}
	d := Document{ID: did}
	content := s.Delta.Patches[0].Document
	for _, key := range content.Keys {
		if !isKeyName(key.ID) {
			return Document{}, fmt.Errorf("%w: the id of a key is not base64url or too long", ErrDocument)
		}
		name := key.ID
		key.ID = "#" + name
		if err := d.addMethod(key.rawMethod); err != nil {
			return Document{}, err
		}
		for _, purpose := range key.Purposes {
			if purpose == "assertionMethod" {
				d.asserts = append(d.asserts, name)
			}
		}
	}
	return d, d.addServices(content.Services)
}

// isKeyName holds Sidetree's rule for the id of a key: at most fifty characters of base64url.
func isKeyName(name string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return name != "" && len(name) <= 50 && strings.Trim(name, allowed) == ""
}
