package wallet

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// issuerMetadata is the part of OpenID4VCI 1.0 §12.2.4 that the wallet uses, and the Face Check
// endpoint of docs/protocols.md, part 3.
type issuerMetadata struct {
	Issuer         string                   `json:"credential_issuer"`
	Servers        []string                 `json:"authorization_servers"`
	CredentialURL  string                   `json:"credential_endpoint"`
	NonceURL       string                   `json:"nonce_endpoint"`
	FaceCheckURL   string                   `json:"face_check_endpoint"`
	Display        []display                `json:"display"`
	Configurations map[string]configuration `json:"credential_configurations_supported"`
}

type configuration struct {
	Format  string `json:"format"`
	VCT     string `json:"vct"`
	DocType string `json:"doctype"`
	Proofs  map[string]struct {
		Algorithms []string `json:"proof_signing_alg_values_supported"`
	} `json:"proof_types_supported"`
	Metadata struct {
		Display []display `json:"display"`
	} `json:"credential_metadata"`
}

type display struct {
	Name string `json:"name"`
}

// issuerMetadata fetches the issuer's metadata and the token endpoint of its authorization server.
// Both documents have to name the party that they were asked of, compared as strings without
// normalisation (OpenID4VCI 1.0 §12.2.4, RFC 8414 §3.3): otherwise one host could speak for another.
func (w *Wallet) issuerMetadata(ctx context.Context, issuer string) (issuerMetadata, string, error) {
	var m issuerMetadata
	if err := w.wellKnown(ctx, issuer, "openid-credential-issuer", &m); err != nil {
		return m, "", err
	}
	if m.Issuer != issuer {
		return m, "", errors.New("credential_issuer is another one than was asked")
	}
	for _, endpoint := range []string{m.NonceURL, m.FaceCheckURL} {
		if endpoint == "" {
			continue // both are optional
		}
		if err := checkEndpoint(endpoint); err != nil {
			return m, "", fmt.Errorf("checking an endpoint: %w", err)
		}
	}
	if err := checkEndpoint(m.CredentialURL); err != nil {
		return m, "", fmt.Errorf("checking credential_endpoint: %w", err)
	}
	server := issuer
	if len(m.Servers) > 0 {
		server = m.Servers[0]
	}
	var as struct {
		Issuer   string `json:"issuer"`
		TokenURL string `json:"token_endpoint"`
	}
	if err := w.wellKnown(ctx, server, "oauth-authorization-server", &as); err != nil {
		return m, "", err
	}
	if as.Issuer != server {
		return m, "", errors.New("issuer is another one than was asked")
	}
	if err := checkEndpoint(as.TokenURL); err != nil {
		return m, "", fmt.Errorf("checking token_endpoint: %w", err)
	}
	return m, as.TokenURL, nil
}

// wellKnown inserts the well-known path between the host and the identifier's own path.
func (w *Wallet) wellKnown(ctx context.Context, identifier, document string, into any) error {
	u, err := checkAddress(identifier)
	if err != nil {
		return fmt.Errorf("checking the identifier: %w", err)
	}
	if u.RawQuery != "" || strings.ContainsAny(identifier, "?#") {
		return fmt.Errorf("checking the identifier: %w: it has a query or a fragment", ErrAddress)
	}
	at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/.well-known/" + document + strings.TrimSuffix(u.Path, "/")}
	answer, err := w.get(ctx, at.String(), "application/json")
	if err != nil {
		return fmt.Errorf("fetching %s: %w", document, err)
	}
	if err := answer.decode(into); err != nil {
		return fmt.Errorf("reading %s: %w", document, err)
	}
	return nil
}
