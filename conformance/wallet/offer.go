package wallet

import (
	"context"
	"net/url"

	"regain/conformance/wallet/issuance"
)

// ErrOffer reports an offer that is malformed, or that asks for what this wallet cannot do.
var ErrOffer = issuance.ErrOffer

// ErrTransactionCode reports an offer whose transaction code was not given or may be wrong, or one
// given where none is asked for. The same offer may be tried again.
var ErrTransactionCode = issuance.ErrTransactionCode

// Offer is an issuer's offer (OpenID4VCI 1.0 §4.1) with the metadata needed to take it up. It can
// be taken up once.
type Offer struct {
	Issuer         string           // credential issuer identifier, a URL
	IssuerName     string           // what it calls itself, or its host
	CredentialName string           // what it calls the first credential, or the configuration's name
	Others         []string         // what it calls those that come with it
	TxCode         *issuance.TxCode // what the person has to type, nil for nothing

	offered *issuance.Offer
}

// ReadOffer reads what a link or a QR code offers and asks the issuer about it. Nothing is taken
// up yet: the person can still say no.
func (w *Wallet) ReadOffer(ctx context.Context, offerURL string) (*Offer, error) {
	o, err := w.issuance.Read(ctx, offerURL)
	if err != nil {
		return nil, err
	}
	offer := &Offer{Issuer: o.Issuer, IssuerName: o.IssuerName, CredentialName: o.Credentials[0].Name, TxCode: o.TxCode, offered: o}
	for _, other := range o.Credentials[1:] {
		offer.Others = append(offer.Others, other.Name)
	}
	return offer, nil
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Host
}
