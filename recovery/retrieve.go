package recovery

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
	"time"
)

// OpenRequest is a pending presentation request as the wallet's side of the server needs it.
type OpenRequest struct {
	Transaction Transaction
	Channel     Channel
	Profile     Profile

	index int
	older bool // the handle was that of the QR code before this one
}

// Request returns the presentation request that Attach stored; nil before that, and after an answer.
func (o OpenRequest) Request() []byte { return o.Transaction.Presentation.Requests[o.index].Request }

// Handle returns the request's current handle: a QR code that was just replaced leads to it too, and its wallet answers
// here.
func (o OpenRequest) Handle() Handle { return o.Transaction.HandleOf(o.Channel) }

// Answered reports whether a genuine answer came already.
func (o OpenRequest) Answered() bool { return o.Transaction.Presentation.Answer != nil }

// Find returns the pending request that a handle names. A handle of an earlier attempt, of an ended transaction or of none
// is ErrNoTransaction.
func (s *Service) Find(ctx context.Context, handle Handle) (OpenRequest, error) {
	id, secret, ok := strings.Cut(string(handle), ".")
	if !ok || secret == "" {
		return OpenRequest{}, ErrNoTransaction
	}
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
	i, older, err := t.requestBehind(secret, now, profile.CrossDevice.QRLifetime)
	if err != nil {
		return OpenRequest{}, err
	}
	return OpenRequest{Transaction: t, Channel: t.Presentation.Requests[i].Channel, Profile: profile, index: i, older: older}, nil
}

// requestBehind returns the position of the request that a secret opens, and whether the secret is that of the QR code
// before. A QR code that was not scanned in its time opens nothing any more.
func (t Transaction) requestBehind(secret string, now time.Time, qr time.Duration) (index int, older bool, err error) {
	if t.Presentation == nil {
		return 0, false, ErrNoTransaction
	}
	for i, r := range t.Presentation.Requests {
		if r.Closed && (sameSecret(r.Secret, secret) || sameSecret(r.Before, secret)) {
			return 0, false, ErrExpired
		}
		if sameSecret(r.Secret, secret) {
			if r.Flow == FlowCrossDevice && r.Request == nil && t.Presentation.Answer == nil && now.After(r.Since.Add(qr+rotationGrace)) {
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
	}
	return 0, false, ErrNoTransaction
}

// sameSecret compares secrets in constant time. The empty secret matches nothing.
func sameSecret(own, other string) bool {
	return own != "" && subtle.ConstantTimeCompare([]byte(own), []byte(other)) == 1
}

// Occasion is why a presentation request is built and attached.
type Occasion int

// The occasions.
const (
	WalletFetched  Occasion = iota // a wallet came to the request URI for the first time
	LinkShown                      // a link that holds the whole request is about to be shown
	RequestExpired                 // the request that was attached can no longer be answered, and somebody came back to it
)

// Attach stores the presentation request that was built for an open request: protocol matter, which the domain keeps
// without reading it. A request that is there stays, but for one that expired. Attach returns ErrConflict if somebody else changed the transaction since Find; RetryOnConflict then
// finds their request. A request behind a QR code is attached once: a code that was scanned would come to life again for
// whoever has a picture of it.
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
		if r.Request = request; !open.older { // who scanned this code shuts out whoever has a picture of the one before
			r.Before = ""
		}
	})
	var err error
	open.Transaction, err = s.store(ctx, changed, event)
	return open, err
}

// with returns a copy of a with one request changed: transactions are values, and what is inside must not be shared.
func (a *PresentationAttempt) with(index int, change func(*PendingRequest)) *PresentationAttempt {
	c := *a
	c.Requests = slices.Clone(a.Requests)
	change(&c.Requests[index])
	return &c
}

// rotationGrace is how long a QR code still works after another took its place: somebody had just scanned it.
const rotationGrace = 15 * time.Second

// Rotate gives each QR code that was not scanned in its time another secret, so that a picture of one is soon worth
// nothing (Cross-Device Flows: Security BCP §6.1.2, short-lived codes). It returns t when none is due; when somebody else
// changed the transaction meanwhile, theirs is as good.
func (s *Service) Rotate(ctx context.Context, t Transaction) (Transaction, error) {
	if t.Presentation == nil || t.Presentation.Answer != nil || !t.State.Open() {
		return t, nil
	}
	profile, err := s.Profile(t)
	if err != nil {
		return t, err
	}
	now := s.ports.Clock()
	changed := t
	for i, r := range t.Presentation.Requests {
		if r.Flow != FlowCrossDevice || r.Request != nil || r.Closed || now.Before(r.Since.Add(profile.CrossDevice.QRLifetime)) {
			continue
		}
		secret, err := newSecret(s.ports.Random, handleSize)
		if err != nil {
			return t, err
		}
		changed.Presentation = changed.Presentation.with(i, func(r *PendingRequest) { r.Before, r.Secret, r.Since = r.Secret, secret, now })
	}
	if changed.Presentation == t.Presentation {
		return t, nil
	}
	stored, err := s.compareAndSwap(ctx, changed)
	if errors.Is(err, ErrConflict) {
		return s.get(ctx, t.ID)
	}
	return stored, err
}
