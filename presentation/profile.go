package presentation

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"regain/presentation/dcql"
	"regain/presentation/identity"
)

// Profile describes how to make requests for one kind of wallet. The operator configures it; [Profile.Validate] finds
// settings that cannot work.
type Profile struct {
	// HAIP refuses everything that the High Assurance Interoperability Profile 1.0 forbids.
	HAIP bool
	// Endpoint is the authorization endpoint of these wallets: openid4vp://, haip-vp://, or an https URL.
	Endpoint string
	Identity *identity.Identity
	// ByValue puts the whole request into the link instead of a request_uri.
	ByValue bool
	// FetchByGet makes the wallet fetch the request object by GET. By POST it can send a nonce and its metadata
	// (OpenID4VP 1.0 §5.10).
	FetchByGet   bool
	ResponseMode ResponseMode // DirectPost or DirectPostJWT
	// Protocols are the protocols of the Digital Credentials API that the page offers, the preferred one first. Without
	// any the API is not used. The response is encrypted if ResponseMode is.
	Protocols []Protocol
	// VerifierInfo is a JSON array of attestations about Identity (OpenID4VP 1.0 §5.11), such as a registration
	// certificate; nil for none.
	VerifierInfo json.RawMessage
	// Others sign multi-signed requests in addition to Identity, for wallets that know us by another client_id.
	Others []Signer
}

// Signer is a signer of a multi-signed request. Attestations about one signer say nothing about another, so each has
// its own verifier_info (OpenID4VP 1.0 Appendix A.3.2).
type Signer struct {
	Identity     *identity.Identity
	VerifierInfo json.RawMessage
}

func (p Profile) signers() []Signer {
	return append([]Signer{{p.Identity, p.VerifierInfo}}, p.Others...)
}

// registered reports whether the client_id is pre-registered with the wallets. Such wallets know our metadata, and
// refuse a request with client_metadata as invalid_client (OpenID4VP 1.0 §8.5).
func (p Profile) registered() bool { return p.Identity.Prefix() == identity.None }

// clientID returns the client_id of a request in this mode. An unsigned request through the Digital Credentials API has
// none: the browser attests the origin (OpenID4VP 1.0 Appendix A.2).
func (p Profile) clientID(mode ResponseMode, responseURI string) string {
	if mode.Browser() && !p.Identity.Signs() {
		return ""
	}
	return p.Identity.ClientID(responseURI)
}

// Validate returns an error for the first setting that no wallet would accept, or that HAIP 1.0 forbids.
func (p Profile) Validate() error {
	if p.Identity == nil {
		return errors.New("client_id_prefix is required: it tells the wallet how to authenticate this verifier")
	}
	if p.ResponseMode != DirectPost && p.ResponseMode != DirectPostJWT {
		return fmt.Errorf("response_mode %q: use %s or %s", p.ResponseMode, DirectPostJWT, DirectPost)
	}
	if err := CheckEndpoint(p.Endpoint); err != nil {
		return fmt.Errorf("authorization_endpoint %q: %w", p.Endpoint, err)
	}
	for _, check := range []func(Profile) error{validateIdentity, validateProtocols, validateOthers, validateHAIP} {
		if err := check(p); err != nil {
			return err
		}
	}
	return validateInfo(p.VerifierInfo)
}

func validateIdentity(p Profile) error {
	switch {
	case p.Identity.Prefix() == identity.RedirectURIOf && !p.ByValue:
		return errors.New("client_id_prefix redirect_uri: there is no signature to fetch, so use by_value (OpenID4VP 1.0 §5.9.3)")
	case p.registered() && p.ResponseMode.Encrypted():
		// OpenID4VP 1.0 §5.1: a wallet that knows the client must not get client_metadata, which would carry the key.
		return errors.New("response_mode: a pre-registered client_id cannot send the key of one request, so use direct_post")
	case !p.Identity.Signs() && !p.ByValue:
		return errors.New("client_id_prefix: without a key there is no signature to fetch, so use by_value")
	}
	return nil
}

func validateProtocols(p Profile) error {
	for i, protocol := range p.Protocols {
		switch {
		case slices.Contains(p.Protocols[:i], protocol):
			return fmt.Errorf("digital_credentials: %s stands twice", protocol)
		case protocol == Unsigned:
		case protocol == Signed, protocol == MultiSigned:
			if !p.Identity.Signs() {
				return fmt.Errorf("digital_credentials: %s needs a client_id_prefix that signs", protocol)
			}
		default:
			return fmt.Errorf("digital_credentials: %q is not one of %s, %s and %s", protocol, Unsigned, Signed, MultiSigned)
		}
	}
	return nil
}

func validateOthers(p Profile) error {
	if !slices.Contains(p.Protocols, MultiSigned) {
		if len(p.Others) > 0 {
			return fmt.Errorf("digital_credentials: others sign %s only, and it is not offered", MultiSigned)
		}
		return nil
	}
	var known []string
	for _, s := range p.signers() {
		switch {
		case s.Identity == nil || !s.Identity.Signs():
			return fmt.Errorf("digital_credentials: every signer of %s needs a client_id_prefix that signs", MultiSigned)
		case s.Identity.Prefix() == identity.None:
			// All signers share the client_metadata, which a wallet that knows the client refuses (OpenID4VP 1.0 §8.5).
			return fmt.Errorf("digital_credentials: a pre-registered client_id cannot sign %s", MultiSigned)
		case slices.Contains(known, s.Identity.ClientID("")):
			return fmt.Errorf("digital_credentials: %s would sign twice", s.Identity.ClientID(""))
		}
		if err := validateInfo(s.VerifierInfo); err != nil {
			return err
		}
		known = append(known, s.Identity.ClientID(""))
	}
	return nil
}

func (p Profile) checkResponseURI(responseURI string) error {
	if err := checkURI(responseURI); err != nil {
		return fmt.Errorf("response_uri: %w", err)
	}
	if err := p.Identity.CheckResponseURI(responseURI); err != nil {
		return fmt.Errorf("response_uri: %w", err)
	}
	return nil
}

func (p Profile) checkOrigin(origin string) error {
	if len(p.Protocols) == 0 {
		return errors.New("digital_credentials: this profile does not use the Digital Credentials API")
	}
	if err := checkOrigin(origin); err != nil {
		return fmt.Errorf("origin: %w", err)
	}
	return nil
}

// ValidateQuery returns an error for a query that wallets of this profile cannot answer.
func (p Profile) ValidateQuery(q dcql.Query) error {
	if err := q.Validate(); err != nil {
		return err
	}
	for _, s := range p.signers() {
		if err := infoMatches(s.VerifierInfo, q); err != nil {
			return err
		}
	}
	return p.validateHAIPQuery(q)
}
