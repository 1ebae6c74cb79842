package presentation

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"regain/presentation/dcql"
	"regain/presentation/identity"
)

// Profile is how one kind of wallet is spoken to. It is the operator's policy; [Profile.Validate] says what cannot work.
type Profile struct {
	// HAIP refuses whatever the High Assurance Interoperability Profile 1.0 forbids.
	HAIP bool
	// Endpoint is where these wallets listen: openid4vp://, haip-vp://, or an https URL.
	Endpoint string
	Identity *identity.Identity
	// ByValue puts the whole request into the link, instead of a request_uri that the wallet fetches from.
	ByValue bool
	// FetchByGet has the wallet fetch by GET; one that fetches by POST can send a nonce of its own (§5.10).
	FetchByGet   bool
	ResponseMode ResponseMode // DirectPost or DirectPostJWT
	// Protocols are those of the Digital Credentials API that the browser is offered, the preferred first; none: it is
	// not used. The answer is encrypted if that of ResponseMode is.
	Protocols []Protocol
	// VerifierInfo is a JSON array of attestations about Identity (§5.11), such as a registration certificate; nil for none.
	VerifierInfo json.RawMessage
	// Others sign multi-signed requests beside Identity, for wallets that know us under another name.
	Others []Signer
}

// Signer is one of those who sign a multi-signed request. What is attested about one says nothing about another, so each
// has a verifier_info of its own (OpenID4VP 1.0 Appendix A.3.2).
type Signer struct {
	Identity     *identity.Identity
	VerifierInfo json.RawMessage
}

// signers are all who sign a multi-signed request.
func (p Profile) signers() []Signer {
	return append([]Signer{{p.Identity, p.VerifierInfo}}, p.Others...)
}

// registered reports whether wallets know our metadata from their maker: they refuse a request that has client_metadata
// too, with invalid_client (§8.5).
func (p Profile) registered() bool { return p.Identity.Prefix() == identity.None }

// clientID says who asks in a request of this mode. Where nobody signs, the browser vouches for the origin and there is no
// client_id (Appendix A.2).
func (p Profile) clientID(mode ResponseMode, responseURI string) string {
	if mode.Browser() && !p.Identity.Signs() {
		return ""
	}
	return p.Identity.ClientID(responseURI)
}

// Validate reports the first thing that no wallet would accept, or that HAIP 1.0 forbids.
func (p Profile) Validate() error {
	if p.Identity == nil {
		return errors.New("client_id_prefix: a wallet has to know who asks")
	}
	if p.ResponseMode != DirectPost && p.ResponseMode != DirectPostJWT {
		return fmt.Errorf("response_mode %q: use %s or %s", p.ResponseMode, DirectPostJWT, DirectPost)
	}
	if err := CheckEndpoint(p.Endpoint); err != nil {
		return fmt.Errorf("authorization_endpoint %q: %w", p.Endpoint, err)
	}
	for _, check := range []func() error{p.validateIdentity, p.validateProtocols, p.validateOthers, p.validateHAIP} {
		if err := check(); err != nil {
			return err
		}
	}
	return validateInfo(p.VerifierInfo)
}

func (p Profile) validateIdentity() error {
	switch {
	case p.Identity.Prefix() == identity.RedirectURIOf && !p.ByValue:
		return errors.New("client_id_prefix redirect_uri: there is no signature to fetch, so use by_value (OpenID4VP 1.0 §5.9.3)")
	case p.registered() && p.ResponseMode.Encrypted():
		// §5.1: a wallet that knows the client takes no client_metadata, which is where the key would stand.
		return errors.New("response_mode: a pre-registered client_id cannot send the key of one request, so use direct_post")
	case !p.Identity.Signs() && !p.ByValue:
		return errors.New("client_id_prefix: without a key there is no signature to fetch, so use by_value")
	}
	return nil
}

func (p Profile) validateProtocols() error {
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

// validateOthers is about whoever signs beside Identity.
func (p Profile) validateOthers() error {
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
			return fmt.Errorf("digital_credentials: whoever signs %s needs a client_id_prefix that signs", MultiSigned)
		case s.Identity.Prefix() == identity.None:
			// All sign the same client_metadata, which a wallet that knows the client refuses (§8.5).
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

// checkResponseURI refuses a URI that no wallet would answer at.
func (p Profile) checkResponseURI(responseURI string) error {
	if err := checkURI(responseURI); err != nil {
		return fmt.Errorf("response_uri: %w", err)
	}
	if err := p.Identity.CheckResponseURI(responseURI); err != nil {
		return fmt.Errorf("response_uri: %w", err)
	}
	return nil
}

// checkOrigin refuses an origin that no browser would ask a wallet from.
func (p Profile) checkOrigin(origin string) error {
	if len(p.Protocols) == 0 {
		return errors.New("digital_credentials: this profile does not use the Digital Credentials API")
	}
	if err := checkOrigin(origin); err != nil {
		return fmt.Errorf("origin: %w", err)
	}
	return nil
}

// ValidateQuery refuses a query that wallets of this profile could not answer.
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
