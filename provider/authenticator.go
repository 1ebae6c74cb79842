package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"regain/presentation/authenticator"
	"regain/presentation/dcql"
	"regain/verifier"
)

// siop2022 is what wallets like Microsoft Authenticator speak.
type siop2022 struct {
	*authenticator.Profile
	issuers []string
	random  io.Reader
}

func (siop2022) formats() []string { return []string{dcql.FormatJWTVC} }

func (e siop2022) newRequest(w wish) ([]byte, error) {
	if w.origin != "" || len(w.data) > 0 {
		return nil, errors.New("wallets of this kind are asked by a link only, and know no transaction data")
	}
	request, err := e.NewRequest(authenticator.RequestParams{RedirectURI: w.responseURI, Query: w.query, Issuers: e.issuers, Lifetime: w.lifetime}, e.random, w.now)
	if err != nil {
		return nil, err
	}
	return json.Marshal(request)
}

func (siop2022) read(stored []byte) (authenticator.Request, error) {
	var request authenticator.Request
	if err := json.Unmarshal(stored, &request); err != nil {
		return request, fmt.Errorf("decode presentation request: %w", err)
	}
	return request, nil
}

func (siop2022) inLink() bool { return false }

func (e siop2022) link(to doors, _ []byte, _ time.Time) (string, error) {
	return e.Link(to.request), nil
}

func (e siop2022) object(stored []byte, _ url.Values, now time.Time) (served, error) {
	request, err := e.read(stored)
	if err != nil {
		return served{}, err
	}
	body, err := e.RequestObject(request, now)
	return served{authenticator.ContentType, body}, err
}

func (e siop2022) open(stored []byte, form url.Values, now time.Time) (opened, error) {
	request, err := e.read(stored)
	if err != nil {
		return opened{}, err
	}
	answer, err := request.Open(form, now)
	if err != nil {
		return opened{}, err
	}
	o := opened{
		shown: make(map[string]located, len(answer.Presentations)), idToken: answer.IDToken,
		session: verifier.Session{Nonce: request.Nonce, Audience: e.ClientID(), ResponseURI: request.RedirectURI},
	}
	for id, at := range answer.Presentations {
		o.shown[id] = located{at.Presentation, at.Credential}
	}
	return o, nil
}
