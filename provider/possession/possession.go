// Package possession holds tokens against what their holders show: a key, by the proof of a request (RFC 9449), or the
// certificate of a connection (RFC 8705). It binds new tokens to what the client's registration demands, and lets none be
// used without it. It knows no grant: which token is bound to what, package oauth keeps.
package possession

import (
	"errors"
	"net/http"
	"strings"

	"regain/provider/clients"
	"regain/provider/dpop"
	"regain/provider/mtls"
	"regain/provider/problem"
	"regain/provider/published"
)

// Binding is the key or certificate that an access token is bound to, as in the `cnf` claim; empty for a bearer
// token.
type Binding struct {
	Key         string `json:"jkt,omitempty"`      // RFC 9449 §6
	Certificate string `json:"x5t#S256,omitempty"` // RFC 8705 §3.1
}

// TokenType returns the token_type for a binding.
func (b Binding) TokenType() string {
	if b.Key != "" {
		return "DPoP"
	}
	return "Bearer"
}

// Checker checks the keys and certificates that clients show, and binds tokens to them.
type Checker struct {
	endpoints published.Bases
	proofs    *dpop.Checker
	source    *mtls.Source // of client certificates
}

// New returns an error for missing parts.
func New(endpoints published.Bases, proofs *dpop.Checker, source *mtls.Source) (*Checker, error) {
	if proofs == nil || source == nil {
		return nil, errors.New("proof of possession: a checker of DPoP proofs and a source of certificates are required")
	}
	return &Checker{endpoints, proofs, source}, nil
}

// Bind returns the binding of a new token: the key of the request's DPoP proof, and the certificate of its
// connection. If the client's registration requires one of them, a request without it is an error. wanted is the key
// that the authorization request was bound to (RFC 9449 §10), "" for none.
func (p *Checker) Bind(r *http.Request, client *clients.Client, wanted string) (Binding, error) {
	var b Binding
	if dpop.Present(r.Header) || client.DPoPBound || wanted != "" {
		key, err := p.checkProof(r, client, dpop.Expect{Thumbprint: wanted})
		if err != nil {
			return b, err
		}
		b.Key = key
	}
	if !client.CertificateBound {
		return b, nil
	}
	thumbprint, err := p.certificate(r)
	if err != nil {
		return b, err
	}
	if thumbprint == "" {
		return b, problem.InvalidRequest("This client's access tokens are bound to its certificate: show it when you connect.")
	}
	b.Certificate = thumbprint
	return b, nil
}

// checkProof checks the DPoP proof of a request and returns its key's thumbprint.
func (p *Checker) checkProof(r *http.Request, client *clients.Client, e dpop.Expect) (string, error) {
	e.Method, e.URLs, e.Nonce = r.Method, p.endpoints.Called(r), client.DPoPNonce
	key, err := p.proofs.Check(r.Context(), r.Header, e)
	switch {
	case errors.Is(err, dpop.ErrNonce):
		return "", problem.New(http.StatusBadRequest, "use_dpop_nonce", "Put the nonce of the DPoP-Nonce header into the DPoP proof.")
	case errors.Is(err, dpop.ErrInvalid):
		return "", problem.New(http.StatusBadRequest, "invalid_dpop_proof", "The DPoP proof is missing, or does not fit this request: check typ, alg, jwk, htm, htu, iat, jti, ath and the bound key.").WithCause(err)
	case err != nil:
		return "", problem.Unavailable(err)
	}
	return key, nil
}

// certificate returns the thumbprint of the request's client certificate, "" for none.
func (p *Checker) certificate(r *http.Request) (string, error) {
	chain, err := p.source.Certificate(r)
	if err != nil {
		return "", problem.InvalidRequest("The client certificate cannot be read.").WithCause(err)
	}
	if len(chain) == 0 {
		return "", nil
	}
	return mtls.Thumbprint(chain[0]), nil
}

// PushedKey returns the key that an authorization request binds its code to: by the parameter dpop_jkt, or by a proof
// at the PAR endpoint (RFC 9449 §10.1). If both are sent, they must agree.
func (p *Checker) PushedKey(r *http.Request, client *clients.Client, parameter string) (string, error) {
	if !dpop.Present(r.Header) {
		return parameter, nil
	}
	return p.checkProof(r, client, dpop.Expect{Thumbprint: parameter})
}

// Check checks that the request proves possession of the key or certificate that its token is bound to (RFC
// 9449 §7.1, RFC 8705 §3): a stolen token is useless without it.
func (p *Checker) Check(r *http.Request, client *clients.Client, b Binding, shown Presented) error {
	refused := problem.New(http.StatusUnauthorized, CodeInvalidToken, "The access token is bound to a key or certificate that this request does not show.")
	if b.Key != "" {
		if !strings.EqualFold(shown.Scheme, "DPoP") { // RFC 9449 §7.2: no downgrade to Bearer
			return refused.WithCause(errors.New("a DPoP-bound token as Bearer"))
		}
		if _, err := p.checkProof(r, client, dpop.Expect{Thumbprint: b.Key, AccessToken: shown.Token}); err != nil {
			return err
		}
	} else if strings.EqualFold(shown.Scheme, "DPoP") {
		return refused.WithCause(errors.New("an unbound token as DPoP"))
	}
	if b.Certificate == "" {
		return nil
	}
	thumbprint, err := p.certificate(r)
	if err != nil {
		return err
	}
	if thumbprint != b.Certificate {
		return refused.WithCause(errors.New("another certificate"))
	}
	return nil
}

// Nonce returns a nonce for the DPoP-Nonce header.
func (p *Checker) Nonce() string { return p.proofs.Nonce() }
