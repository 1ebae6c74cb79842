package identity

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// Prefix is a Client Identifier Prefix: how a wallet authenticates the verifier (OpenID4VP 1.0 §5.9.3).
type Prefix string

// The supported prefixes. None stands for a pre-registered client_id, which has no prefix (OpenID4VP 1.0 §5.9.2).
const (
	None          Prefix = ""
	X509HashOf    Prefix = "x509_hash"
	X509SANDNSOf  Prefix = "x509_san_dns"
	RedirectURIOf Prefix = "redirect_uri"
	DIDOf         Prefix = "decentralized_identifier"
	AttestedOf    Prefix = "verifier_attestation"
)

// reserved returns all prefixes of OpenID4VP 1.0 §5.9.3. A pre-registered client_id must not begin with one of them
// (OpenID4VP 1.0 §5.9.2).
func reserved() []Prefix {
	return []Prefix{X509HashOf, X509SANDNSOf, RedirectURIOf, DIDOf, AttestedOf, "openid_federation", "origin"}
}

// Identity is our client identifier towards one kind of wallet. It is safe for concurrent use, if its key is.
type Identity struct {
	prefix   Prefix
	clientID string   // "" for redirect_uri, where it depends on the request
	host     string   // the only host of a response URI; "" for any
	allowed  []string // the only response URIs; nil for any
	key      jose.OpaqueSigner
	header   map[string]any // the protected header of what is signed
	encoded  string         // header, encoded once: with x5c it has about two kilobytes
	from, to time.Time      // the first and the last moment of its validity; zero for no bound
}

// Prefix returns the prefix of the client_id.
func (i *Identity) Prefix() Prefix { return i.prefix }

// ClientID returns the client_id with its prefix, for a request with this response URI.
func (i *Identity) ClientID(responseURI string) string {
	if i.prefix == RedirectURIOf {
		return string(RedirectURIOf) + ":" + responseURI
	}
	return i.clientID
}

// CheckResponseURI returns an error for a response URI that wallets refuse for this identity: x509_san_dns requires the
// host in the client_id (OpenID4VP 1.0 §5.9.3), and an attestation may list the allowed URIs, which wallets compare
// character by character (OpenID4VP 1.0 §12).
func (i *Identity) CheckResponseURI(responseURI string) error {
	u, err := url.Parse(responseURI)
	switch {
	case err != nil:
		return errors.New("it is not a URL")
	case i.host != "" && u.Hostname() != i.host:
		return fmt.Errorf("its host is not %s, which the client_id names (OpenID4VP 1.0 §5.9.3)", i.host)
	case len(i.allowed) > 0 && !slices.Contains(i.allowed, responseURI):
		return errors.New("the attestation's redirect_uris do not list it (OpenID4VP 1.0 §12); ask for an attestation without them, since it is another for each request")
	}
	return nil
}

// NotAfter returns the last moment at which the certificate or attestation is valid. Zero for no end.
func (i *Identity) NotAfter() time.Time { return i.to }

// ErrNotValid means that the identity's certificate or attestation has expired or is not valid yet.
var ErrNotValid = errors.New("the verifier's certificate or attestation is not valid now")

// Usable returns ErrNotValid before the identity's first and after its last moment.
func (i *Identity) Usable(now time.Time) error {
	if !i.to.IsZero() && (now.Before(i.from) || now.After(i.to)) {
		return ErrNotValid
	}
	return nil
}

// plain reports whether text can be a part of a client_id: visible ASCII, and no character that JSON escapes.
func plain(text string) bool {
	const longest = 512
	return text != "" && len(text) <= longest && !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' })
}
