package request

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
	"regain/conformance/wallet/address"
)

// The exchange protocols of the Digital Credentials API (OpenID4VP 1.0 Appendix A.1).
const (
	Unsigned    = "openid4vp-v1-unsigned"
	Signed      = "openid4vp-v1-signed"
	MultiSigned = "openid4vp-v1-multisigned"
)

const maxSignatures = 8

// ReadDigital reads a request that a page made over the Digital Credentials API (OpenID4VP 1.0 Appendix A). The
// origin is the page's, as the platform knows it. An error of type *Error goes back to the page as
// its code.
func (r *Reader) ReadDigital(ctx context.Context, protocol string, data []byte, origin string) (*Request, error) {
	channel := &Channel{Origin: origin}
	if u, err := address.Check(origin); err != nil || u.Scheme+"://"+u.Host != origin {
		return nil, turnDown(InvalidRequest, "the origin is not one that this wallet speaks to")
	}
	s, err := r.digitalSender(ctx, protocol, data, origin)
	if err != nil {
		return nil, channel.report(err)
	}
	request, err := r.digital(s, channel)
	if err != nil {
		return nil, channel.report(err)
	}
	return request, nil
}

func (r *Reader) digitalSender(ctx context.Context, protocol string, data []byte, origin string) (sender, error) {
	switch protocol {
	case Unsigned:
		// The platform vouches for the origin, and for nothing that the page says of itself.
		return sender{Verifier: Verifier{Name: hostOf(origin), Prefix: Origin, Authenticated: true}, payload: data}, nil
	case Signed:
		var wrapped struct {
			Request string `json:"request"`
		}
		if err := json.Unmarshal(data, &wrapped); err != nil || wrapped.Request == "" {
			return sender{}, turnDown(InvalidRequest, "data holds no signed request")
		}
		return r.signedBy(ctx, wrapped.Request)
	case MultiSigned:
		return r.signedByOneOf(ctx, data)
	}
	return sender{}, turnDown(InvalidRequest, "it is of an exchange protocol that this wallet does not know")
}

// signedBy authenticates a request object that is the first to say who signed it.
func (r *Reader) signedBy(ctx context.Context, compact string) (sender, error) {
	clientID, err := peekClientID(compact)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "%w", err)
	}
	return r.digitallyAuthenticate(ctx, clientID, compact)
}

func (r *Reader) digitallyAuthenticate(ctx context.Context, clientID, compact string) (sender, error) {
	prefix, name, err := r.Policy.split(clientID)
	if err != nil {
		return sender{}, err
	}
	s, err := r.authenticate(ctx, claimed{prefix: prefix, name: name, clientID: clientID, digital: true}, object{compact: compact})
	if err == nil && !s.signed {
		return sender{}, turnDown(InvalidRequest, "a signed request has to be signed")
	}
	return s, err
}

// signedByOneOf takes the first signature that this wallet can verify (OpenID4VP 1.0 Appendix A.3.2.2). The
// others are for wallets that trust others. What is particular to a signer stands in its header.
func (r *Reader) signedByOneOf(ctx context.Context, data []byte) (sender, error) {
	var body struct {
		Request    json.RawMessage `json:"request"` // how the OpenID Foundation's suite wraps it
		Payload    string          `json:"payload"`
		Signatures []struct {
			Protected string `json:"protected"`
			Signature string `json:"signature"`
		} `json:"signatures"`
	}
	if err := json.Unmarshal(data, &body); err == nil && body.Payload == "" && body.Request != nil {
		data = body.Request
	}
	if err := json.Unmarshal(data, &body); err != nil || len(body.Signatures) == 0 || len(body.Signatures) > maxSignatures {
		return sender{}, turnDown(InvalidRequest, "data holds no request with signatures")
	}
	var failed error
	for _, signature := range body.Signatures {
		s, err := r.signedInHeader(ctx, signature.Protected+"."+body.Payload+"."+signature.Signature)
		if err == nil {
			return s, nil
		}
		failed = err
	}
	return sender{}, failed
}

func (r *Reader) signedInHeader(ctx context.Context, compact string) (sender, error) {
	header, err := jose.Parse(compact)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "%w", err)
	}
	s, err := r.digitallyAuthenticate(ctx, header.ClientID, compact)
	if err != nil {
		return sender{}, err
	}
	var members map[string]*json.RawMessage // pointers: go-jose writes a bare RawMessage as base64
	if err := json.Unmarshal(s.payload, &members); err != nil || members["client_id"] != nil || members["verifier_info"] != nil {
		return sender{}, turnDown(InvalidRequest, "the shared payload holds what belongs to one signer")
	}
	id, err := json.Marshal(header.ClientID)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "client_id is not text")
	}
	own := json.RawMessage(id)
	members["client_id"] = &own
	if header.Info != nil {
		info := json.RawMessage(header.Info)
		members["verifier_info"] = &info
	}
	s.payload, err = json.Marshal(members)
	return s, err
}

// digital understands a request whose sender is known. response_uri, redirect_uri and state are
// not defined here, and ignored like everything unknown (OpenID4VP 1.0 Appendix A.2).
func (r *Reader) digital(s sender, channel *Channel) (*Request, error) {
	p, err := s.read()
	if err != nil {
		return nil, err
	}
	if s.signed {
		if err := p.checkOrigin(channel.Origin); err != nil {
			return nil, err
		}
		if err := p.checkAudience(false); err != nil {
			return nil, err
		}
		if err := p.checkTimes(r.Clock()); err != nil {
			return nil, err
		}
	}
	m, err := s.metadata(p)
	if err != nil {
		return nil, err
	}
	switch {
	case p.ResponseMode == "dc_api.jwt":
		err = channel.seal(m)
	case p.ResponseMode != "dc_api":
		err = turnDown(InvalidRequest, "response_mode is neither dc_api.jwt nor dc_api")
	case !r.Policy.Plain:
		err = turnDown(InvalidRequest, "response_mode does not encrypt, which this wallet wants")
	}
	if err != nil {
		return nil, err
	}
	request, err := r.content(p, m)
	if err != nil {
		return nil, err
	}
	request.Verifier, request.Channel = s.Verifier, *channel
	return request, nil
}

// peekClientID reads who a request object says it is from, before that is verified.
func peekClientID(compact string) (string, error) {
	segments := strings.Split(compact, ".")
	if len(segments) != 3 {
		return "", errors.New("it is not a signed JWT of an accepted algorithm")
	}
	payload, err := base64.RawURLEncoding.DecodeString(segments[1])
	if err != nil {
		return "", errors.New("its payload is not base64url")
	}
	var claims struct {
		ClientID string `json:"client_id"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return "", errors.New("its claims are not the JSON expected")
	}
	return claims.ClientID, nil
}

func hostOf(origin string) string {
	_, host, _ := strings.Cut(origin, "://")
	return host
}
