package authenticator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/did"
	"regain/conformance/jose"
)

// ErrCredential reports a JWT VC that the wallet does not keep.
var ErrCredential = errors.New("credential not usable")

const (
	credentialsV1 = "https://www.w3.org/2018/credentials/v1"
	genericType   = "VerifiableCredential"
	clockSkew     = time.Minute
)

// Source says where a credential came from: what its issuer offers beside it. All members may be
// empty.
type Source struct {
	Name         string // of the kind of credential, for the card
	Issuer       string // credential issuer identifier: audience of a Face Check's presentation
	FaceCheckURL string // where a Face Check is taken
	NonceURL     string // where a c_nonce for it comes from
}

// Import puts a JWT VC into the wallet that was issued to its DID. What is not right about it is
// said by an error that is ErrCredential.
func (w *Wallet) Import(ctx context.Context, vc string, from Source) (Credential, error) {
	c, err := w.inspect(ctx, vc)
	if err != nil {
		return Credential{}, fmt.Errorf("importing a credential: %w", err)
	}
	if from.Name != "" {
		c.Name = from.Name
	}
	w.store.Put(&holding{Credential: c, from: from})
	w.cfg.Logger.InfoContext(ctx, "credential added", "credential", c)
	return c, nil
}

// vcClaims are the claims that the profile and the Android library need to be there.
type vcClaims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	ID        string   `json:"jti"`
	IssuedAt  *float64 `json:"iat"`
	NotBefore *float64 `json:"nbf"`
	Expires   *float64 `json:"exp"`
	VC        struct {
		Context []string       `json:"@context"`
		Type    []string       `json:"type"`
		Subject map[string]any `json:"credentialSubject"`
	} `json:"vc"`
}

// inspect verifies a JWT VC: its issuer's signature, that it is about the holder, and that now is
// within its time.
func (w *Wallet) inspect(ctx context.Context, vc string) (Credential, error) {
	token, err := jose.Parse(vc)
	if err != nil {
		return Credential{}, fmt.Errorf("%w: %w", ErrCredential, err)
	}
	if token.Type != "" && token.Type != "JWT" {
		return Credential{}, fmt.Errorf("%w: its typ is not JWT", ErrCredential)
	}
	signed, err := w.resolver.Verify(ctx, token)
	if err != nil {
		return Credential{}, fmt.Errorf("%w: %w", ErrCredential, err)
	}
	var claims vcClaims
	var all map[string]any
	if json.Unmarshal(signed.Payload, &claims) != nil || json.Unmarshal(signed.Payload, &all) != nil {
		return Credential{}, fmt.Errorf("%w: its claims are not the JSON expected", ErrCredential)
	}
	if err := claims.check(w, signed); err != nil {
		return Credential{}, fmt.Errorf("%w: %w", ErrCredential, err)
	}
	id, err := w.text(12)
	if err != nil {
		return Credential{}, err
	}
	kind := claims.VC.Type[len(claims.VC.Type)-1]
	c := Credential{
		ID: id, Type: kind, Name: kind, Issuer: claims.Issuer, JTI: claims.ID, Issued: unix(*claims.NotBefore),
		raw: vc, algorithm: signed.Algorithm, types: claims.VC.Type, claims: all,
	}
	if claims.Expires != nil {
		c.Expires = unix(*claims.Expires)
	}
	return c, nil
}

func (c vcClaims) check(w *Wallet, signed did.Signed) error {
	now := w.cfg.Clock()
	about, named := c.VC.Subject["id"]
	switch {
	case c.Issuer != signed.DID:
		return errors.New("the DID in its kid is not its iss")
	case w.cfg.Issuers != nil && !slices.Contains(w.cfg.Issuers, c.Issuer):
		return errors.New("its issuer is not one that may issue")
	case c.Subject != w.holder.DID || named && about != c.Subject:
		return errors.New("it is about somebody else")
	case c.ID == "" || c.IssuedAt == nil || c.NotBefore == nil:
		return errors.New("it has no jti, iat or nbf")
	case len(c.VC.Context) == 0 || c.VC.Context[0] != credentialsV1:
		return errors.New("its @context is not that of the data model 1.1")
	case len(c.VC.Type) < 2 || !slices.Contains(c.VC.Type, genericType) || c.VC.Type[len(c.VC.Type)-1] == genericType:
		return errors.New("its type is not VerifiableCredential and one of its own")
	case c.VC.Subject == nil:
		return errors.New("it has no credentialSubject")
	case unix(*c.NotBefore).After(now.Add(clockSkew)):
		return errors.New("it is not valid yet")
	case c.Expires != nil && !now.Before(unix(*c.Expires)):
		return errors.New("it has expired already")
	}
	return nil
}

func unix(seconds float64) time.Time { return time.Unix(int64(seconds), 0) }

// shownName is what a person is shown of a DID: the host of a did:web, else the method.
func shownName(id string) string {
	if name, ok := strings.CutPrefix(id, "did:web:"); ok {
		host, _, _ := strings.Cut(name, ":")
		return strings.ReplaceAll(host, "%3A", ":")
	}
	parts := strings.SplitN(id, ":", 3)
	return strings.Join(parts[:min(2, len(parts))], ":")
}
