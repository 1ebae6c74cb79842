package issuance

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/address"
	"regain/conformance/wallet/agent"
)

// Metadata is the part of an issuer's metadata (OpenID4VCI 1.0 §12.2.4) that the wallet uses, and the Face Check
// endpoint of docs/protocols.md, part 3.
type Metadata struct {
	Issuer          string                   `json:"credential_issuer"`
	Servers         []string                 `json:"authorization_servers"`
	CredentialURL   string                   `json:"credential_endpoint"`
	NonceURL        string                   `json:"nonce_endpoint"`
	DeferredURL     string                   `json:"deferred_credential_endpoint"`
	NotificationURL string                   `json:"notification_endpoint"`
	FaceCheckURL    string                   `json:"face_check_endpoint"`
	Display         []display                `json:"display"`
	Configurations  map[string]configuration `json:"credential_configurations_supported"`
	Batch           struct {
		Size int `json:"batch_size"`
	} `json:"batch_credential_issuance"`
	Requests  *requestEncryption  `json:"credential_request_encryption"`
	Responses *responseEncryption `json:"credential_response_encryption"`
}

type configuration struct {
	Format  string `json:"format"`
	VCT     string `json:"vct"`
	DocType string `json:"doctype"`
	Proofs  map[string]struct {
		Algorithms  []string        `json:"proof_signing_alg_values_supported"`
		Attestation json.RawMessage `json:"key_attestations_required"`
	} `json:"proof_types_supported"`
	Metadata struct {
		Display []display `json:"display"`
	} `json:"credential_metadata"`
}

type display struct {
	Name string `json:"name"`
}

// requestEncryption is how the issuer takes encrypted requests, and responseEncryption how it
// encrypts its responses (OpenID4VCI 1.0 §12.2.4).
type requestEncryption struct {
	JWKS struct {
		Keys []json.RawMessage `json:"keys"`
	} `json:"jwks"`
	Encodings []string `json:"enc_values_supported"`
	Required  bool     `json:"encryption_required"`
}

type responseEncryption struct {
	Algorithms []string `json:"alg_values_supported"`
	Encodings  []string `json:"enc_values_supported"`
	Required   bool     `json:"encryption_required"`
}

// typ is the vct or the doctype, empty where the format is not known.
func (c configuration) typ() string {
	switch c.Format {
	case SDJWT:
		return c.VCT
	case Mdoc:
		return c.DocType
	}
	return ""
}

// takesKeys reports whether the wallet can prove its keys as the configuration wants it: by
// signatures, and, where attested says so, with its provider's word for the keys.
func (c configuration) takesKeys() (taken, attested bool) {
	proof, ok := c.Proofs["jwt"]
	return ok && slices.Contains(proof.Algorithms, "ES256"), proof.Attestation != nil
}

// server is the part of the authorization server's metadata (RFC 8414, OpenID4VCI 1.0 §12.3) that the wallet uses.
type server struct {
	Issuer       string   `json:"issuer"`
	TokenURL     string   `json:"token_endpoint"`
	ChallengeURL string   `json:"challenge_endpoint"`
	Grants       []string `json:"grant_types_supported"`
	Methods      []string `json:"token_endpoint_auth_methods_supported"`
	DPoP         []string `json:"dpop_signing_alg_values_supported"`
}

// issuerMetadata fetches the issuer's metadata. It has to name the issuer that was asked, compared
// as strings without normalisation (OpenID4VCI 1.0 §12.2.3): otherwise one host could speak for another.
func (c *Client) issuerMetadata(ctx context.Context, issuer string) (Metadata, error) {
	var m Metadata
	// The path of the identifier is inserted as it stands (OpenID4VCI 1.0 §12.2.2), a slash at its end too.
	if err := c.wellKnown(ctx, issuer, "openid-credential-issuer", func(path string) string { return path }, &m); err != nil {
		return m, err
	}
	if m.Issuer != issuer {
		return m, errors.New("credential_issuer is another one than was asked")
	}
	if err := address.CheckEndpoint(m.CredentialURL); err != nil {
		return m, fmt.Errorf("checking credential_endpoint: %w", err)
	}
	for _, endpoint := range []string{m.NonceURL, m.DeferredURL, m.NotificationURL, m.FaceCheckURL} {
		if endpoint == "" {
			continue // all of them are optional
		}
		if err := address.CheckEndpoint(endpoint); err != nil {
			return m, fmt.Errorf("checking an endpoint: %w", err)
		}
	}
	return m, nil
}

// serverOf finds the authorization server that the offer named, or the issuer's first; without any,
// the issuer is its own.
func (c *Client) serverOf(ctx context.Context, m Metadata, hint string) (server, error) {
	identifier := m.Issuer
	switch {
	case hint != "" && !slices.Contains(m.Servers, hint): // OpenID4VCI 1.0 §12.2.4: the flow must not go on
		return server{}, errors.New("the offer names one that is not the issuer's")
	case hint != "":
		identifier = hint
	case len(m.Servers) > 0:
		identifier = m.Servers[0]
	}
	var s server
	// RFC 8414 §3.1 drops a slash at the end, where OpenID4VCI keeps it.
	trim := func(path string) string { return strings.TrimSuffix(path, "/") }
	if err := c.wellKnown(ctx, identifier, "oauth-authorization-server", trim, &s); err != nil {
		return s, err
	}
	if s.Issuer != identifier {
		return s, errors.New("issuer is another one than was asked")
	}
	if len(s.Grants) > 0 && !slices.Contains(s.Grants, preAuthorized) {
		return s, errors.New("it does not know pre-authorized codes")
	}
	if err := address.CheckEndpoint(s.TokenURL); err != nil {
		return s, fmt.Errorf("checking token_endpoint: %w", err)
	}
	return s, nil
}

// wellKnown inserts the well-known path between the host and the identifier's own path.
func (c *Client) wellKnown(ctx context.Context, identifier, document string, path func(string) string, into any) error {
	u, err := address.Check(identifier)
	if err != nil {
		return fmt.Errorf("checking the identifier: %w", err)
	}
	if u.RawQuery != "" || strings.ContainsAny(identifier, "?#") {
		return fmt.Errorf("checking the identifier: %w: it has a query or a fragment", address.ErrNotAllowed)
	}
	at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/.well-known/" + document + path(u.Path)}
	got, err := c.get(ctx, at.String(), agent.JSON)
	if err != nil {
		return fmt.Errorf("fetching %s: %w", document, err)
	}
	if err := got.Decode(into); err != nil {
		return fmt.Errorf("reading %s: %w", document, err)
	}
	return nil
}
