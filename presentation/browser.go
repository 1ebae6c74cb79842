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

// BrowserRequest is one of the requests that a page passes to navigator.credentials.get({digital: {requests}}). The
// browser and the wallet choose one (W3C Digital Credentials §3, OpenID4VP 1.0 Appendix A.1).
type BrowserRequest struct {
	Protocol Protocol        `json:"protocol"`
	Data     json.RawMessage `json:"data"`
}

// BrowserRequests returns the same request in each protocol of the profile, the preferred one first.
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

// unsigned returns an unsigned request (OpenID4VP 1.0 Appendix A.2, A.3.1). It has no client_id, which nothing would
// prove, and no expected_origins, since the browser attests the origin. Without a client_id the wallet cannot know our
// metadata, even if we are registered with it, so client_metadata is always included.
func (p Profile) unsigned(r Request) ([]byte, error) {
	o := newObject(usualSize)
	p.writeRequest(o, r)
	o.raw("client_metadata", r.clientMetadata())
	o.optional("verifier_info", p.VerifierInfo)
	return o.close()
}

// signed returns a request object in JWS compact serialization (OpenID4VP 1.0 Appendix A.3.2.1).
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

// multiSigned returns a request object in JWS JSON serialization. client_id and verifier_info differ per signer, so
// they are in the protected headers and not in the payload (OpenID4VP 1.0 Appendix A.3.2.2).
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

// OpenBrowser opens the response that a page got from navigator.credentials.get and sent to us: protocol and data of
// the DigitalCredential (OpenID4VP 1.0 Appendix A.4). data has `response` if the request's mode is encrypted, else
// `vp_token`; or `error` from the wallet. It checks what [Request.Open] checks, except the state, which the Digital
// Credentials API does not have, and that the protocol is one of the profile's: a response in another does not answer
// our request.
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
		return r.readResponse(members)
	}
	text, ok := response.(string)
	if !ok {
		return Answer{}, fmt.Errorf("%w: data: response is no text", ErrMalformed)
	}
	return r.openEncrypted(text)
}
