package domain

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
)

const clockSkew = time.Minute

// linkage is a Domain Linkage Credential as a JWT.
type linkage struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	NotBefore *float64 `json:"nbf"`
	Expires   *float64 `json:"exp"`
	VC        struct {
		Context        []string `json:"@context"`
		ID             *string  `json:"id"`
		Type           []string `json:"type"`
		Issuer         string   `json:"issuer"`
		IssuanceDate   string   `json:"issuanceDate"`
		ExpirationDate string   `json:"expirationDate"`
		Subject        struct {
			ID     string `json:"id"`
			Origin string `json:"origin"`
		} `json:"credentialSubject"`
	} `json:"vc"`
}

// verifyLinkage checks the credential as the specification has it (JSON Web Token Proof Format,
// and DID Configuration Resource Verification).
func (v Verifier) verifyLinkage(ctx context.Context, credential, id, endpoint string) error {
	token, err := jose.Parse(credential)
	if err != nil {
		return err
	}
	slices.Sort(token.Members)
	if !slices.Equal(token.Members, []string{"alg", "kid"}) {
		return errors.New("its header has other members than alg and kid")
	}
	signed, err := v.Resolver.Verify(ctx, token)
	if err != nil {
		return err
	}
	if !signed.Document.Asserts(signed.KeyName) {
		return errors.New("its key is not for assertions")
	}
	var all map[string]json.RawMessage
	var l linkage
	if json.Unmarshal(signed.Payload, &all) != nil || json.Unmarshal(signed.Payload, &l) != nil {
		return errors.New("its claims are not the JSON expected")
	}
	for name := range all {
		if !slices.Contains([]string{"iss", "sub", "nbf", "exp", "vc"}, name) {
			return errors.New("it has other claims than iss, sub, nbf, exp and vc")
		}
	}
	switch {
	case signed.DID != id || l.Issuer != id || l.Subject != id || l.VC.Issuer != id || l.VC.Subject.ID != id:
		return errors.New("it is not by and about the verifier's DID throughout")
	case !strings.EqualFold(l.VC.Subject.Origin, endpoint): // to the last slash, in the Android library
		return errors.New("its origin is not the one that the DID document links")
	case !slices.Contains(l.VC.Type, "DomainLinkageCredential") || len(l.VC.Context) == 0 || l.VC.ID != nil:
		return errors.New("it is not a DomainLinkageCredential, or has no @context, or an id")
	}
	return l.checkTimes(v.Clock())
}

func (l linkage) checkTimes(now time.Time) error {
	from, errFrom := time.Parse(time.RFC3339, l.VC.IssuanceDate)
	until, errUntil := time.Parse(time.RFC3339, l.VC.ExpirationDate)
	if errFrom != nil || errUntil != nil || l.NotBefore == nil {
		return errors.New("it has no nbf, issuanceDate or expirationDate")
	}
	if from.After(now.Add(clockSkew)) || unix(*l.NotBefore).After(now.Add(clockSkew)) {
		return errors.New("it is not valid yet")
	}
	if !now.Before(until) || l.Expires != nil && !now.Before(unix(*l.Expires)) {
		return errors.New("it has expired")
	}
	return nil
}

func unix(seconds float64) time.Time { return time.Unix(int64(seconds), 0) }
