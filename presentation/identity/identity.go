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
	from, to time.Time      // the first and the last moment of its use; zero for no bound
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

// CheckResponseURI refuses a URI that a wallet would send no answer of this identity to: x509_san_dns binds answers to the
// host that the client_id names (OpenID4VP 1.0 §5.9.3), and an attestation may list the URIs, which wallets compare
// character by character (§12).
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

// plain reports whether text can stand in a client_id as it is: visible ASCII and nothing that ends a JSON text.
func plain(text string) bool {
	const longest = 512
	return text != "" && len(text) <= longest && !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' || c == '"' || c == '\\' })
}
