package proofing

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"regain/conformance/people"
)

// grantType is the OAuth grant of the pre-authorized code flow (OpenID4VCI 1.0 §3.5).
const grantType = "urn:ietf:params:oauth:grant-type:pre-authorized_code"

// offer is a Verified ID waiting for a wallet. Its fields are guarded by Server.mu.
type offer struct {
	id             string
	code           string // kept in the clear while open: the offer's URL has to answer with it
	configurations []string
	txCode         string // the person has to type it into the wallet; empty if nothing is asked for
	misses         int    // wrong transaction codes
	file           dossier
	expires        time.Time
	redeemed       bool
	issued         map[string][]string // by configuration: the names of the credentials that the wallet fetched
}

// ErrFull means that too many journeys or offers are open at once.
var ErrFull = errors.New("too many are open")

// OfferOptions say what to offer to whom.
type OfferOptions struct {
	PersonID       string
	Configurations []string // Config.Offers if empty
	TxCode         string   // the transaction code that the wallet has to send; empty for none
}

// Offered is a credential offer that waits for a wallet.
type Offered struct {
	URL  string // where the wallet fetches it
	JSON string // the offer itself
}

// ByReference is the link that opens a wallet with the offer's URL (OpenID4VCI 1.0 §4.1.3).
func (o Offered) ByReference(wallet string) string {
	return wallet + "?" + url.Values{"credential_offer_uri": {o.URL}}.Encode()
}

// ByValue is the link that opens a wallet with the offer itself (OpenID4VCI 1.0 §4.1.2).
func (o Offered) ByValue(wallet string) string {
	return wallet + "?" + url.Values{"credential_offer": {o.JSON}}.Encode()
}

// Offer makes a credential offer for a sample person and returns its URL, as if they had walked through the pages.
func (s *Server) Offer(personID string) (string, error) {
	made, err := s.MakeOffer(OfferOptions{PersonID: personID})
	return made.URL, err
}

// MakeOffer makes a credential offer without the pages.
func (s *Server) MakeOffer(o OfferOptions) (Offered, error) {
	person, found := people.Find(o.PersonID)
	if !found {
		return Offered{}, fmt.Errorf("offering a Verified ID to %q: no such person", o.PersonID)
	}
	for _, id := range o.Configurations {
		if !known(id) {
			return Offered{}, fmt.Errorf("offering a Verified ID to %q: there is no credential configuration %q", o.PersonID, id)
		}
	}
	file, err := s.newDossier(person)
	if err != nil {
		return Offered{}, err
	}
	if len(o.Configurations) == 0 {
		o.Configurations = s.config.Offers
	}
	made, err := s.newOffer(file, o.Configurations, o.TxCode)
	if err != nil {
		return Offered{}, err
	}
	text, err := json.Marshal(s.offerObject(made))
	if err != nil {
		return Offered{}, fmt.Errorf("writing an offer: %w", err)
	}
	return Offered{URL: s.offerURL(made), JSON: string(text)}, nil
}

// offerTo makes the offer at the end of a journey.
func (s *Server) offerTo(file dossier) (*offer, error) {
	code := ""
	if s.config.TransactionCode {
		var err error
		if code, err = s.digits(transactionDigits); err != nil {
			return nil, err
		}
	}
	return s.newOffer(file, s.config.Offers, code)
}

func (s *Server) newOffer(file dossier, configurations []string, txCode string) (*offer, error) {
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
	made := &offer{
		id: id, code: code, file: file, configurations: slices.Clone(configurations), txCode: txCode,
		expires: now.Add(shortLife), issued: map[string][]string{},
	}
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
	for id, n := range s.notices {
		if now.After(n.expires) {
			delete(s.notices, id)
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

// walletLink opens the wallet with the offer.
func (s *Server) walletLink(o *offer) string {
	return Offered{URL: s.offerURL(o)}.ByReference(s.config.WalletOfferEndpoint)
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
	writeJSON(w, http.StatusOK, s.offerObject(o))
}

// offerObject is the Credential Offer (OpenID4VCI 1.0 §4.1.1). What it reads of the offer never changes.
func (s *Server) offerObject(o *offer) map[string]any {
	grant := map[string]any{"pre-authorized_code": o.code}
	if o.txCode != "" {
		mode := "text"
		if strings.Trim(o.txCode, "0123456789") == "" {
			mode = "numeric"
		}
		grant["tx_code"] = map[string]any{
			"input_mode": mode, "length": len(o.txCode), "description": "The code that " + s.config.Name + " shows you.",
		}
	}
	return map[string]any{
		"credential_issuer":            s.config.BaseURL,
		"credential_configuration_ids": o.configurations,
		"grants":                       map[string]any{grantType: grant},
	}
}
