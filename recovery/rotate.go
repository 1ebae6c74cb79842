package recovery

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// The secret of a QR code is replaced when nobody scanned it during its lifetime, so that a picture of a code soon becomes
// useless (Cross-Device Flows: Security BCP §6.1.2, short-lived codes). Nothing is stored for that, since nothing happened:
// the attempt has a seed, and the secret of each lifetime is made of the seed and the number of the lifetime. Without the
// seed, which no page and no wallet gets to see, no code tells anything of another one. The code that is scanned is fixed
// then: it is stored, and the seed is not kept.

// rotationGrace is how long a replaced QR code still works, for a person who had just scanned it.
const rotationGrace = 15 * time.Second

// codes are the QR codes of a request at a moment. They are made when a transaction is read, and not stored.
type codes struct {
	turn int64 // number of the lifetime, from 0
	next string
	from time.Time // when the next one takes the place of the current one
}

// codeOf returns the secret of one lifetime's QR code.
func codeOf(seed string, turn int64) string {
	mac := hmac.New(sha256.New, []byte(seed))
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(turn))) //nolint:gosec // any bits will do
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:handleSize])
}

// get returns the transaction with the QR codes of now.
func (s *Service) get(ctx context.Context, id TransactionID) (Transaction, error) {
	t, err := s.read(ctx, id)
	if err != nil {
		return t, err
	}
	if shown, err := s.showing(t); err == nil {
		return shown, nil
	}
	return t, nil // its profile was removed: whoever needs that says so, and everybody else can end it
}

// showing returns t with the QR codes of now, and t unchanged when none waits to be scanned.
func (s *Service) showing(t Transaction) (Transaction, error) {
	if !t.rotates() {
		return t, nil
	}
	if _, err := s.Profile(t); err != nil {
		return t, err
	}
	now := s.ports.Clock()
	for i, r := range t.Presentation.Requests {
		if r.unscanned() && r.Seed != "" && r.Lifetime > 0 {
			t.Presentation = t.Presentation.with(i, func(r *PendingRequest) { r.show(now) })
		}
	}
	return t, nil
}

// show makes the codes of a moment. The clock of another node may be a little behind that of the one that made the seed.
func (r *PendingRequest) show(now time.Time) {
	r.codes.turn = max(0, int64(now.Sub(r.Asked)/r.Lifetime))
	r.Since = r.Asked.Add(time.Duration(r.codes.turn) * r.Lifetime)
	r.codes.from = r.Since.Add(r.Lifetime)
	r.Secret, r.Before, r.codes.next = codeOf(r.Seed, r.codes.turn), "", codeOf(r.Seed, r.codes.turn+1)
	if r.codes.turn > 0 {
		r.Before = codeOf(r.Seed, r.codes.turn-1)
	}
}

// fix ends the replacement of a QR code: the current one stays.
func (r *PendingRequest) fix() { r.Seed, r.Asked, r.Lifetime, r.codes = "", time.Time{}, 0, codes{} }

// withNextCode returns t as it will be shortly, if the secret is that of the next QR code: a node whose clock is ahead of
// ours shows it already.
func (t Transaction) withNextCode(secret string) Transaction {
	if t.Presentation == nil {
		return t
	}
	for i, r := range t.Presentation.Requests {
		if sameSecret(r.codes.next, secret) {
			t.Presentation = t.Presentation.with(i, func(r *PendingRequest) { r.Before, r.Secret, r.Since = r.Secret, r.codes.next, r.codes.from })
		}
	}
	return t
}

// wasCode reports whether a secret is that of a QR code before the previous one.
func (r PendingRequest) wasCode(secret string) bool {
	for turn := r.codes.turn - 2; r.Seed != "" && turn >= 0; turn-- {
		if sameSecret(codeOf(r.Seed, turn), secret) {
			return true
		}
	}
	return false
}

// rotates reports whether QR codes are replaced while nobody scans them.
func (t Transaction) rotates() bool {
	return t.Presentation != nil && t.Presentation.Answer == nil && t.State.Open()
}

// unscanned reports whether the request has a QR code that waits to be scanned.
func (r PendingRequest) unscanned() bool {
	return r.Flow == FlowCrossDevice && r.Request == nil && !r.Closed
}

// Due returns when time alone will change what is shown of t: Open will find it expired, or with another QR code. The zero
// time means never. A page that waits for t has no other reason to look at it than this, and a change by somebody.
func (s *Service) Due(t Transaction) (time.Time, error) {
	var due time.Time
	if t.expires() {
		due = t.ExpiresAt
	}
	if !t.rotates() {
		return due, nil
	}
	shown, err := s.showing(t)
	if err != nil {
		return due, err
	}
	for _, r := range shown.Presentation.Requests {
		if ends := r.codes.from; r.unscanned() && ends.Before(due) {
			due = ends
		}
	}
	return due, nil
}
