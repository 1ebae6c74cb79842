package presentation

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"regain/internal/strictjson"
	"regain/presentation/identity"
)

// BrowserRequest is one entry of the requests that a page hands to navigator.credentials.get({digital: {requests}}): the
// browser, and the wallet behind it, choose one (W3C Digital Credentials §3, OpenID4VP 1.0 Appendix A.1).
type BrowserRequest struct {
	Protocol Protocol        `json:"protocol"`
	Data     json.RawMessage `json:"data"`
}

// BrowserRequests are the same request in each protocol of the profile, the preferred first.
func (p Profile) BrowserRequests(r Request, now time.Time) ([]BrowserRequest, error) {
	if !r.Mode.Browser() {
		return nil, errors.New("asking through the browser: the request is for a wallet's link")
	}
	if err := p.ready(r, now); err != nil {
		return nil, fmt.Errorf("asking through the browser: %w", err)
	}
	requests := make([]BrowserRequest, 0, len(p.Protocols))
	for _, protocol := range p.Protocols {
		data, err := p.browserData(r, protocol)
		if err != nil {
			return nil, fmt.Errorf("asking through the browser: %w", err)
		}
		requests = append(requests, BrowserRequest{protocol, data})
	}
	return requests, nil
}

func (p Profile) browserData(r Request, protocol Protocol) ([]byte, error) {
	switch protocol {
	case Signed:
		object, err := p.requestObject(r, RequestObjectParams{Now: r.IssuedAt})
		if err != nil {
			return nil, err
		}
		return json.Marshal(map[string]string{"request": string(object)})
	case MultiSigned:
		return p.multiSigned(r)
	}
	// Unsigned: no client_id, since nothing would prove it; the browser vouches for the origin (Appendix A.3.1).
	const usual = 2 << 10
	o := newObject(usual)
	p.common(o, r)
	if p.VerifierInfo != nil {
		o.raw("verifier_info", p.VerifierInfo)
	}
	return o.close()
}

// multiSigned is a JWS in JSON serialization. client_id and verifier_info differ from signer to signer, so they stand in
// the protected headers (Appendix A.3.2).
func (p Profile) multiSigned(r Request) ([]byte, error) {
	const usual = 2 << 10
	o := newObject(usual)
	o.own("aud", audience)
	o.value("expected_origins", []string{r.Origin})
	p.common(o, r)
	o.number("iat", r.IssuedAt.Unix())
	o.number("exp", r.ExpiresAt.Unix())
	raw, err := o.close()
	if err != nil {
		return nil, err
	}
	payload := base64.RawURLEncoding.EncodeToString(raw)
	var signatures []identity.Signature
	for _, signer := range append([]*identity.Identity{p.Identity}, p.Others...) {
		signature, err := signer.SignOneOf(payload, p.VerifierInfo)
		if err != nil {
			return nil, err
		}
		signatures = append(signatures, signature)
	}
	return json.Marshal(map[string]any{"request": map[string]any{"payload": payload, "signatures": signatures}})
}

// OpenBrowser opens what a page got from navigator.credentials.get, the DigitalCredential's protocol and data, and sent
// to us (Appendix A.4): the answer, or the wallet's error. It checks what [Request.Open] checks, and that the protocol
// is one that was asked in: a wallet that answers another has not seen our request.
func (p Profile) OpenBrowser(r Request, protocol string, data []byte, now time.Time) (Answer, error) {
	answer, err := p.openBrowser(r, protocol, data, now)
	if err != nil {
		return Answer{}, fmt.Errorf("opening a browser's answer: %w", err)
	}
	return answer, nil
}

func (p Profile) openBrowser(r Request, protocol string, data []byte, now time.Time) (Answer, error) {
	switch {
	case !r.Mode.Browser():
		return Answer{}, fmt.Errorf("%w: this request was not asked through a browser", ErrMalformed)
	case !slices.Contains(p.Protocols, Protocol(protocol)):
		return Answer{}, ErrProtocol
	case len(data) > maxResponse:
		return Answer{}, fmt.Errorf("%w: data", ErrTooLarge)
	}
	if err := r.usable(now); err != nil {
		return Answer{}, err
	}
	members, err := strictjson.Object(data, answerDepth)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: data: %w", ErrMalformed, err)
	}
	if code, there := members["error"]; there {
		code, _ := code.(string)
		description, _ := members["error_description"].(string)
		return Answer{Error: newWalletError(code, description)}, nil
	}
	if !r.Mode.Encrypted() {
		return r.take(members)
	}
	response, ok := members["response"].(string)
	if !ok {
		return Answer{}, ErrPlaintext
	}
	payload, err := r.decrypt(response)
	if err != nil {
		return Answer{}, err
	}
	return r.read(payload)
}
