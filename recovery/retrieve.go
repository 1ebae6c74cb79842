package recovery

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Asked is an open presentation request as the wallet's side of the server needs it.
type Asked struct {
	Transaction Transaction
	Way         Way
	Profile     Profile

	door  int
	older bool // the handle was that of the QR code before this one
}

// Request returns the presentation request behind the door, as MakeRequest made it; nil before that.
func (a Asked) Request() []byte { return a.Transaction.Round.Doors[a.door].Request }

// Handle returns the door's own handle. A code that was just replaced leads here too, and its wallet answers here.
func (a Asked) Handle() Handle { return a.Transaction.HandleOf(a.Way) }

// Answered reports whether a genuine answer came already.
func (a Asked) Answered() bool { return a.Transaction.Round.Answer != nil }

// Find returns the open request that handle names. A handle of an earlier round, of an ended transaction or of none
// is ErrNoTransaction.
func (s *Service) Find(ctx context.Context, handle Handle) (Asked, error) {
	id, secret, ok := strings.Cut(string(handle), ".")
	if !ok || secret == "" {
		return Asked{}, ErrNoTransaction
	}
	t, err := s.get(ctx, TransactionID(id))
	if err != nil {
		return Asked{}, err
	}
	now := s.ports.Clock()
	if t.Late(now) {
		return Asked{}, ErrExpired
	}
	profile, err := s.Profile(t)
	if err != nil {
		return Asked{}, err
	}
	i, older, err := t.doorBehind(secret, now, profile.CrossDevice.QRLifetime)
	if err != nil {
		return Asked{}, err
	}
	return Asked{Transaction: t, Way: t.Round.Doors[i].Way, Profile: profile, door: i, older: older}, nil
}

// doorBehind returns the door that a secret opens, and whether it is that of the code before. A QR code that nobody
// scanned in its time opens nothing any more.
func (t Transaction) doorBehind(secret string, now time.Time, qr time.Duration) (door int, older bool, err error) {
	if t.Round == nil {
		return 0, false, ErrNoTransaction
	}
	for i, d := range t.Round.Doors {
		if d.Closed && (sameSecret(d.Secret, secret) || sameSecret(d.Before, secret)) {
			return 0, false, ErrExpired
		}
		if sameSecret(d.Secret, secret) {
			if d.Flow == FlowCrossDevice && d.Request == nil && t.Round.Answer == nil && now.After(d.Since.Add(qr+rotationGrace)) {
				return 0, false, ErrExpired
			}
			return i, false, nil
		}
		if sameSecret(d.Before, secret) {
			if d.Request == nil && now.After(d.Since.Add(rotationGrace)) {
				return 0, false, ErrExpired
			}
			return i, true, nil
		}
	}
	return 0, false, ErrNoTransaction
}

// sameSecret compares secrets in constant time. No secret is nobody's.
func sameSecret(own, other string) bool {
	return own != "" && subtle.ConstantTimeCompare([]byte(own), []byte(other)) == 1
}

// MakeRequest builds the presentation request for a way: protocol matter that the domain keeps without reading.
type MakeRequest func(ctx context.Context, a Asked, expires time.Time) ([]byte, error)

// Retrieve is the wallet fetching its request. The first fetch makes the request; later ones, which are allowed until
// it is answered, get the same one.
func (s *Service) Retrieve(ctx context.Context, handle Handle, build MakeRequest) (Asked, error) {
	return s.request(ctx, handle, nil, build, func(t Transaction) (Transaction, EventType, error) {
		changed, err := s.apply(ctx, t, StepRetrieve)
		return changed, EventPresentationRetrieved, err
	})
}

// Prepare makes the request without a wallet having fetched it, for a link that has the whole request in it.
func (s *Service) Prepare(ctx context.Context, handle Handle, build MakeRequest) (Asked, error) {
	return s.request(ctx, handle, nil, build, func(t Transaction) (Transaction, EventType, error) {
		return t, EventPresentationPrepared, nil
	})
}

// Renew makes the request behind a door anew, in the place of the one that old has, which can no longer be answered. It
// does not behind a QR code: one that was scanned would come to life again for whoever has its picture.
func (s *Service) Renew(ctx context.Context, old Asked, build MakeRequest) (Asked, error) {
	if old.Way.Flow == FlowCrossDevice {
		return Asked{}, ErrExpired
	}
	return s.request(ctx, old.Handle(), old.Request(), build, func(t Transaction) (Transaction, EventType, error) {
		return t, EventPresentationRenewed, nil
	})
}

// request returns the request behind a handle, made and stored if none is there but a stale one.
func (s *Service) request(ctx context.Context, handle Handle, stale []byte, build MakeRequest, step func(Transaction) (Transaction, EventType, error)) (Asked, error) {
	return again(func() (Asked, error) {
		asked, err := s.Find(ctx, handle)
		switch {
		case err != nil:
			return Asked{}, err
		case asked.Answered():
			return Asked{}, ErrAnswered
		case asked.Request() != nil && !bytes.Equal(asked.Request(), stale):
			return asked, nil
		}
		return s.openDoor(ctx, asked, build, step)
	})
}

func (s *Service) openDoor(ctx context.Context, asked Asked, build MakeRequest, step func(Transaction) (Transaction, EventType, error)) (Asked, error) {
	request, err := build(ctx, asked, asked.Transaction.ExpiresAt)
	if err != nil {
		return Asked{}, fmt.Errorf("build presentation request: %w", err)
	}
	changed, event, err := step(asked.Transaction)
	if err != nil {
		return Asked{}, err
	}
	changed.Round = changed.Round.with(asked.door, func(d *Door) {
		if d.Request = request; !asked.older { // who scanned this code shuts out whoever has a picture of the one before
			d.Before = ""
		}
	})
	asked.Transaction, err = s.store(ctx, changed, event)
	return asked, err
}

// with returns a copy of r with one door changed: transactions are values, and what is inside must not be shared.
func (r *Round) with(door int, change func(*Door)) *Round {
	c := *r
	c.Doors = slices.Clone(r.Doors)
	change(&c.Doors[door])
	return &c
}

// rotationGrace is how long a QR code still works after another took its place: somebody had just scanned it.
const rotationGrace = 15 * time.Second

// Rotate gives each QR code that nobody scanned in its time another secret, so that a picture of one is soon worth
// nothing (OAuth cross-device security best practice: short-lived, one at a time). It returns t when none is due; when
// somebody else changed the transaction meanwhile, theirs is as good.
func (s *Service) Rotate(ctx context.Context, t Transaction) (Transaction, error) {
	if t.Round == nil || t.Round.Answer != nil || !t.State.Open() {
		return t, nil
	}
	profile, err := s.Profile(t)
	if err != nil {
		return t, err
	}
	now := s.ports.Clock()
	changed := t
	for i, d := range t.Round.Doors {
		if d.Flow != FlowCrossDevice || d.Request != nil || d.Closed || now.Before(d.Since.Add(profile.CrossDevice.QRLifetime)) {
			continue
		}
		secret, err := newSecret(s.ports.Random, handleSize)
		if err != nil {
			return t, err
		}
		changed.Round = changed.Round.with(i, func(d *Door) { d.Before, d.Secret, d.Since = d.Secret, secret, now })
	}
	if changed.Round == t.Round {
		return t, nil
	}
	stored, err := s.swap(ctx, changed)
	if errors.Is(err, ErrConflict) {
		return s.get(ctx, t.ID)
	}
	return stored, err
}
