// Package facecheck is the Face Check: it compares the photo in a Verified ID of this provider, in its holder's hand, with
// a selfie, and issues a receipt.
package facecheck

import (
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"time"

	"regain/conformance/jose"
	"regain/conformance/people"
	"regain/conformance/proofing/authority"
	"regain/conformance/proofing/jwtvc"
	"regain/conformance/proofing/nonce"
	"regain/conformance/proofing/random"
	"regain/conformance/proofing/web"
)

const (
	// Path is where the endpoint stands.
	Path = "/face-check"
	// Threshold is what this provider calls a match, in receipts and on its own pages.
	Threshold = 70
)

// Config says what an Endpoint needs. All of it is required.
type Config struct {
	BaseURL string // the credential issuer identifier
	Type    string // the vct of a Verified ID
	Keys    *authority.Authority
	VCs     *jwtvc.Issuer
	Nonces  *nonce.Book
	Studio  *people.Studio
	Random  *random.Source
	Clock   func() time.Time
	Errors  web.Errors
}

// Endpoint takes presentations and selfies. It is safe for concurrent use.
type Endpoint struct {
	presentations reader
	receipts      writer
	nonces        *nonce.Book
	studio        *people.Studio
	clock         func() time.Time
	errors        web.Errors
}

// New makes an Endpoint.
func New(c Config) *Endpoint {
	return &Endpoint{
		presentations: reader{baseURL: c.BaseURL, vct: c.Type, issuer: c.Keys.Issuer, licences: c.Keys.Licences, vcs: c.VCs, clock: c.Clock},
		receipts:      writer{baseURL: c.BaseURL, signer: c.Keys.Receipts, vcs: c.VCs, random: c.Random, clock: c.Clock},
		nonces:        c.Nonces, studio: c.Studio, clock: c.Clock, errors: c.Errors,
	}
}

// Mount serves the endpoint.
func (e *Endpoint) Mount(mux *http.ServeMux) { mux.HandleFunc("POST "+Path, e.serve) }

// serve compares the photo in a presented Verified ID with a selfie and answers with a receipt, whatever the score: what
// it means is for the verifier to decide.
func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request) {
	signed, err := e.check(r)
	if err != nil {
		e.errors.Fail(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, map[string]string{"receipt": signed})
}

func (e *Endpoint) check(r *http.Request) (string, error) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		return "", web.Refuse("invalid_request", "the request must be application/json")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", web.RefuseUnread(err, "invalid_request")
	}
	var request struct {
		Presentation string `json:"presentation"`
		Nonce        string `json:"nonce"` // an mdoc is signed over its digest only, so it has to stand beside it
		Selfie       string `json:"selfie"`
	}
	if err := web.DecodeJSON(body, &request); err != nil || request.Presentation == "" || request.Selfie == "" {
		return "", web.Refuse("invalid_request", "presentation and selfie are required")
	}
	shown, nonce, err := e.presentations.open(request.Presentation, request.Nonce)
	if err != nil {
		return "", web.Refuse("invalid_presentation", explain(err))
	}
	selfie, err := base64.RawURLEncoding.DecodeString(request.Selfie)
	if err != nil {
		return "", web.Refuse("invalid_selfie", "the selfie is not base64url")
	}
	// The comparison is the dear part: a nonce pays for it, and pays once.
	if !e.nonces.Spend(nonce, e.clock()) {
		return "", web.Refuse("invalid_nonce", "the nonce is not known, expired or used")
	}
	match, err := e.studio.Compare(shown.portrait, selfie)
	if err != nil {
		return "", web.Refuse("invalid_selfie", "the selfie is no usable JPEG")
	}
	return e.receipts.write(shown, match)
}

// explain says what is wrong with a presentation in words of our own: a library's error may quote the presentation.
func explain(err error) string {
	if errors.Is(err, jose.Err) {
		return "a JWT of the presentation cannot be verified"
	}
	return err.Error()
}
