package request

import (
	"context"
	"crypto/x509"
	"io"
	"time"
)

// Transport is how the wallet fetches: without cookies, without following redirects (OpenID4VP 1.0 §14.8), and
// with limits of time and size.
type Transport interface {
	Get(ctx context.Context, endpoint, accept string) (body []byte, mediaType string, err error)
	PostForm(ctx context.Context, endpoint, accept, form string) (body []byte, mediaType string, err error)
}

// Reader reads requests for one wallet. All members are required but Policy, whose zero value is
// the strictest.
type Reader struct {
	Transport Transport
	Clock     func() time.Time
	Random    io.Reader
	Anchors   *x509.CertPool // roots of the certificates that sign requests
	Policy    Policy
}

// Read finds the request that a link is or points to, authenticates who asks, and holds it against
// the rules. An error of type *Error means that it must not be answered but with that error.
func (r *Reader) Read(ctx context.Context, raw string) (*Request, error) {
	l, err := r.Policy.parseLink(raw)
	if err != nil {
		return nil, err
	}
	prefix, name, err := r.Policy.split(l.clientID)
	if err != nil {
		return nil, err
	}
	object, walletNonce, err := r.obtain(ctx, l, prefix)
	if err != nil {
		return nil, err
	}
	s, err := r.authenticate(ctx, claimed{prefix: prefix, name: name, clientID: l.clientID}, object)
	if err != nil {
		return nil, err
	}
	p, err := s.read()
	if err != nil {
		return nil, err
	}
	if p.ClientID != l.clientID {
		return nil, turnDown(InvalidRequest, "client_id inside is not the one outside")
	}
	if err := p.checkWalletNonce(walletNonce); err != nil {
		return nil, err
	}
	if err := p.checkAudience(s.signed); err != nil {
		return nil, err
	}
	if err := p.checkTimes(r.Clock()); err != nil {
		return nil, err
	}
	return r.understand(s, p)
}

// understand reads the rest of a request by link, whose sender can be told from here on what is
// wrong with it.
func (r *Reader) understand(s sender, p parameters) (*Request, error) {
	channel, sealed, err := r.channel(s, p)
	if err != nil {
		return nil, err
	}
	m, err := s.metadata(p)
	if err != nil {
		return nil, channel.report(err)
	}
	if sealed {
		if err := channel.seal(m); err != nil {
			return nil, channel.report(err)
		}
	}
	if p.RedirectURI != nil { // OpenID4VP 1.0 §8.2: MUST return invalid_request
		return nil, channel.report(turnDown(InvalidRequest, "redirect_uri must not stand beside response_uri"))
	}
	request, err := r.content(p, m)
	if err != nil {
		return nil, channel.report(err)
	}
	if request.withoutHolder() && p.State == "" { // OpenID4VP 1.0 §5.3: nothing else binds the answer to the request
		return nil, channel.report(turnDown(InvalidRequest, "it asks for a credential without its holder, and has no state"))
	}
	request.Verifier, request.Channel = s.Verifier, *channel
	return request, nil
}
