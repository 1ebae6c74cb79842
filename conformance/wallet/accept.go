package wallet

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"slices"

	"regain/conformance/wallet/issuance"
)

// Accept takes up an offer without asking the person: ReadOffer and Add in one.
func (w *Wallet) Accept(ctx context.Context, offerURL string) (Credential, error) {
	offer, err := w.ReadOffer(ctx, offerURL)
	if err != nil {
		return Credential{}, err
	}
	return w.Add(ctx, offer)
}

// Add takes up an offer that asks for no transaction code.
func (w *Wallet) Add(ctx context.Context, offer *Offer) (Credential, error) {
	return w.AddWithCode(ctx, offer, "")
}

// AddWithCode takes up the offer with the transaction code that the person typed: all of it that the
// wallet can hold (OpenID4VCI 1.0 §6 to §11). It returns the first credential; what was added before
// an error stays.
func (w *Wallet) AddWithCode(ctx context.Context, offer *Offer, code string) (Credential, error) {
	session, err := w.issuance.Redeem(ctx, offer.offered, code)
	if err != nil {
		return Credential{}, err
	}
	var added []*holding
	for _, kind := range offer.offered.Credentials {
		held, err := w.take(ctx, session, offer, kind)
		if err != nil {
			return Credential{}, err
		}
		added = append(added, held...)
	}
	return added[0].Credential, nil
}

// take asks for one kind of credential. What comes back is checked before it is kept, and the issuer
// hears what became of it.
func (w *Wallet) take(ctx context.Context, session *issuance.Session, offer *Offer, kind issuance.Kind) ([]*holding, error) {
	issued, err := session.Request(ctx, kind)
	if err != nil {
		return nil, err
	}
	held, err := w.bind(issued)
	event := issuance.Accepted
	if err != nil {
		event = issuance.Failure
	}
	metadata := offer.offered.Metadata()
	for _, h := range held {
		h.issuer, h.faceCheckURL, h.nonceURL = offer.Issuer, metadata.FaceCheckURL, metadata.NonceURL
		w.held.Put(h)
		w.cfg.Logger.InfoContext(ctx, "credential added", "credential", h.Credential)
	}
	if notified := session.Notify(ctx, issued, event); notified != nil {
		w.cfg.Logger.WarnContext(ctx, "issuer not notified", "error", notified) // it is told, not asked
	}
	if err != nil {
		return nil, fmt.Errorf("checking the credential: %w", err)
	}
	return held, nil
}

// bind finds the key that each credential is bound to: their order says nothing about it (OpenID4VCI 1.0 §8.3).
func (w *Wallet) bind(issued issuance.Issued) ([]*holding, error) {
	keys := slices.Clone(issued.Keys)
	held := make([]*holding, 0, len(issued.Credentials))
	for _, raw := range issued.Credentials {
		var c Credential
		var err error
		at := slices.IndexFunc(keys, func(key *ecdsa.PrivateKey) bool {
			c, err = w.check.inspect(issued.Kind.Format, raw, issued.Kind.Type, &key.PublicKey)
			return err == nil || !errors.Is(err, errNotBound)
		})
		if at < 0 || err != nil {
			return nil, err
		}
		c.Name = issued.Kind.Name
		held = append(held, &holding{Credential: c, key: keys[at]})
		keys = slices.Delete(keys, at, at+1)
	}
	return held, nil
}
