package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// RequestType is the typ of a signed request object (RFC 9101 §10.8, OpenID4VP 1.0 §5).
const RequestType = "oauth-authz-req+jwt"

// Prefix says how a wallet knows whose request it is (OpenID4VP 1.0 §5.9.3).
type Prefix string

// The prefixes that this package makes identities of. None is a client_id that was registered beforehand (§5.9.2).
const (
	None          Prefix = ""
	X509HashOf    Prefix = "x509_hash"
	X509SANDNSOf  Prefix = "x509_san_dns"
	RedirectURIOf Prefix = "redirect_uri"
	DIDOf         Prefix = "decentralized_identifier"
	AttestedOf    Prefix = "verifier_attestation"
)

// reserved are all prefixes of the specification: a registered client_id must not look like one of them (§5.9.2).
func reserved() []Prefix {
	return []Prefix{X509HashOf, X509SANDNSOf, RedirectURIOf, DIDOf, AttestedOf, "openid_federation", "origin"}
}

// Identity is who we are to one kind of wallet. It is safe for concurrent use, if its key is.
type Identity struct {
	prefix   Prefix
	clientID string   // "" where it depends on the request
	host     string   // the only one that answers may go to; "" for any
	allowed  []string // the only URIs that answers may go to; none for any
	key      jose.OpaqueSigner
	header   map[string]any // the protected header of what is signed
	encoded  string         // header, encoded once: x5c makes it two kilobytes
	from, to time.Time      // when it can be used; zero for always
}

// Prefix returns how wallets know this identity.
func (i *Identity) Prefix() Prefix { return i.prefix }

// ClientID is the client_id with its prefix, for a request whose answer goes to responseURI.
func (i *Identity) ClientID(responseURI string) string {
	if i.prefix == RedirectURIOf {
		return string(RedirectURIOf) + ":" + responseURI
	}
	return i.clientID
}

// Signs reports whether requests of this identity are signed.
func (i *Identity) Signs() bool { return i.key != nil }

// Takes reports whether answers to this identity may go to responseURI: x509_san_dns binds them to the host that the
// client_id names (OpenID4VP 1.0 §5.9.3), an attestation may list the URIs (§12).
func (i *Identity) Takes(responseURI string) bool {
	u, err := url.Parse(responseURI)
	if err != nil || i.host != "" && u.Hostname() != i.host {
		return false
	}
	return len(i.allowed) == 0 || slices.Contains(i.allowed, responseURI)
}

// NotAfter is when the identity ends: its certificate's or attestation's last moment. Zero for never.
func (i *Identity) NotAfter() time.Time { return i.to }

// ErrNotValid means that the identity cannot be used at this time.
var ErrNotValid = errors.New("the verifier's certificate or attestation is not valid now")

// Usable returns ErrNotValid before the identity's first and after its last moment.
func (i *Identity) Usable(now time.Time) error {
	if !i.to.IsZero() && (now.Before(i.from) || now.After(i.to)) {
		return ErrNotValid
	}
	return nil
}

// Sign makes a compact JWS (RFC 7515 §7.1) of a request's payload.
//
// It is put together here, and not by go-jose's Signer, because that one encodes the header with its certificates anew
// each time, which costs as much as the signature; the signature itself is go-jose's.
func (i *Identity) Sign(payload []byte) ([]byte, error) {
	const signatureSize = 64 // ES256: r and s (RFC 7518 §3.4)
	if !i.Signs() {
		return nil, errors.New("this identity signs nothing")
	}
	size := len(i.encoded) + 2 + base64.RawURLEncoding.EncodedLen(len(payload)) + base64.RawURLEncoding.EncodedLen(signatureSize)
	object := make([]byte, 0, size)
	object = append(append(object, i.encoded...), '.')
	object = base64.RawURLEncoding.AppendEncode(object, payload)
	signature, err := i.key.SignPayload(object, jose.ES256)
	if err != nil {
		return nil, fmt.Errorf("signing a request: %w", err)
	}
	return base64.RawURLEncoding.AppendEncode(append(object, '.'), signature), nil
}

// Signature is one of several over the same payload (RFC 7515 §7.2.1).
type Signature struct {
	Protected string `json:"protected"`
	Signature string `json:"signature"`
}

// SignOneOf signs a payload that others sign too. What differs from signer to signer, the client_id and verifier_info
// (nil for none), stands in the protected header then, since the payload is everybody's (OpenID4VP 1.0 Appendix A.3.2).
// encodedPayload is base64url.
func (i *Identity) SignOneOf(encodedPayload string, verifierInfo json.RawMessage) (Signature, error) {
	if !i.Signs() {
		return Signature{}, errors.New("this identity signs nothing")
	}
	header := maps.Clone(i.header)
	header["client_id"] = i.clientID
	if verifierInfo != nil {
		header["verifier_info"] = verifierInfo
	}
	protected, err := encodeHeader(header)
	if err != nil {
		return Signature{}, err
	}
	signature, err := i.key.SignPayload([]byte(protected+"."+encodedPayload), jose.ES256)
	if err != nil {
		return Signature{}, fmt.Errorf("signing a request: %w", err)
	}
	return Signature{Protected: protected, Signature: encode(signature)}, nil
}

// signed completes an identity that signs: with this key, and a header that says where its public part is found.
func (i *Identity) signed(key crypto.Signer, header map[string]any) (*Identity, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	i.key = cryptosigner.Opaque(key)
	i.header = map[string]any{"alg": string(jose.ES256), "typ": RequestType}
	maps.Copy(i.header, header)
	var err error
	i.encoded, err = encodeHeader(i.header)
	return i, err
}

func encodeHeader(header map[string]any) (string, error) {
	raw, err := json.Marshal(header)
	if err != nil {
		return "", fmt.Errorf("encoding the request header: %w", err)
	}
	return encode(raw), nil
}

// checkKey wants a key for ES256, which may live in an HSM.
func checkKey(key crypto.Signer) error {
	if key == nil {
		return errors.New("there is no key")
	}
	public, ok := key.Public().(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return errors.New("its key is not on P-256, which ES256 needs")
	}
	return nil
}

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// plain reports whether text can stand in a client_id as it is: visible ASCII and nothing that ends a JSON text.
func plain(text string) bool {
	const longest = 512
	return text != "" && len(text) <= longest && !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' })
}
