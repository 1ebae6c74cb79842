// Package pages is the provider as a person sees it: consent, a document, a selfie, and the Verified ID that waits for
// the wallet. Every browser has a journey of its own behind a cookie, and GET /journey shows the page of the stage that
// it has reached.
//
//	GET  /                    offers a Verified ID to who comes by themselves
//	GET  /start               a hand-off arrives             → a journey
//	POST /journey/begin       without a hand-off             → a journey
//	GET  /journey             the page of the stage
//	POST /journey/{step}      a form of that page
//	GET  /journey/state       the stage, for the page's script
//	GET  /journey/offer.svg   the offer as a QR code
//	GET  /journey/selfie.jpg  the picture that was taken
//	GET  /portraits/{id}      the photo of a sample document
package pages

import (
	"net/http"
	"strings"
	"time"

	"regain/conformance/people"
	"regain/conformance/proofing/handoff"
	"regain/conformance/proofing/offer"
	"regain/conformance/proofing/random"
	"regain/conformance/proofing/web"
)

// Config says what the pages need. All of it is required.
type Config struct {
	Name     string // the provider's
	BaseURL  string
	Handoffs *handoff.Reader
	Offers   *offer.Book
	Capacity int // journeys and hand-offs that are remembered: each
	Studio   *people.Studio
	Random   *random.Source
	Clock    func() time.Time
	Errors   web.Errors
}

// Pages are the person's pages. They are safe for concurrent use.
type Pages struct {
	name      string
	handoffs  *handoff.Reader
	offers    *offer.Book
	journeys  *journeys
	templates templates
	studio    *people.Studio
	random    *random.Source
	clock     func() time.Time
	errors    web.Errors
}

// New parses the pages.
func New(c Config) (*Pages, error) {
	parsed, err := parse()
	if err != nil {
		return nil, err
	}
	kept := &journeys{
		capacity: c.Capacity, secure: strings.HasPrefix(c.BaseURL, "https:"), random: c.Random, clock: c.Clock,
		open: map[string]*journey{}, seen: map[string]time.Time{},
	}
	return &Pages{
		name: c.Name, handoffs: c.Handoffs, offers: c.Offers, journeys: kept, templates: parsed, studio: c.Studio, random: c.Random, clock: c.Clock, errors: c.Errors,
	}, nil
}

// Mount serves the pages.
func (p *Pages) Mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.serveHome)
	mux.HandleFunc("GET /start", p.serveStart)
	mux.HandleFunc("POST /journey/begin", p.serveBegin)
	mux.HandleFunc("GET /journey", p.serveJourney)
	mux.HandleFunc("POST /journey/{step}", p.serveStep)
	mux.HandleFunc("GET /journey/state", p.serveState)
	mux.HandleFunc("GET /journey/offer.svg", p.serveQR)
	mux.HandleFunc("GET /journey/selfie.jpg", p.serveSelfie)
	mux.HandleFunc("GET /portraits/{id}", p.servePortrait)
	mux.HandleFunc("GET /assets/{name}", serveAsset)
}
