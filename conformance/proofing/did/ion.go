package did

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	standard "encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4/json"
)

// maxDelta is MAX_DELTA_SIZE of Sidetree v1.0.0, in bytes.
const maxDelta = 1000

// state is the initial state in a long form (Sidetree v1.0.0, Long-Form DID URIs). What is hashed stays as it came.
type state struct {
	Suffix json.RawMessage `json:"suffixData"`
	Delta  json.RawMessage `json:"delta"`
}

type suffix struct {
	DeltaHash string `json:"deltaHash"`
}

type delta struct {
	Patches []struct {
		Action   string `json:"action"`
		Document struct {
			Keys []publicKey `json:"publicKeys"`
		} `json:"document"`
	} `json:"patches"`
}

type publicKey struct {
	ID       string          `json:"id"`
	JWK      json.RawMessage `json:"publicKeyJwk"`
	Purposes []string        `json:"purposes"`
}

// resolveION reads the document in a long form. The unique suffix is the hash of the suffix data, which holds the hash of
// the delta, which makes the document: so the DID vouches for its keys, and no node of the ledger has to be asked.
func resolveION(rest string) (map[string]any, error) {
	short, encoded, _ := strings.Cut(rest, ":")
	raw, err := decode(encoded)
	if err != nil || len(raw) == 0 {
		return nil, fmt.Errorf("%w: not the long form of a did:ion", ErrUnusable)
	}
	if err := canonical(raw); err != nil {
		return nil, fmt.Errorf("%w: did:ion: %w", ErrUnusable, err)
	}
	var initial state
	var data suffix
	var made delta
	if json.Unmarshal(raw, &initial) != nil || json.Unmarshal(initial.Suffix, &data) != nil || json.Unmarshal(initial.Delta, &made) != nil {
		return nil, fmt.Errorf("%w: did:ion: its state has another shape", ErrUnusable)
	}
	if multihash(initial.Suffix) != short || multihash(initial.Delta) != data.DeltaHash || len(initial.Delta) > maxDelta {
		return nil, fmt.Errorf("%w: did:ion: a hash is of something else, or the delta is too long", ErrUnusable)
	}
	if len(made.Patches) != 1 || made.Patches[0].Action != "replace" {
		return nil, fmt.Errorf("%w: did:ion: it begins otherwise than with one replace", ErrUnusable)
	}
	return authenticating(made.Patches[0].Document.Keys)
}

// authenticating are the keys under authentication. One of a kind that is not used here is no mistake, and no key.
func authenticating(list []publicKey) (map[string]any, error) {
	keys, seen := map[string]any{}, map[string]bool{}
	for _, one := range list {
		if one.ID == "" || seen[one.ID] {
			return nil, fmt.Errorf("%w: did:ion: a key has no name, or two have one", ErrUnusable)
		}
		seen[one.ID] = true
		if key, _, err := readKey(one.JWK); err == nil && slices.Contains(one.Purposes, "authentication") {
			keys[one.ID] = key
		}
	}
	return keys, nil
}

// multihash is Sidetree's hashing process over what is canonical already: SHA-256 behind its code and length.
func multihash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(append([]byte{0x12, sha256.Size}, sum[:]...))
}

// canonical reports whether JSON is written as RFC 8785 has it, as the state of a long form must be: else one document has
// many DIDs. It knows ASCII alone, where the encoder of the standard library writes just that; no DID's state has more.
func canonical(raw []byte) error {
	if slices.ContainsFunc(raw, func(b byte) bool { return b > 0x7e }) {
		return errors.New("its state has characters beyond ASCII")
	}
	var value any
	if err := json.Unmarshal(raw, &value); err != nil { // names that stand twice are refused
		return errors.New("its state is no JSON")
	}
	var again bytes.Buffer
	encoder := standard.NewEncoder(&again)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil || !bytes.Equal(bytes.TrimSuffix(again.Bytes(), []byte("\n")), raw) {
		return errors.New("its state is not canonical")
	}
	return nil
}

// decode reads base64url in its one spelling: without padding, stray bits and line breaks.
func decode(text string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || base64.RawURLEncoding.EncodedLen(len(raw)) != len(text) {
		return nil, errors.New("not base64url")
	}
	return raw, nil
}
