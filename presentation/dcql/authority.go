package dcql

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"regain/internal/publickey"
)

// How a [TrustedAuthority] names what certifies an issuer.
const (
	AuthorityKey        = "aki"               // base64url KeyIdentifiers (RFC 5280 §4.2.1.1) of which the issuer's chain has one
	AuthorityETSI       = "etsi_tl"           // trusted lists (ETSI TS 119 612) that lead to the issuer's chain
	AuthorityFederation = "openid_federation" // entity identifiers that the issuer's trust chain leads to
)

// TrustedAuthority names issuers by what certifies them (§6.1.1). It saves the wallet from showing what would be
// refused anyway, and proves nothing: whoever verified the credential has decided about its issuer.
type TrustedAuthority struct {
	Type   string   `json:"type"`
	Values []string `json:"values"`
}

// AuthorityKeyIDs lists the authority key identifiers of a chain of DER certificates, as [AuthorityKey] writes them. It
// is nil where there is no chain.
func AuthorityKeyIDs(chain [][]byte) []string {
	if len(chain) == 0 {
		return nil
	}
	ids := []string{}
	for _, der := range chain {
		// One that cannot be read has no identifier that anyone could have meant.
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

// stranger reports, as a note, that a presentation comes from none of the authorities named, as far as that is known.
// It is no mismatch: §6.1 says SHOULD to the wallet, and the verifier must judge issuers by itself.
func (c Credential) stranger(p Presentation) (Finding, bool) {
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
