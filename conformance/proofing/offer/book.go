package offer

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"regain/conformance/proofing/credential"
	"regain/conformance/proofing/random"
	"regain/conformance/proofing/web"
)

// Config says what a Book needs. All of it is required, but TransactionCode.
type Config struct {
	Name           string   // the provider's, as the person knows it
	BaseURL        string   // the credential issuer identifier
	WalletEndpoint string   // where the wallet takes offers
	Configurations []string // what the people's page offers
	// TransactionCode has the people's page show six digits, which have to be typed into the wallet.
	TransactionCode bool
	Capacity        int // offers that are open at once
	Random          *random.Source
	Clock           func() time.Time
}

// Book keeps the offers. It is safe for concurrent use.
type Book struct {
	config Config

	mu     sync.Mutex
	offers map[string]*Offer // by the id in the offer's URL
	codes  map[string]*Offer // by digest of the pre-authorized code
}

// NewBook makes a Book without an offer in it.
func NewBook(config Config) *Book {
	return &Book{config: config, offers: map[string]*Offer{}, codes: map[string]*Offer{}}
}

// transactionDigits is the length of the transaction codes that people type.
const transactionDigits = 6

// OfferTo makes the offer at the end of the pages.
func (b *Book) OfferTo(file credential.Dossier) (*Offer, error) {
	code := ""
	if b.config.TransactionCode {
		var err error
		if code, err = b.config.Random.Digits(transactionDigits); err != nil {
			return nil, err
		}
	}
	return b.Make(file, nil, code)
}

// Make makes an offer of these configurations; none are those of the people's page. txCode is what the wallet has to
// send, empty for nothing.
func (b *Book) Make(file credential.Dossier, configurations []string, txCode string) (*Offer, error) {
	id, err := b.config.Random.Token(16)
	if err != nil {
		return nil, err
	}
	code, err := b.config.Random.Token(32)
	if err != nil {
		return nil, err
	}
	if len(configurations) == 0 {
		configurations = b.config.Configurations
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.config.Clock()
	b.sweep(now)
	if len(b.offers) >= b.config.Capacity {
		return nil, fmt.Errorf("making an offer: %w", web.ErrFull)
	}
	made := &Offer{
		ID: id, code: code, File: file, Configurations: slices.Clone(configurations), TxCode: txCode,
		Expires: now.Add(Life), issued: map[string][]string{},
	}
	b.offers[id], b.codes[random.Digest(code)] = made, made
	return made, nil
}

// sweep forgets what has expired. The caller holds the lock.
func (b *Book) sweep(now time.Time) {
	for id, o := range b.offers {
		if now.After(o.Expires) {
			delete(b.offers, id)
			delete(b.codes, random.Digest(o.code))
		}
	}
}

// Redeem takes the pre-authorized code of a token request once (OpenID4VCI 1.0 §6.1). wanted are the configurations that
// the wallet asks for, nil for all that were offered. A code that was refused for its transaction code stays good, a few
// times. An error is a web.Error.
func (b *Book) Redeem(form url.Values, wanted []string) (*Offer, error) {
	b.mu.Lock()
	o, found := b.codes[random.Digest(form.Get("pre-authorized_code"))]
	b.mu.Unlock()
	if !found {
		return nil, errCode()
	}
	if err := o.redeem(form, wanted, b.config.Clock()); err != nil {
		return nil, err
	}
	return o, nil
}

// Mount serves the offers to wallets that follow credential_offer_uri.
func (b *Book) Mount(mux *http.ServeMux) { mux.HandleFunc("GET /offers/{id}", b.serve) }

// serve answers with an offer. A redeemed or expired one is gone.
func (b *Book) serve(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	o, found := b.offers[r.PathValue("id")]
	b.mu.Unlock()
	if !found || !o.open(b.config.Clock()) {
		http.NotFound(w, r)
		return
	}
	web.WriteJSON(w, http.StatusOK, b.object(o))
}
