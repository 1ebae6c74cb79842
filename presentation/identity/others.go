package identity

import (
	"crypto"
	"errors"
	"fmt"
	"strings"
)

// RedirectURI makes an identity for the prefix redirect_uri (OpenID4VP 1.0 §5.9.3). Its requests are never signed, so a
// wallet can show the person only the host of the response URI. It is for trials and conformance suites.
func RedirectURI() *Identity { return &Identity{prefix: RedirectURIOf} }

// DID makes an identity for the prefix decentralized_identifier: a DID whose document has the key. keyID is the
// fragment of the verification method, without #. The kid header is the whole DID URL (OpenID4VP 1.0 §5.9.3).
func DID(did, keyID string, key crypto.Signer) (*Identity, error) {
	if !isDID(did) {
		return nil, fmt.Errorf("client_id %q: it is not a DID, such as did:web:recover.example.org", did)
	}
	if !plain(keyID) || strings.Contains(keyID, "#") {
		return nil, errors.New("key_id: name the fragment of the key's verification method, without #")
	}
	i := &Identity{prefix: DIDOf, clientID: string(DIDOf) + ":" + did}
	made, err := i.signing(key, map[string]any{"kid": did + "#" + keyID})
	if err != nil {
		return nil, fmt.Errorf("client_id %s: %w", did, err)
	}
	return made, nil
}

// isDID reports whether text is a DID and not a DID URL (DID Core §3.1): "did", the method name in lower-case letters
// and digits, and the method-specific identifier, separated by colons.
func isDID(text string) bool {
	scheme, rest, _ := strings.Cut(text, ":")
	method, id, _ := strings.Cut(rest, ":")
	if scheme != "did" || method == "" || id == "" || strings.HasSuffix(id, ":") || !plain(id) {
		return false
	}
	return !strings.ContainsFunc(method, func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') }) &&
		!strings.ContainsFunc(id, func(c rune) bool { return !letterOrDigit(c) && !strings.ContainsRune(".-_:%", c) })
}

func letterOrDigit(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// PreRegistered makes an identity that the wallet's maker has registered (OpenID4VP 1.0 §5.9.2). Without a key its
// requests are not signed. keyID is the kid header, "" for none.
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
	made, err := i.signing(key, header)
	if err != nil {
		return nil, fmt.Errorf("client_id %s: %w", clientID, err)
	}
	return made, nil
}
