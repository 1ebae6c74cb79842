// Package offer keeps credential offers (OpenID4VCI 1.0 §4) from the end of a person's pages, or of a test's call, until
// the wallet has what was offered.
package offer

import (
	"crypto/subtle"
	"net/url"
	"slices"
	"sync"
	"time"

	"regain/conformance/proofing/credential"
	"regain/conformance/proofing/web"
)

// Life is how long an offer, and the access token that it is redeemed for, are good.
const Life = 5 * time.Minute

// maxMisses is how many wrong transaction codes an offer stands (OpenID4VCI 1.0 §13.6.3).
const maxMisses = 3

// Offer is a Verified ID waiting for a wallet.
type Offer struct {
	ID             string
	Configurations []string
	TxCode         string // the person has to type it into the wallet; empty if nothing is asked for
	File           credential.Dossier
	Expires        time.Time

	code string // kept in the clear while open: the offer's URL has to answer with it

	mu       sync.Mutex
	misses   int // wrong transaction codes
	redeemed bool
	issued   map[string][]string // by configuration: the names of the credentials that the wallet fetched
}

// State is what the wallet did with an offer.
type State int

// The states.
const (
	Open    State = iota // waits for the wallet
	Taken                // the wallet came for it
	Fetched              // the wallet has it
	Lapsed               // not fetched in time, or too many wrong codes
)

// State says where the offer stands.
func (o *Offer) State(at time.Time) State {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case len(o.issued) > 0:
		return Fetched
	case o.redeemed && at.After(o.Expires.Add(Life)):
		return Lapsed
	case o.redeemed:
		return Taken
	case at.After(o.Expires), o.misses >= maxMisses:
		return Lapsed
	}
	return Open
}

// Issued is how many credentials of the configuration the wallet fetched.
func (o *Offer) Issued(configuration string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.issued[configuration])
}

// Note remembers the names of credentials that the wallet fetched.
func (o *Offer) Note(configuration string, names []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.issued[configuration] = append(o.issued[configuration], names...)
}

// open reports whether a wallet may still fetch the offer.
func (o *Offer) open(at time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.redeemed && !at.After(o.Expires)
}

// redeem is Book.Redeem for the offer that was found.
func (o *Offer) redeem(form url.Values, wanted []string, at time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.redeemed || o.misses >= maxMisses || at.After(o.Expires) {
		return errCode()
	}
	if err := o.checkTxCode(form); err != nil {
		return err
	}
	for _, id := range wanted {
		if !slices.Contains(o.Configurations, id) {
			return web.Refuse("invalid_authorization_details", "a credential_configuration_id was not offered")
		}
	}
	o.redeemed = true
	return nil
}

// checkTxCode compares the transaction code (OpenID4VCI 1.0 §6.1, §6.3). The caller holds the lock.
func (o *Offer) checkTxCode(form url.Values) error {
	given := form.Get("tx_code")
	switch {
	case o.TxCode == "" && form.Has("tx_code"):
		return web.Refuse("invalid_request", "no transaction code is expected")
	case o.TxCode != "" && given == "":
		return web.Refuse("invalid_request", "the transaction code is missing")
	case subtle.ConstantTimeCompare([]byte(given), []byte(o.TxCode)) == 0:
		o.misses++
		return web.Refuse("invalid_grant", "the transaction code is another one")
	}
	return nil
}

func errCode() error {
	return web.Refuse("invalid_grant", "the pre-authorized code is unknown, expired or used")
}
