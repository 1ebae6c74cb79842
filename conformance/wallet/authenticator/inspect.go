package authenticator

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/did"
	"regain/conformance/jose"
)

const (
	credentialsV1 = "https://www.w3.org/2018/credentials/v1"
	genericType   = "VerifiableCredential"
	clockSkew     = time.Minute
)

// inspector checks credentials before the wallet keeps them.
type inspector struct {
	resolver did.Resolver
	issuers  []string // DIDs of who may issue; nil takes every issuer
	holder   string   // the DID that a credential has to be about
	clock    func() time.Time
	random   io.Reader // names
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
func (i inspector) inspect(ctx context.Context, vc string) (Credential, error) {
	token, err := jose.Parse(vc)
	if err != nil {
		return Credential{}, fmt.Errorf("%w: %w", ErrCredential, err)
	}
	if token.Type != "" && token.Type != "JWT" {
		return Credential{}, fmt.Errorf("%w: its typ is not JWT", ErrCredential)
	}
	signed, err := i.resolver.Verify(ctx, token)
	if err != nil {
		return Credential{}, fmt.Errorf("%w: %w", ErrCredential, err)
	}
	var claims vcClaims
	var all map[string]any
	if json.Unmarshal(signed.Payload, &claims) != nil || json.Unmarshal(signed.Payload, &all) != nil {
		return Credential{}, fmt.Errorf("%w: its claims are not the JSON expected", ErrCredential)
	}
	if err := i.check(claims, signed); err != nil {
		return Credential{}, fmt.Errorf("%w: %w", ErrCredential, err)
	}
	id, err := i.name()
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

func (i inspector) check(c vcClaims, signed did.Signed) error {
	now := i.clock()
	about, named := c.VC.Subject["id"]
	switch {
	case c.Issuer != signed.DID:
		return errors.New("the DID in its kid is not its iss")
	case i.issuers != nil && !slices.Contains(i.issuers, c.Issuer):
		return errors.New("its issuer is not one that may issue")
	case c.Subject != i.holder || named && about != c.Subject:
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

// name draws what the wallet calls a credential.
func (i inspector) name() (string, error) {
	var raw [12]byte
	if _, err := io.ReadFull(i.random, raw[:]); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
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
