// Package dpop checks DPoP proofs (RFC 9449): the sender of a request holds the key that the access token is bound to.
// A proof is a JWT for one request, it carries a nonce of ours, and it works once.
package dpop

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"regain/conformance/jose"
	"regain/conformance/proofing/nonce"
)

// Header carries a proof, and NonceHeader the nonce for the next one.
const (
	Header      = "DPoP"
	NonceHeader = "DPoP-Nonce"
)

var (
	// ErrProof means invalid_dpop_proof (RFC 9449 §5).
	ErrProof = errors.New("unacceptable DPoP proof")
	// ErrNonce means use_dpop_nonce (RFC 9449 §8): the same with a nonce of ours would do.
	ErrNonce = errors.New("the DPoP proof needs a nonce from here")
	// ErrFull means that too many proofs are remembered.
	ErrFull = errors.New("too many DPoP proofs at once")
)

const (
	window   = time.Minute // iat may be this far from now
	capacity = 50_000      // proofs that are remembered
)

// Checker checks proofs. It is safe for concurrent use.
type Checker struct {
	nonces *nonce.Book
	clock  func() time.Time

	mu   sync.Mutex
	seen map[string]time.Time // key and jti → forget at
}

// New makes a checker with nonces of its own.
func New(random io.Reader, clock func() time.Time) (*Checker, error) {
	book, err := nonce.NewBook(random)
	if err != nil {
		return nil, err
	}
	return &Checker{nonces: book, clock: clock, seen: map[string]time.Time{}}, nil
}

// Present reports whether the request shows a proof, good or bad.
func Present(header http.Header) bool { return len(header.Values(Header)) > 0 }

// Nonce makes a nonce for NonceHeader. It is good for several proofs.
func (c *Checker) Nonce() (string, error) { return c.nonces.Issue(c.clock()) }

// Request is what a proof has to fit.
type Request struct {
	Method, URL string // of the endpoint as it is published, never as a Host header names it
	AccessToken string // where one is shown: the proof names its digest
}

// proof are the claims (RFC 9449 §4.2).
type proof struct {
	ID     string `json:"jti"`
	Method string `json:"htm"`
	URL    string `json:"htu"`
	Issued *int64 `json:"iat"`
	Token  string `json:"ath"`
	Nonce  string `json:"nonce"`
}

// Check verifies the proof of a request, uses it up, and returns the thumbprint of its key (RFC 7638, base64url). The
// jti is remembered under the key and only when all else was right, so that a stranger cannot use up another's.
func (c *Checker) Check(header http.Header, request Request) (string, error) {
	shown := header.Values(Header)
	if len(shown) != 1 {
		return "", fmt.Errorf("%w: there has to be one", ErrProof)
	}
	parsed, err := jose.ParseTyped(shown[0], "dpop+jwt")
	if err != nil {
		return "", fmt.Errorf("%w: not a dpop+jwt signed with ES256", ErrProof)
	}
	key := parsed.Key
	if !jose.IsP256(key) {
		return "", fmt.Errorf("%w: jwk is no public P-256 key", ErrProof)
	}
	var p proof
	if err := parsed.Open(key.Key, &p); err != nil {
		return "", fmt.Errorf("%w: signature or claims cannot be verified", ErrProof)
	}
	now := c.clock()
	if err := p.fits(request, now); err != nil {
		return "", fmt.Errorf("%w: %w", ErrProof, err)
	}
	if !c.nonces.Valid(p.Nonce, now) {
		return "", ErrNonce
	}
	thumbprint, err := Thumbprint(*key)
	if err != nil {
		return "", err
	}
	return thumbprint, c.use(thumbprint+" "+p.ID, now)
}

func (p proof) fits(r Request, now time.Time) error {
	switch {
	case p.ID == "" || len(p.ID) > 256:
		return errors.New("jti is missing or too long")
	case p.Method != r.Method:
		return errors.New("htm is another method")
	case !sameURL(p.URL, r.URL):
		return errors.New("htu is another URL")
	case p.Issued == nil || !jose.Fresh(*p.Issued, now, window):
		return errors.New("iat is missing or too far from now")
	case r.AccessToken == "" && p.Token != "":
		return errors.New("ath is for a token that is not there")
	case r.AccessToken != "" && subtle.ConstantTimeCompare([]byte(p.Token), []byte(digest(r.AccessToken))) == 0:
		return errors.New("ath is of another token")
	}
	return nil
}

func (c *Checker) use(id string, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if forget, again := c.seen[id]; again && now.Before(forget) {
		return fmt.Errorf("%w: it was used before", ErrProof)
	}
	for old, forget := range c.seen {
		if !now.Before(forget) {
			delete(c.seen, old)
		}
	}
	if len(c.seen) >= capacity {
		return ErrFull
	}
	c.seen[id] = now.Add(3 * window) // iat may lie ahead too
	return nil
}

// Thumbprint names a key (RFC 9449 §6.1).
func Thumbprint(key jose.JWK) (string, error) {
	raw, err := key.Thumbprint()
	if err != nil {
		return "", fmt.Errorf("naming a DPoP key: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// sameURL compares without query and fragment (RFC 9449 §4.3). What a wallet wrote in another case or with the default
// port is not ours: the metadata has the URL as it must be used.
func sameURL(shown, published string) bool {
	u, err := url.Parse(shown)
	if err != nil {
		return false
	}
	u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = "", false, "", ""
	return u.String() == published
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
