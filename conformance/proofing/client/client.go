// Package client authenticates wallets at the token endpoint. A registered wallet signs an assertion with a key of its
// own (private_key_jwt, RFC 7523 §3); one that is not registered shows an attestation of its provider and a proof that it
// holds the attested key (draft-ietf-oauth-attestation-based-client-auth-07, OpenID4VCI 1.0 Appendix E).
package client

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"regain/conformance/jose"
)

var (
	// ErrClient means invalid_client (RFC 6749 §5.2).
	ErrClient = errors.New("client authentication failed")
	// ErrAttestation means invalid_client_attestation (attestation-based client authentication §6.2).
	ErrAttestation = errors.New("unacceptable client attestation")
	// ErrFull means that too many assertions are remembered.
	ErrFull = errors.New("too many client assertions at once")
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	longest       = 5 * time.Minute // that an assertion may live
	capacity      = 50_000          // assertions and proofs that are remembered
	maxName       = 256
)

// Wallet is a registered wallet.
type Wallet struct {
	ID   string
	Keys jose.JWKSet // for ES256
}

// Attester is a wallet provider whose attestations count.
type Attester struct {
	Issuer string
	Keys   jose.JWKSet // for ES256
}

// Config says who may come. Clock is required, and so is Issuer: the authorization server's identifier, and the audience
// of everything that is shown.
type Config struct {
	Issuer    string
	Wallets   []Wallet
	Attesters []Attester
	Clock     func() time.Time
}

// Door is where wallets show who they are. It is safe for concurrent use.
type Door struct {
	config Config

	mu   sync.Mutex
	seen map[string]time.Time // whose, and jti → forget at
}

// NewDoor refuses missing parts.
func NewDoor(config Config) (*Door, error) {
	if config.Issuer == "" || config.Clock == nil {
		return nil, errors.New("client authentication: Issuer and Clock are required")
	}
	for _, w := range config.Wallets {
		if w.ID == "" || len(w.Keys.Keys) == 0 {
			return nil, errors.New("client authentication: a wallet has no ID or no keys")
		}
	}
	for _, a := range config.Attesters {
		if a.Issuer == "" || len(a.Keys.Keys) == 0 {
			return nil, errors.New("client authentication: an attester has no Issuer or no keys")
		}
	}
	return &Door{config: config, seen: map[string]time.Time{}}, nil
}

// Methods are the token_endpoint_auth_methods_supported; "none" when no wallet is registered.
func (d *Door) Methods() []string {
	var methods []string
	if len(d.config.Wallets) > 0 {
		methods = append(methods, "private_key_jwt")
	}
	if len(d.config.Attesters) > 0 {
		methods = append(methods, "attest_jwt_client_auth")
	}
	if methods == nil {
		methods = []string{"none"}
	}
	return methods
}

// Closed reports whether wallets have to authenticate: they have to once anybody is registered.
func (d *Door) Closed() bool { return len(d.config.Wallets)+len(d.config.Attesters) > 0 }

// Authenticate returns the client_id of the sender of a token request, "" for an anonymous one at an open door.
// Credentials that are shown have to be good at an open door too.
func (d *Door) Authenticate(form url.Values, header http.Header) (string, error) {
	assertion := form.Has("client_assertion") || form.Has("client_assertion_type")
	attestation := len(header.Values(attestationHeader))+len(header.Values(proofHeader)) > 0
	switch {
	case assertion && attestation:
		return "", fmt.Errorf("%w: there is more than one method", ErrClient) // RFC 6749 §2.3
	case assertion:
		return d.checkAssertion(form)
	case attestation:
		return d.checkAttestation(form, header)
	case d.Closed():
		return "", fmt.Errorf("%w: only wallets that are known come in", ErrClient)
	}
	return "", nil
}

// assertion are the claims of a client assertion.
type assertion struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  any    `json:"aud"`
	ID        string `json:"jti"`
	Issued    *int64 `json:"iat"`
	NotBefore *int64 `json:"nbf"`
	Expires   int64  `json:"exp"`
}

func (d *Door) checkAssertion(form url.Values) (string, error) {
	if form.Get("client_assertion_type") != assertionType {
		return "", fmt.Errorf("%w: client_assertion_type is not known", ErrClient)
	}
	claims, err := d.openAssertion(form.Get("client_assertion"))
	if err != nil {
		return "", err
	}
	now := d.config.Clock()
	switch {
	case claims.Issuer != claims.Subject:
		return "", fmt.Errorf("%w: iss is not sub", ErrClient)
	case form.Has("client_id") && form.Get("client_id") != claims.Subject: // RFC 7521 §4.2
		return "", fmt.Errorf("%w: client_id is another one than the assertion's", ErrClient)
	case claims.Audience != d.config.Issuer:
		// One string, and it is the issuer: who takes more can be played off against another server that does.
		return "", fmt.Errorf("%w: aud is not the issuer", ErrClient)
	case claims.Expires <= now.Unix() || claims.Expires > now.Add(longest+time.Minute).Unix():
		return "", fmt.Errorf("%w: exp is past or too far ahead", ErrClient)
	case claims.Issued != nil && !jose.Fresh(*claims.Issued, now, longest):
		return "", fmt.Errorf("%w: iat is too far from now", ErrClient)
	case claims.NotBefore != nil && *claims.NotBefore > now.Add(time.Minute).Unix():
		return "", fmt.Errorf("%w: nbf is ahead", ErrClient)
	case claims.ID == "" || len(claims.ID) > maxName:
		return "", fmt.Errorf("%w: jti is missing or too long", ErrClient)
	}
	if err := d.use("assertion", claims.Subject, claims.ID, ErrClient); err != nil {
		return "", err
	}
	return claims.Subject, nil
}

// openAssertion verifies the signature with a key of the wallet that the assertion names.
func (d *Door) openAssertion(compact string) (assertion, error) {
	for _, typ := range []string{"", "JWT", "client-authentication+jwt"} { // RFC 7523 does not say; its update does
		parsed, err := jose.ParseTyped(compact, typ)
		if err != nil {
			continue
		}
		for _, wallet := range d.config.Wallets {
			for _, key := range wallet.Keys.Usable(parsed.KeyID) {
				var claims assertion
				if parsed.Open(key, &claims) == nil && claims.Subject == wallet.ID {
					return claims, nil
				}
			}
		}
	}
	return assertion{}, fmt.Errorf("%w: no wallet that is registered signed the assertion", ErrClient)
}

// use takes a jti, once for each who signed it.
func (d *Door) use(kind, who, id string, refused error) error {
	sum := sha256.Sum256([]byte(who + "\x00" + id))
	name := kind + " " + base64.RawURLEncoding.EncodeToString(sum[:])
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.config.Clock()
	if forget, again := d.seen[name]; again && now.Before(forget) {
		return fmt.Errorf("%w: jti was used before", refused)
	}
	for old, forget := range d.seen {
		if !now.Before(forget) {
			delete(d.seen, old)
		}
	}
	if len(d.seen) >= capacity {
		return ErrFull
	}
	d.seen[name] = now.Add(2 * longest)
	return nil
}
