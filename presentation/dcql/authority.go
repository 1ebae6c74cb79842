package dcql

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"regain/internal/publickey"
)

// The types of a [TrustedAuthority] (OpenID4VP 1.0 §6.1.1).
const (
	AuthorityKey        = "aki"               // base64url KeyIdentifier (RFC 5280 §4.2.1.1) of a certificate in the issuer's chain
	AuthorityETSI       = "etsi_tl"           // trusted list (ETSI TS 119 612) that leads to the issuer's chain
	AuthorityFederation = "openid_federation" // entity identifier in the issuer's OpenID Federation trust chain
)

// TrustedAuthority names the authorities that accepted issuers are certified by (OpenID4VP 1.0 §6.1.1). It is a hint,
// so that the wallet does not present a credential that would be refused. It is no check of trust: package verifier
// decides which issuers are trusted.
type TrustedAuthority struct {
	Type   string   `json:"type"`
	Values []string `json:"values"`
}

// AuthorityKeyIDs returns the authority key identifiers of a chain of DER certificates, encoded as for [AuthorityKey].
// It is nil if the chain is empty.
func AuthorityKeyIDs(chain [][]byte) []string {
	if len(chain) == 0 {
		return nil
	}
	ids := []string{}
	for _, der := range chain {
		// A certificate that cannot be parsed matches no identifier.
		if c, err := publickey.ParseCertificate(der); err == nil && len(c.AuthorityKeyId) > 0 {
			ids = append(ids, base64.RawURLEncoding.EncodeToString(c.AuthorityKeyId))
		}
	}
	return ids
}

func authorities(list []TrustedAuthority) error {
	if list == nil {
		return nil
	}
	if err := count("trusted_authorities", len(list)); err != nil {
		return err
	}
	for _, a := range list {
		if err := a.validate(); err != nil {
			return fmt.Errorf("trusted_authorities: %w", err)
		}
	}
	return nil
}

func (a TrustedAuthority) validate() error {
	if err := texts("values", a.Values); err != nil {
		return err
	}
	switch a.Type {
	case AuthorityETSI, AuthorityFederation:
		return nil
	case AuthorityKey:
		for _, v := range a.Values {
			if _, err := base64.RawURLEncoding.DecodeString(v); err != nil {
				return errors.New("an aki is no base64url")
			}
		}
		return nil
	}
	return fmt.Errorf("type %q is not known", a.Type)
}

// authorityNote returns a note if a presentation is from none of the trusted authorities, as far as that is known. It
// is not a mismatch: trusted_authorities is only a SHOULD for the wallet, and the verifier decides about issuers itself
// (OpenID4VP 1.0 §6.1, §6.1.1).
func (c Credential) authorityNote(p Presentation) (Finding, bool) {
	if len(c.TrustedAuthorities) == 0 {
		return Finding{}, false
	}
	note := Finding{Rule: RuleTrustedAuthorities, Expected: "an issuer under one of the authorities named", Found: "another"}
	for _, a := range c.TrustedAuthorities {
		if a.Type != AuthorityKey || p.AuthorityKeyIDs == nil {
			note.Found = "not known"
			continue
		}
		if slices.ContainsFunc(a.Values, func(v string) bool { return slices.Contains(p.AuthorityKeyIDs, v) }) {
			return Finding{}, false
		}
	}
	return note, true
}
