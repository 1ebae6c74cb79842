package protocol

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"time"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/verifier"
)

// OpenID4VP is OpenID4VP 1.0, with a link or through the Digital Credentials API.
type OpenID4VP struct {
	presentation.Profile
	random io.Reader
}

func (OpenID4VP) Formats() []string {
	return []string{dcql.FormatSDJWT, dcql.FormatMdoc, dcql.FormatJWTVC}
}

func (e OpenID4VP) New(w RequestParams) ([]byte, error) {
	request, err := e.NewRequest(presentation.RequestParams{
		ResponseURI: w.ResponseURI, Origin: w.Origin, Query: w.Query, TransactionData: w.TransactionData, Lifetime: w.Lifetime,
	}, e.random, w.Now)
	if err != nil {
		return nil, err
	}
	return json.Marshal(request)
}

// Expired implements Protocol. A request of a client_id that is not ours any more, since the certificate that x509_hash
// names was renewed meanwhile, could only be signed under another one, which a wallet refuses.
func (e OpenID4VP) Expired(stored []byte, now time.Time) (bool, error) {
	request, err := readStored[presentation.Request](stored)
	return err == nil && (request.Expired(now) || e.Identity != nil && request.ClientID != "" && request.ClientID != e.Identity.ClientID(request.ResponseURI)), err
}

func (e OpenID4VP) InLink() bool { return e.ByValue }

func (e OpenID4VP) Link(to Endpoints, stored []byte, now time.Time) (string, error) {
	if !e.ByValue {
		return e.Profile.Link(to.Request, to.Response)
	}
	request, err := readStored[presentation.Request](stored)
	if err != nil {
		return "", err
	}
	return e.LinkWith(request, now)
}

// Object implements Protocol. The request object is signed for each fetch; only a POST can contain a wallet_nonce,
// which becomes part of the signed request (OpenID4VP 1.0 §5.10).
func (e OpenID4VP) Object(stored []byte, form url.Values, now time.Time) (Object, error) {
	request, err := readStored[presentation.Request](stored)
	if err != nil {
		return Object{}, err
	}
	said, err := presentation.ParseRequestURIPost(form)
	if err != nil {
		return Object{}, err
	}
	if err := said.Check(e.Profile, request); err != nil {
		return Object{}, err
	}
	body, err := e.RequestObject(request, presentation.RequestObjectParams{WalletNonce: said.Nonce, WalletKey: said.Key, Now: now})
	return Object{presentation.ContentType, body}, err
}

func (e OpenID4VP) Open(stored []byte, form url.Values, now time.Time) (Answer, error) {
	request, err := readStored[presentation.Request](stored)
	if err != nil {
		return Answer{}, err
	}
	answer, err := request.Open(form, now)
	if err != nil {
		return Answer{}, err
	}
	return answerTo(request, answer), nil
}

// BrowserRequests returns the requests that the page passes to navigator.credentials.get (OpenID4VP 1.0 Appendix A).
func (e OpenID4VP) BrowserRequests(stored []byte, now time.Time) ([]presentation.BrowserRequest, error) {
	request, err := readStored[presentation.Request](stored)
	if err != nil {
		return nil, err
	}
	return e.Profile.BrowserRequests(request, now)
}

// OpenBrowser is Open for a response from navigator.credentials.get.
func (e OpenID4VP) OpenBrowser(stored []byte, protocol, data string, now time.Time) (Answer, error) {
	request, err := readStored[presentation.Request](stored)
	if err != nil {
		return Answer{}, err
	}
	answer, err := e.Profile.OpenBrowser(request, protocol, []byte(data), now)
	if err != nil {
		return Answer{}, err
	}
	return answerTo(request, answer), nil
}

func answerTo(request presentation.Request, answer presentation.Answer) Answer {
	a := Answer{
		Problem: answer.Error, Presentations: make(map[string]PresentationRef, len(answer.Presentations)), TransactionData: request.TransactionData,
		Session: verifier.Session{
			Nonce: request.Nonce, Audience: request.Audience(), ResponseURI: request.ResponseURI, Origin: request.Origin, Thumbprint: request.Thumbprint(),
		},
	}
	for id, list := range answer.Presentations {
		a.Presentations[id] = PresentationRef{Text: list[0]} // a recovery requests one presentation for each query
	}
	return a
}

// readStored decodes a request that New returned.
func readStored[R any](stored []byte) (R, error) {
	var request R
	if err := json.Unmarshal(stored, &request); err != nil {
		return request, fmt.Errorf("decode presentation request: %w", err)
	}
	return request, nil
}
