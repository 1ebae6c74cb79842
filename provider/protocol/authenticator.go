package protocol

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"time"

	"regain/presentation/authenticator"
	"regain/presentation/dcql"
	"regain/verifier"
)

// siop2022 is the protocol of wallets like Microsoft Authenticator: SIOPv2 with OpenID4VP of 2022, see package
// presentation/authenticator.
type siop2022 struct {
	profile *authenticator.Profile
	issuers []string
	random  io.Reader
}

func (siop2022) Formats() []string { return []string{dcql.FormatJWTVC} }

func (e siop2022) New(w RequestParams) ([]byte, error) {
	if w.Origin != "" || len(w.TransactionData) > 0 {
		return nil, errors.New("wallets of this kind are asked by a link only, and know no transaction data")
	}
	request, err := e.profile.NewRequest(authenticator.RequestParams{RedirectURI: w.ResponseURI, Query: w.Query, Issuers: e.issuers, Lifetime: w.Lifetime}, e.random, w.Now)
	if err != nil {
		return nil, err
	}
	return json.Marshal(request)
}

func (siop2022) Expired(stored []byte, now time.Time) (bool, error) {
	request, err := readStored[authenticator.Request](stored)
	return err == nil && !now.Before(request.ExpiresAt), err
}

func (siop2022) InLink() bool { return false }

func (e siop2022) Link(to Endpoints, _ []byte, _ time.Time) (string, error) {
	return e.profile.Link(to.Request), nil
}

func (e siop2022) Object(stored []byte, _ url.Values, now time.Time) (Object, error) {
	request, err := readStored[authenticator.Request](stored)
	if err != nil {
		return Object{}, err
	}
	body, err := e.profile.RequestObject(request, now)
	return Object{authenticator.ContentType, body}, err
}

func (e siop2022) Open(stored []byte, form url.Values, now time.Time) (Answer, error) {
	request, err := readStored[authenticator.Request](stored)
	if err != nil {
		return Answer{}, err
	}
	answer, err := request.Open(form, now)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{
		Presentations: make(map[string]PresentationRef, len(answer.Presentations)), IDToken: answer.IDToken,
		Session: verifier.Session{Nonce: request.Nonce, Audience: e.profile.ClientID(), ResponseURI: request.RedirectURI},
	}
	for id, at := range answer.Presentations {
		a.Presentations[id] = PresentationRef{at.Presentation, at.Credential}
	}
	return a, nil
}
