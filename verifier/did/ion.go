package did

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"regain/internal/strictjson"
	"regain/verifier/internal/jws"
)

const (
	ionDepth = 12
	maxDelta = 1000 // bytes, in canonical form (Sidetree v1.0.0, MAX_DELTA_SIZE)
)

// resolveION resolves the long form of a did:ion, did:ion:<suffix>:<state> (Sidetree v1.0.0, Long-Form DID URIs and
// Operation Compilation), without an ION node. The suffix is the hash of the state's suffixData, which holds the hash
// of the delta, which holds the document. So the identifier itself proves the document.
//
// It does not prove that the document is current: a DID that was anchored in the ledger can be updated or deactivated
// there. Wallets use DIDs that are not anchored (JWT VC Presentation Profile, ION Long-Form DID). The short form cannot
// be resolved without a node, so it is refused.
func resolveION(id DID) (*Document, error) {
	parts := strings.Split(id.id, ":")
	if len(parts) == 1 {
		return nil, fmt.Errorf("%w: did:ion in its short form needs a node of its ledger; the long form does not", ErrUnsupported)
	}
	if len(parts) != 2 {
		return nil, fmt.Errorf("%w: did:ion of another network, or malformed", ErrUnsupported)
	}
	raw, err := jws.Decode(parts[1])
	if err != nil {
		return nil, fmt.Errorf("%w: long form is not base64url in its canonical form", ErrMalformed)
	}
	state, err := strictjson.Object(raw, ionDepth)
	if err != nil {
		return nil, fmt.Errorf("%w: long form: %w", ErrMalformed, err)
	}
	// Only the canonical form is accepted, or one document would have many DIDs with the same suffix (Sidetree v1.0.0,
	// Operation Compilation, step 2.2.3).
	if again, err := canonical(state); err != nil || !bytes.Equal(again, raw) {
		return nil, fmt.Errorf("%w: long form is not in canonical form", ErrMalformed)
	}
	patches, err := patchesOf(state, parts[0])
	if err != nil {
		return nil, err
	}
	return applyPatches(id, patches)
}

// patchesOf verifies the hashes from the suffix to the delta, and returns the patches of the delta.
func patchesOf(state map[string]any, suffix string) ([]any, error) {
	if err := onlyMembers(state, "suffixData", "delta"); err != nil {
		return nil, err
	}
	data, _ := state["suffixData"].(map[string]any)
	delta, _ := state["delta"].(map[string]any)
	if err := onlyMembers(data, "deltaHash", "recoveryCommitment", "type", "anchorOrigin"); err != nil {
		return nil, err
	}
	if err := onlyMembers(delta, "patches", "updateCommitment"); err != nil {
		return nil, err
	}
	hash, _, err := multihash(data)
	if err != nil || hash != suffix {
		return nil, fmt.Errorf("%w: suffix is not the hash of suffixData", ErrMalformed)
	}
	hash, size, err := multihash(delta)
	if err != nil || hash != data["deltaHash"] || size > maxDelta {
		return nil, fmt.Errorf("%w: deltaHash is not the hash of delta, or delta is too long", ErrMalformed)
	}
	if !isMultihash(data["recoveryCommitment"]) || !isMultihash(delta["updateCommitment"]) {
		return nil, fmt.Errorf("%w: a commitment is missing, or no hash", ErrMalformed)
	}
	patches, ok := delta["patches"].([]any)
	if !ok || len(patches) == 0 {
		return nil, fmt.Errorf("%w: delta has no patches", ErrMalformed)
	}
	return patches, nil
}

// onlyMembers refuses unknown members: another resolver may know them and build a different document.
func onlyMembers(object map[string]any, names ...string) error {
	for name := range object {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%w: an object of the long form has an unknown member", ErrMalformed)
		}
	}
	return nil
}

const (
	sha2256 = 0x12 // sha2-256 in the multihash table
	hashed  = 2 + sha256.Size
)

// multihash returns the hash of a value's canonical form, and the size of that form in bytes (Sidetree v1.0.0, Hashing
// Process).
func multihash(value map[string]any) (hash string, size int, err error) {
	raw, err := canonical(value)
	if err != nil {
		return "", 0, err
	}
	sum := sha256.Sum256(raw)
	return jws.Encode(append([]byte{sha2256, sha256.Size}, sum[:]...)), len(raw), nil
}

func isMultihash(value any) bool {
	text, _ := value.(string)
	raw, err := jws.Decode(text)
	return err == nil && len(raw) == hashed && raw[0] == sha2256 && raw[1] == sha256.Size
}
