package verifiertest

import (
	"crypto/rand"
	"testing"
)

// Identity is somebody with a DID and the key that its document has.
type Identity struct {
	*Signer
	DID   string
	KeyID string // the DID URL of the key
}

// NewJWKIdentity makes a did:jwk.
func NewJWKIdentity(t testing.TB, algorithm string) *Identity {
	t.Helper()
	signer := NewSigner(t, algorithm)
	did := "did:jwk:" + Encode(JSON(t, signer.JWK(t)))
	return &Identity{Signer: signer, DID: did, KeyID: did + "#0"}
}

// NewIONIdentity makes a did:ion in its long form. With no purposes its key may sign what holders and issuers sign.
func NewIONIdentity(t testing.TB, algorithm string, purposes ...string) *Identity {
	t.Helper()
	signer := NewSigner(t, algorithm)
	did := NewION(signer.JWK(t), purposes...).DID(t)
	return &Identity{Signer: signer, DID: did, KeyID: did + "#key-1"}
}

// ION is what makes a did:ion (Sidetree v1.0.0, Create), before it is hashed. Tests change what they want; a deltaHash
// that they have set stays.
type ION struct {
	Delta, SuffixData map[string]any
}

// NewION starts a did:ion whose document has one key, key-1. With no purposes it may sign what holders and issuers sign.
func NewION(jwk map[string]any, purposes ...string) *ION {
	if len(purposes) == 0 {
		purposes = []string{"authentication", "assertionMethod"}
	}
	return &ION{
		Delta: map[string]any{
			"updateCommitment": Multihash([]byte(rand.Text())),
			"patches": []any{map[string]any{"action": "replace", "document": map[string]any{
				"publicKeys": []any{map[string]any{"id": "key-1", "type": "JsonWebKey2020", "publicKeyJwk": jwk, "purposes": purposes}},
				"services":   []any{},
			}}},
		},
		SuffixData: map[string]any{"recoveryCommitment": Multihash([]byte(rand.Text()))},
	}
}

// Document is the document of the first patch, for tests to change.
func (i *ION) Document() map[string]any {
	patches, _ := i.Delta["patches"].([]any)
	first, _ := patches[0].(map[string]any)
	document, _ := first["document"].(map[string]any)
	return document
}

// Patch adds a patch.
func (i *ION) Patch(patch map[string]any) {
	patches, _ := i.Delta["patches"].([]any)
	i.Delta["patches"] = append(patches, patch)
}

// DID returns the long form.
func (i *ION) DID(t testing.TB) string {
	t.Helper()
	if _, set := i.SuffixData["deltaHash"]; !set {
		i.SuffixData["deltaHash"] = Multihash(JSON(t, i.Delta))
	}
	return i.Long(t, Multihash(JSON(t, i.SuffixData)))
}

// Long returns the long form under a suffix that need not be its own. encoding/json sorts names by their bytes, which
// for names and values of these characters is the canonical form (RFC 8785).
func (i *ION) Long(t testing.TB, suffix string) string {
	t.Helper()
	return "did:ion:" + suffix + ":" + Encode(JSON(t, map[string]any{"delta": i.Delta, "suffixData": i.SuffixData}))
}
