package authenticator

import (
	"fmt"
	"time"

	"regain/conformance/spoil"
	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator/exchange"
	"regain/conformance/wallet/store"
)

// holding is a credential with what only the wallet knows of it.
type holding struct {
	Credential
	from   Source
	source string    // of a receipt: the credential whose portrait was compared
	taken  time.Time // of a receipt: when it arrived, by the wallet's clock
}

// Names implements store.Held.
func (h *holding) Names() (id, source string) { return h.ID, h.source }

// holdings are what the person holds, and what of it answers a request.
type holdings struct {
	store.Store[*holding]
	clock       func() time.Time
	receiptType string
}

func (all *holdings) find(id string) (*holding, error) {
	h, held := all.Find(id)
	if !held {
		return nil, fmt.Errorf("looking up %q: %w", id, wallet.ErrNotHeld)
	}
	return h, nil
}

// plan puts the credentials for one definition into one presentation, because the library cannot
// send several for it, and those for several definitions into one each.
func (all *holdings) plan(r *Request, o ShareOptions) (plan, error) {
	var p plan
	for _, d := range r.definitions {
		a := answer{definition: d.ID}
		for _, descriptor := range d.Descriptors {
			if descriptor.ID == o.Tamper.Drop {
				continue
			}
			credential, err := all.resolve(r, descriptor, o.Tamper)
			if err != nil {
				return plan{}, err
			}
			if len(a.places) == 0 || o.OneEach {
				p.presentations = append(p.presentations, nil)
			}
			last := len(p.presentations) - 1
			a.places = append(a.places, place{descriptor.ID, last, len(p.presentations[last])})
			p.presentations[last] = append(p.presentations[last], credential)
		}
		p.answers = append(p.answers, a)
	}
	return p, nil
}

// resolve returns the JWT VC that is sent for an input descriptor.
func (all *holdings) resolve(r *Request, d exchange.Descriptor, t Tamper) (string, error) {
	credential, instead := t.Credentials[d.ID]
	if !instead {
		h, err := all.holdingFor(r, d)
		if err != nil {
			return "", err
		}
		credential = h.raw
	}
	if members, ok := t.Alter[d.ID]; ok {
		credential = spoil.Subject(credential, members)
	}
	if t.BreakVCSignature == d.ID {
		credential = spoil.Signature(credential)
	}
	return credential, nil
}

// holdingFor finds what the review chose. For a Face Check that is the newest receipt taken for the
// credential since the review: an older one says who held the phone at another time.
func (all *holdings) holdingFor(r *Request, d exchange.Descriptor) (*holding, error) {
	for _, s := range r.Shares {
		if s.Descriptor != d.ID {
			continue
		}
		if !s.FaceCheck {
			return all.find(s.Credential.ID)
		}
		receipt, err := all.receipt(r, s)
		if err != nil {
			return nil, err
		}
		if !d.Matches(receipt.types, receipt.claims) {
			return nil, fmt.Errorf("the receipt: %w", wallet.ErrNothingToShare)
		}
		return receipt, nil
	}
	return nil, wallet.ErrNothingToShare
}

func (all *holdings) receipt(r *Request, s Share) (*holding, error) {
	var newest *holding
	for _, h := range all.All() {
		if h.source == s.Credential.ID && !h.taken.Before(r.reviewed) && !h.expired(all.clock()) {
			newest = h
		}
	}
	if newest == nil {
		return nil, wallet.ErrFaceCheckNeeded
	}
	return newest, nil
}
