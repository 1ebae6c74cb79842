package authenticator

import (
	"fmt"

	"regain/conformance/spoil"
	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator/exchange"
)

// submission is a presentation_submission (Presentation Exchange, Presentation Submission).
type submission struct {
	ID         string  `json:"id"`
	Definition string  `json:"definition_id"`
	Map        []entry `json:"descriptor_map"`
}

// entry says where the answer to an input descriptor is: in which presentation, and where therein.
type entry struct {
	ID     string `json:"id"`
	Format string `json:"format"`
	Path   string `json:"path"`
	Nested *entry `json:"path_nested,omitempty"`
}

// plan says which credentials go into which presentation.
type plan struct {
	presentations [][]string
	answers       []answer // one for each definition
}

type answer struct {
	definition string
	places     []place
}

type place struct {
	descriptor string
	at, within int // which presentation, and which of its credentials
}

// plan puts the credentials for one definition into one presentation, because the library cannot
// send several for it, and those for several definitions into one each.
func (w *Wallet) plan(r *Request, o ShareOptions) (plan, error) {
	var p plan
	for _, d := range r.definitions {
		a := answer{definition: d.ID}
		for _, descriptor := range d.Descriptors {
			if descriptor.ID == o.Tamper.Drop {
				continue
			}
			credential, err := w.resolve(r, descriptor, o.Tamper)
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

// submissions is what _vp_token holds: an object for one definition, else an array.
func (w *Wallet) submissions(p plan, o ShareOptions) (any, error) {
	type token struct {
		Submission submission `json:"presentation_submission"`
	}
	var all []token
	for _, a := range p.answers {
		id, err := w.uuid()
		if err != nil {
			return nil, err
		}
		s := submission{ID: id, Definition: a.definition}
		if o.Tamper.Definition != "" {
			s.Definition = o.Tamper.Definition
		}
		for _, at := range a.places {
			s.Map = append(s.Map, p.entry(at, o))
		}
		all = append(all, token{s})
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

func (p plan) entry(at place, o ShareOptions) entry {
	path, nested := "$", "$.verifiableCredential"
	if len(p.presentations) > 1 {
		path = fmt.Sprintf("$[%d]", at.at)
	}
	if o.NewerPaths {
		nested = "$.vp.verifiableCredential"
	}
	if o.Tamper.WrongPaths {
		at.within = p.next(at)
	}
	return entry{ID: at.descriptor, Format: "jwt_vp", Path: path, Nested: &entry{
		ID: at.descriptor, Format: "jwt_vc", Path: fmt.Sprintf("%s[%d]", nested, at.within),
	}}
}

// next is another credential of the same presentation, or none when it holds no other.
func (p plan) next(at place) int {
	if n := len(p.presentations[at.at]); n > 1 {
		return (at.within + 1) % n
	}
	return at.within + 1
}

// resolve returns the JWT VC that is sent for an input descriptor.
func (w *Wallet) resolve(r *Request, d exchange.Descriptor, t Tamper) (string, error) {
	credential, instead := t.Credentials[d.ID]
	if !instead {
		h, err := w.holdingFor(r, d)
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
func (w *Wallet) holdingFor(r *Request, d exchange.Descriptor) (*holding, error) {
	for _, s := range r.Shares {
		if s.Descriptor != d.ID {
			continue
		}
		if !s.FaceCheck {
			return w.find(s.Credential.ID)
		}
		receipt, err := w.receipt(r, s)
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

func (w *Wallet) receipt(r *Request, s Share) (*holding, error) {
	var newest *holding
	for _, h := range w.store.All() {
		if h.source == s.Credential.ID && !h.taken.Before(r.reviewed) && !h.expired(w.cfg.Clock()) {
			newest = h
		}
	}
	if newest == nil {
		return nil, wallet.ErrFaceCheckNeeded
	}
	return newest, nil
}
