package proofing

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"regain/conformance/people"
)

// grantType is the OAuth grant of the pre-authorized code flow (OpenID4VCI 1.0 §3.5).
const grantType = "urn:ietf:params:oauth:grant-type:pre-authorized_code"

// offer is a Verified ID waiting for a wallet. Its fields are guarded by Server.mu.
type offer struct {
	id       string
	code     string // kept in the clear while open: the offer's URL has to answer with it
	file     dossier
	expires  time.Time
	redeemed bool
	issued   []string // the jti of each Verified ID that the wallet fetched
}

// grant is an access token: it is good for the Verified IDs of one offer.
type grant struct {
	offer   *offer
	expires time.Time
	busy    bool // a credential request is under way
}

// ErrFull means that too many journeys or offers are open at once.
var ErrFull = errors.New("too many are open")

// Offer makes a credential offer for a sample person and returns its URL, as if they had walked through the pages.
func (s *Server) Offer(personID string) (string, error) {
	person, found := people.Find(personID)
	if !found {
		return "", fmt.Errorf("offering a Verified ID to %q: no such person", personID)
	}
	file, err := newDossier(person)
	if err != nil {
		return "", err
	}
	made, err := s.newOffer(file)
	if err != nil {
		return "", err
	}
	return s.offerURL(made), nil
}

func (s *Server) newOffer(file dossier) (*offer, error) {
	id, err := s.token(16)
	if err != nil {
		return nil, err
	}
	code, err := s.token(32)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Clock()
	s.sweep(now)
	if len(s.offers) >= s.limits.open {
		return nil, fmt.Errorf("making an offer: %w", ErrFull)
	}
	made := &offer{id: id, code: code, file: file, expires: now.Add(shortLife)}
	s.offers[id], s.codes[digest(code)] = made, made
	return made, nil
}

// sweep forgets what has expired. The caller holds the lock.
func (s *Server) sweep(now time.Time) {
	for id, o := range s.offers {
		if now.After(o.expires) {
			delete(s.offers, id)
			delete(s.codes, digest(o.code))
		}
	}
	for id, g := range s.grants {
		if now.After(g.expires) {
			delete(s.grants, id)
		}
	}
	for id, j := range s.journeys {
		if now.After(j.expires) {
			delete(s.journeys, id)
		}
	}
	for id, forget := range s.seenTokens {
		if now.After(forget) {
			delete(s.seenTokens, id)
		}
	}
}

func (s *Server) offerURL(o *offer) string { return s.config.BaseURL + "/offers/" + o.id }

// walletLink opens the wallet with the offer (OpenID4VCI 1.0 §4.1.3).
func (s *Server) walletLink(o *offer) string {
	return s.config.WalletOfferEndpoint + "?" + url.Values{"credential_offer_uri": {s.offerURL(o)}}.Encode()
}

// serveOffer answers the wallet that follows credential_offer_uri. A redeemed or expired offer is gone.
func (s *Server) serveOffer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	o, found := s.offers[r.PathValue("id")]
	open := found && !o.redeemed && !s.config.Clock().After(o.expires)
	s.mu.Unlock()
	if !open {
		http.NotFound(w, r)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"credential_issuer":            s.config.BaseURL,
		"credential_configuration_ids": []string{ConfigurationID},
		"grants":                       map[string]any{grantType: map[string]any{"pre-authorized_code": o.code}},
	})
}
