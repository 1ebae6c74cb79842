package presentation

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"regain/internal/strictjson"
	"regain/presentation/dcql"
	"regain/presentation/identity"
)

// ResponseMode says how the answer comes (OpenID4VP 1.0 §5.2, §8.2, §8.3, Appendix A.2).
type ResponseMode string

// By POST to the response URI, or through the browser's Digital Credentials API; in the clear, or encrypted to the
// request's own key.
const (
	DirectPost    ResponseMode = "direct_post"
	DirectPostJWT ResponseMode = "direct_post.jwt"
	BrowserPlain  ResponseMode = "dc_api"
	BrowserJWT    ResponseMode = "dc_api.jwt"
)

// Encrypted reports whether the answer comes encrypted.
func (m ResponseMode) Encrypted() bool { return m == DirectPostJWT || m == BrowserJWT }

// Browser reports whether the answer comes through the Digital Credentials API.
func (m ResponseMode) Browser() bool { return m == BrowserPlain || m == BrowserJWT }

// Protocol is an exchange protocol of the Digital Credentials API (OpenID4VP 1.0 Appendix A.1).
type Protocol string

// The protocols, from a request that nobody signed to one that several did.
const (
	Unsigned    Protocol = "openid4vp-v1-unsigned"
	Signed      Protocol = "openid4vp-v1-signed"
	MultiSigned Protocol = "openid4vp-v1-multisigned"
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
	// FetchByGet has request_uri_method=get; wallets that fetch by POST can send a nonce of theirs (§5.10).
	FetchByGet   bool
	ResponseMode ResponseMode // DirectPost or DirectPostJWT
	// Protocols are those of the Digital Credentials API that the browser is offered, the preferred first; none: it is
	// not used. The answer is encrypted if that of ResponseMode is.
	Protocols []Protocol
	// Others sign multi-signed requests beside Identity.
	Others []*identity.Identity
	// VerifierInfo is a JSON array of attestations about us (§5.11), such as a registration certificate; nil for none.
	VerifierInfo json.RawMessage
}

// Validate reports the first thing that no wallet would accept, or that HAIP 1.0 forbids.
func (p Profile) Validate() error {
	if p.Identity == nil {
		return errors.New("client_id_prefix: a wallet has to know who asks")
	}
	if p.ResponseMode != DirectPost && p.ResponseMode != DirectPostJWT {
		return fmt.Errorf("response_mode %q: use %s or %s", p.ResponseMode, DirectPostJWT, DirectPost)
	}
	if _, err := walletEndpoint(p.Endpoint); err != nil {
		return fmt.Errorf("authorization_endpoint %q: %w", p.Endpoint, err)
	}
	if err := p.validateIdentity(); err != nil {
		return err
	}
	if err := p.validateProtocols(); err != nil {
		return err
	}
	if err := p.validateInfo(); err != nil {
		return err
	}
	if p.HAIP {
		return p.validateHAIP()
	}
	return nil
}

func (p Profile) validateIdentity() error {
	switch prefix := p.Identity.Prefix(); {
	case prefix == identity.RedirectURIOf && !p.ByValue:
		return errors.New("request: client_id_prefix redirect_uri has no signature to fetch, so use by_value (OpenID4VP 1.0 §5.9.3)")
	case prefix == identity.None && p.ResponseMode.Encrypted():
		// §5.1: a wallet that knows the client takes no client_metadata, which is where the key would stand.
		return errors.New("response_mode: a pre-registered client_id cannot send the key of one request, so use direct_post")
	case !p.Identity.Signs() && !p.ByValue:
		return errors.New("request: without a key there is nothing to sign, so use by_value")
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

// validateInfo reads verifier_info as strictly as a wallet might (§5.11).
func (p Profile) validateInfo() error {
	if p.VerifierInfo == nil {
		return nil
	}
	const depth = 12
	if _, err := strictjson.Object([]byte(`{"verifier_info":`+string(p.VerifierInfo)+`}`), depth); err != nil {
		return fmt.Errorf("verifier_info: %w", err)
	}
	var entries []struct {
		Format string          `json:"format"`
		Data   json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(p.VerifierInfo, &entries); err != nil || len(entries) == 0 {
		return errors.New("verifier_info: it is no array of attestations, or empty")
	}
	for i, e := range entries {
		if e.Format == "" || len(e.Data) == 0 {
			return fmt.Errorf("verifier_info[%d]: format and data are required (OpenID4VP 1.0 §5.11)", i)
		}
	}
	return nil
}

// validateHAIP is HAIP 1.0 §5 to §5.2, as far as a profile can break it.
func (p Profile) validateHAIP() error {
	switch {
	case p.Identity.Prefix() != identity.X509HashOf:
		return errors.New("haip: signed requests use x509_hash (HAIP 1.0 §5)")
	case p.ResponseMode != DirectPostJWT:
		return errors.New("haip: answers are encrypted, so response_mode is direct_post.jwt (HAIP 1.0 §5.1)")
	case p.ByValue:
		return errors.New("haip: requests are fetched from a request_uri (HAIP 1.0 §5.1)")
	case slices.ContainsFunc(p.Others, func(i *identity.Identity) bool { return i.Prefix() != identity.X509HashOf }):
		return errors.New("haip: whoever else signs uses x509_hash too (HAIP 1.0 §5)")
	case strings.HasPrefix(p.Endpoint, "openid-vc:"):
		return errors.New("haip: openid-vc:// belongs to wallets of another protocol; use haip-vp:// or openid4vp://")
	}
	return nil
}

// ValidateQuery refuses a query that wallets of this profile could not answer: HAIP 1.0 §5.3 knows two formats.
func (p Profile) ValidateQuery(q dcql.Query) error {
	for _, c := range q.Credentials {
		if p.HAIP && c.Format != dcql.FormatSDJWT && c.Format != dcql.FormatMdoc {
			return fmt.Errorf("haip: the format %s of %s is neither dc+sd-jwt nor mso_mdoc (HAIP 1.0 §5.3)", c.Format, c.ID)
		}
		if p.HAIP && !c.NeedsHolderBinding() {
			return fmt.Errorf("haip: %s has to be bound to its holder (HAIP 1.0 §6.1.1.1)", c.ID)
		}
	}
	return nil
}
