package recovery

import (
	"context"
	"crypto/subtle"
	"slices"
	"strings"
	"time"
)

// OpenRequest is a pending presentation request with its transaction, for the endpoints that wallets call.
type OpenRequest struct {
	Transaction Transaction
	Channel     Channel
	Profile     Profile

	index int
	older bool // it was found by the handle of the previous QR code
}

// Request returns the presentation request that Attach stored; nil before Attach and after an answer.
func (o OpenRequest) Request() []byte { return o.Transaction.Presentation.Requests[o.index].Request }

// Handle returns the request's current handle. A wallet that scanned the previous QR code shortly before it was
// replaced answers under this one too.
func (o OpenRequest) Handle() Handle { return o.Transaction.HandleOf(o.Channel) }

// Answered reports whether the attempt has a genuine answer.
func (o OpenRequest) Answered() bool { return o.Transaction.Presentation.Answer != nil }

// Find returns the pending request that a handle identifies. A handle of an earlier attempt or of an ended
// transaction, and any other value, is ErrNoTransaction.
func (s *Service) Find(ctx context.Context, handle Handle) (OpenRequest, error) {
	id, secret, _ := strings.Cut(string(handle), ".")
	t, err := s.get(ctx, TransactionID(id))
	if err != nil {
		return OpenRequest{}, err
	}
	now := s.ports.Clock()
	if t.Late(now) {
		return OpenRequest{}, ErrExpired
	}
	profile, err := s.Profile(t)
	if err != nil {
		return OpenRequest{}, err
	}
	t = t.withNextCode(secret)
	i, older, err := t.requestBySecret(secret, now)
	if err != nil {
		return OpenRequest{}, err
	}
	return OpenRequest{Transaction: t, Channel: t.Presentation.Requests[i].Channel, Profile: profile, index: i, older: older}, nil
}

// requestBySecret returns the index of the request that a secret identifies, and whether the secret is that of the
// previous QR code. A QR code that was not scanned during its lifetime is ErrExpired, and the request of a closed channel is
// ErrClosed.
func (t Transaction) requestBySecret(secret string, now time.Time) (index int, older bool, err error) {
	if t.Presentation == nil {
		return 0, false, ErrNoTransaction
	}
	for i, r := range t.Presentation.Requests {
		if r.Closed && (sameSecret(r.Secret, secret) || sameSecret(r.Before, secret)) {
			return 0, false, ErrClosed
		}
		if sameSecret(r.Secret, secret) {
			if r.Flow == FlowCrossDevice && r.Request == nil && t.Presentation.Answer == nil && now.After(r.Since.Add(r.Lifetime+rotationGrace)) {
				return 0, false, ErrExpired
			}
			return i, false, nil
		}
		if sameSecret(r.Before, secret) {
			if r.Request == nil && now.After(r.Since.Add(rotationGrace)) {
				return 0, false, ErrExpired
			}
			return i, true, nil
		}
		if r.wasCode(secret) {
			return 0, false, ErrExpired
		}
	}
	return 0, false, ErrNoTransaction
}

// sameSecret compares secrets in constant time. The empty secret matches nothing.
func sameSecret(own, other string) bool {
	return own != "" && subtle.ConstantTimeCompare([]byte(own), []byte(other)) == 1
}

// Occasion is the reason why a presentation request is built and attached.
type Occasion int

// The occasions.
const (
	WalletFetched  Occasion = iota // a wallet fetched the request URI for the first time
	LinkShown                      // a link that contains the whole request is about to be shown
	RequestExpired                 // the attached request can no longer be answered, and the person opened it again
)

// Attach stores the presentation request that was built for an open request. The domain does not read it. A request
// that is already attached stays, unless it expired. Attach returns ErrConflict if the transaction was changed since
// Find; RetryOnConflict then finds the request that won.
//
// A request behind a QR code is attached only once: renewing it would reactivate a scanned code for anyone who has a
// picture of it.
func (s *Service) Attach(ctx context.Context, open OpenRequest, request []byte, occasion Occasion) (OpenRequest, error) {
	if open.Answered() {
		return OpenRequest{}, ErrAnswered
	}
	if occasion != RequestExpired && open.Request() != nil {
		return open, nil
	}
	if occasion == RequestExpired && open.Channel.Flow == FlowCrossDevice {
		return OpenRequest{}, ErrExpired
	}
	changed, event := open.Transaction, EventPresentationRenewed
	switch occasion {
	case LinkShown:
		event = EventPresentationPrepared
	case WalletFetched:
		event = EventPresentationRetrieved
		var err error
		if changed, err = s.apply(ctx, open.Transaction, StepRetrieve); err != nil {
			return OpenRequest{}, err
		}
	}
	changed.Presentation = changed.Presentation.with(open.index, func(r *PendingRequest) {
		r.fix()
		if r.Request = request; !open.older { // the current code was scanned: pictures of the previous one stop working
			r.Before = ""
		}
	})
	var err error
	open.Transaction, err = s.store(ctx, changed, event)
	return open, err
}

// with returns a copy of a with one request changed. Transactions are values: a copy must not share its requests.
func (a *PresentationAttempt) with(index int, change func(*PendingRequest)) *PresentationAttempt {
	c := *a
	c.Requests = slices.Clone(a.Requests)
	change(&c.Requests[index])
	return &c
}
