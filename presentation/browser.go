package presentation

import (
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
	requests, err := p.browserRequests(r, now)
	if err != nil {
		return nil, fmt.Errorf("asking through the browser: %w", err)
	}
	return requests, nil
}

func (p Profile) browserRequests(r Request, now time.Time) ([]BrowserRequest, error) {
	if !r.Mode.Browser() {
		return nil, errors.New("the request is for a wallet's link")
	}
	if err := p.ready(r, now); err != nil {
		return nil, err
	}
	requests := make([]BrowserRequest, 0, len(p.Protocols))
	for _, protocol := range p.Protocols {
		data, err := p.browserData(r, protocol, now)
		if err != nil {
			return nil, err
		}
		requests = append(requests, BrowserRequest{protocol, data})
	}
	return requests, nil
}

func (p Profile) browserData(r Request, protocol Protocol, now time.Time) ([]byte, error) {
	switch protocol {
	case Signed:
		return p.signed(r)
	case MultiSigned:
		return p.multiSigned(r, now)
	}
	return p.unsigned(r)
}

// unsigned has no client_id, which nothing would prove, and no expected_origins, for which the browser itself vouches
// (Appendix A.2, A.3.1). So no wallet can know our metadata, not even one where we are registered.
func (p Profile) unsigned(r Request) ([]byte, error) {
	o := newObject(usual)
	p.ask(o, r)
	o.raw("client_metadata", r.clientMetadata())
	o.optional("verifier_info", p.VerifierInfo)
	return o.close()
}

// signed is one request object, in compact serialization (Appendix A.3.2.1).
func (p Profile) signed(r Request) ([]byte, error) {
	payload, err := p.payload(r).close()
	if err != nil {
		return nil, err
	}
	object, err := p.Identity.Sign(payload)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]string{"request": string(object)})
}

// multiSigned is a JWS in JSON serialization. client_id and verifier_info differ from signer to signer, so they stand in
// the protected headers and nowhere else (Appendix A.3.2.2).
func (p Profile) multiSigned(r Request, now time.Time) ([]byte, error) {
	raw, err := p.shared(r).close()
	if err != nil {
		return nil, err
	}
	request := struct {
		Payload    string               `json:"payload"`
		Signatures []identity.Signature `json:"signatures"`
	}{Payload: encode(raw)}
	for _, s := range p.signers() {
		if err := s.Identity.Usable(now); err != nil {
			return nil, err
		}
		signature, err := s.Identity.SignOneOf(request.Payload, s.VerifierInfo)
		if err != nil {
			return nil, err
		}
		request.Signatures = append(request.Signatures, signature)
	}
	return json.Marshal(map[string]any{"request": request})
}

// OpenBrowser opens what a page got from navigator.credentials.get, the DigitalCredential's protocol and data, and sent
// to us (Appendix A.4): the answer, encrypted in `response` or plain in `vp_token` as the request's mode says, or the
// wallet's `error`. It checks what [Request.Open] checks but for the state, which this way does not have, and that the
// protocol is one that was asked in: a wallet that answers another has not seen our request.
func (p Profile) OpenBrowser(r Request, protocol string, data []byte, now time.Time) (Answer, error) {
	answer, err := p.openBrowser(r, protocol, data, now)
	if err != nil {
		return Answer{}, fmt.Errorf("opening a browser's answer: %w", err)
	}
	return answer, nil
}

func (p Profile) openBrowser(r Request, protocol string, data []byte, now time.Time) (Answer, error) {
	if err := r.usable(now); err != nil {
		return Answer{}, err
	}
	switch {
	case !r.Mode.Browser():
		return Answer{}, fmt.Errorf("%w: this request was not asked through a browser", ErrMalformed)
	case !slices.Contains(p.Protocols, Protocol(protocol)):
		return Answer{}, ErrProtocol
	case len(data) > maxResponse:
		return Answer{}, fmt.Errorf("%w: data", ErrTooLarge)
	}
	members, err := strictjson.Object(data, answerDepth)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: data: %w", ErrMalformed, err)
	}
	response, sealed := members["response"]
	_, plain := members["vp_token"]
	_, failed := members["error"]
	switch {
	case plain && r.Mode.Encrypted():
		return Answer{}, ErrPlaintext
	case sealed && (plain || failed):
		return Answer{}, fmt.Errorf("%w: data holds more than one answer", ErrMalformed)
	case !sealed:
		return r.take(members)
	}
	text, ok := response.(string)
	if !ok {
		return Answer{}, fmt.Errorf("%w: data: response is no text", ErrMalformed)
	}
	return r.openSealed(text)
}
