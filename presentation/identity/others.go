package identity

import (
	"crypto"
	"errors"
	"fmt"
	"strings"
)

// RedirectURI is known by nothing but where the answer goes (OpenID4VP 1.0 §5.9.3): its requests are never signed, so a
// wallet can tell the person only the host. For trials and conformance suites.
func RedirectURI() *Identity { return &Identity{prefix: RedirectURIOf} }

// DID is known by a DID, whose document lists the key under authentication. keyID is the fragment of the verification
// method, without #; the header's kid is the whole DID URL (§5.9.3).
func DID(did, keyID string, key crypto.Signer) (*Identity, error) {
	if !strings.HasPrefix(did, "did:") || !plain(did) || strings.ContainsAny(did, "#?/") {
		return nil, fmt.Errorf("decentralized_identifier: %q is not a DID, such as did:web:recover.example.org", did)
	}
	if !plain(keyID) {
		return nil, errors.New("decentralized_identifier: name the fragment of the key's verification method")
	}
	i := &Identity{prefix: DIDOf, clientID: string(DIDOf) + ":" + did}
	made, err := i.signed(key, map[string]any{"kid": did + "#" + keyID})
	if err != nil {
		return nil, fmt.Errorf("decentralized_identifier: %w", err)
	}
	return made, nil
}

// PreRegistered is known to a wallet from its maker (§5.9.2). Without a key its requests are not signed. keyID is the
// header's kid; "" for none.
func PreRegistered(clientID, keyID string, key crypto.Signer) (*Identity, error) {
	if !plain(clientID) {
		return nil, errors.New("client_id: give the one that the wallet's maker registered")
	}
	for _, prefix := range reserved() {
		if strings.HasPrefix(clientID, string(prefix)+":") {
			return nil, fmt.Errorf("client_id: a registered one must not begin with %s: (OpenID4VP 1.0 §5.9.2)", prefix)
		}
	}
	i := &Identity{prefix: None, clientID: clientID}
	if key == nil {
		return i, nil
	}
	header := map[string]any{}
	if keyID != "" {
		header["kid"] = keyID
	}
	made, err := i.signed(key, header)
	if err != nil {
		return nil, fmt.Errorf("client_id %s: %w", clientID, err)
	}
	return made, nil
}
