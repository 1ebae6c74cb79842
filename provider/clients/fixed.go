package clients

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/contract"
)

// Fixed is the registry of the clients in the configuration.
type Fixed map[string]*Client

var _ Registry = Fixed{}

// NewFixed returns a registry of clients, or an error for invalid clients and duplicate ids.
func NewFixed(list []*Client) (Fixed, error) {
	fixed := make(Fixed, len(list))
	for _, c := range list {
		if err := c.Validate(); err != nil {
			return nil, err
		}
		if fixed[c.ID] != nil {
			return nil, fmt.Errorf("client %s is configured twice", c.ID)
		}
		fixed[c.ID] = c
	}
	return fixed, nil
}

func (f Fixed) Client(_ context.Context, id string) (*Client, error) {
	if c := f[id]; c != nil {
		return c, nil
	}
	return nil, ErrUnknown
}

// Follow reports whether any client uses a contract.
func (f Fixed) Follow(name contract.Name) bool {
	for _, c := range f {
		if c.Contract == name {
			return true
		}
	}
	return false
}

// CheckMutualTLS returns an error for a client that needs more of mutual TLS than there is: it could never authenticate,
// or get a token.
func (f Fixed) CheckMutualTLS(mutualTLS, roots bool) error {
	usable := UsableMethods(mutualTLS, roots)
	for _, id := range slices.Sorted(maps.Keys(f)) {
		switch c := f[id]; {
		case c.AuthMethod == TLSClientAuth && !slices.Contains(usable, c.AuthMethod):
			return fmt.Errorf("client %s: token_endpoint_auth_method %s needs mutual_tls.base_url and mutual_tls.roots_file", id, c.AuthMethod)
		case c.AuthMethod.TLS() && !slices.Contains(usable, c.AuthMethod):
			return fmt.Errorf("client %s: token_endpoint_auth_method %s needs mutual_tls.base_url", id, c.AuthMethod)
		case c.CertificateBound && !mutualTLS:
			return fmt.Errorf("client %s: tls_client_certificate_bound_access_tokens needs mutual_tls.base_url", id)
		}
	}
	return nil
}

// CheckSigning returns an error for a client that requires a signature algorithm for which there is no key.
func (f Fixed) CheckSigning(can []jose.SignatureAlgorithm) error {
	for _, id := range slices.Sorted(maps.Keys(f)) {
		for setting, alg := range map[string]jose.SignatureAlgorithm{"id_token_signed_response_alg": f[id].Algorithm(), "userinfo_signed_response_alg": f[id].UserInfoAlgorithm} {
			if alg != "" && !slices.Contains(can, alg) {
				return fmt.Errorf("client %s: %s %s: there is no such signing key; add one with `regain keys rotate --alg %s`", id, setting, alg, alg)
			}
		}
	}
	return nil
}
