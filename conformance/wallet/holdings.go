package wallet

import (
	"crypto/ecdsa"
	"fmt"
	"time"

	"regain/conformance/wallet/store"
)

// holding is a credential with what only the wallet knows of it.
type holding struct {
	Credential
	key          *ecdsa.PrivateKey
	issuer       string // credential issuer identifier: audience of the Face Check's Key Binding JWT
	faceCheckURL string // empty when the issuer offers none
	nonceURL     string
	source       string    // of a receipt: the credential whose portrait was compared
	taken        time.Time // of a receipt: when it arrived, by the wallet's clock
}

// Names implements store.Held.
func (h *holding) Names() (id, source string) { return h.ID, h.source }

// holdings are what the person holds, and what of it fits a request.
type holdings struct {
	store.Store[*holding]
	clock       func() time.Time
	receiptType string
}

func (all *holdings) find(id string) (*holding, error) {
	h, held := all.Find(id)
	if !held {
		return nil, fmt.Errorf("looking up %q: %w", id, ErrNotHeld)
	}
	return h, nil
}

// resolve finds what is presented for a share. For a Face Check that is the newest receipt taken
// for this credential since the review: an older one says who held the phone at another time.
func (all *holdings) resolve(r *Request, s Share, t Tamper) (*holding, [][]any, error) {
	if !s.FaceCheck {
		h, err := all.find(s.Credential.ID)
		return h, s.places, err
	}
	h, err := all.receipt(r, s, t.Receipt)
	if err != nil {
		return nil, nil, err
	}
	selection, ok := s.query.Match(h.candidate())
	if !ok {
		return nil, nil, fmt.Errorf("the receipt: %w", ErrNothingToShare)
	}
	return h, selection.Places, nil
}

func (all *holdings) receipt(r *Request, s Share, instead string) (*holding, error) {
	if instead != "" {
		return all.find(instead)
	}
	var newest *holding
	for _, h := range all.All() {
		if h.source == s.Credential.ID && !h.taken.Before(r.reviewed) && !h.expired(all.clock()) {
			newest = h
		}
	}
	if newest == nil {
		return nil, ErrFaceCheckNeeded
	}
	return newest, nil
}
