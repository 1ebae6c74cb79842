package recovery

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Transaction is one recovery, from the authorization request that opened it to the pass that was redeemed. It is a
// value: the steps of Apply and Service return changed copies, and only a compare-and-swap on Version stores one.
type Transaction struct {
	ID      TransactionID `json:"id"`
	Version int64         `json:"-"` // the stored version this copy was read at
	State   State         `json:"state"`
	Client  ClientID      `json:"client"`
	Account AccountName   `json:"account"` // as the main IdP named it, never as evidence names it
	Profile ProfileName   `json:"profile"`
	Mode    Mode          `json:"mode"`
	// Barred says why this transaction will be denied whatever the wallet answers (no such account, out of scope …).
	// It is not shown: the journey of a barred transaction looks like any other (nothing to enumerate).
	Barred Reason `json:"barred,omitempty"`
	// Browser is the digest of the secret that the browser which started holds in its cookie.
	Browser Digest `json:"browser"`
	// Authorization is the client's authorization request, opaque here: the provider answers it at the end.
	Authorization []byte    `json:"authorization"`
	Round         *Round    `json:"round,omitempty"`
	Flow          Flow      `json:"flow,omitempty"` // how the presentation that was decided upon came
	Decision      *Decision `json:"decision,omitempty"`
	Pass          *Issued   `json:"pass,omitempty"`
	StartedAt     time.Time `json:"started_at"`
	ChangedAt     time.Time `json:"changed_at"`
	ExpiresAt     time.Time `json:"expires_at"`
	DecidedAt     time.Time `json:"decided_at,omitzero"`
	// ReturnedAt is when the browser was sent back to the client with a code; it happens once.
	ReturnedAt time.Time `json:"returned_at,omitzero"`
}

// Issued remembers that a pass was issued, not its value.
type Issued struct {
	ID        string    `json:"id"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Flow is how the wallet was reached.
type Flow string

// The two flows. Each has a request URI of its own, so that the flow is read from stored state and never from what
// a stranger sends.
const (
	FlowSameDevice  Flow = "same_device"
	FlowCrossDevice Flow = "cross_device"
)

// Round is one time of asking the wallet: a request URI for each flow, and the first genuine answer.
type Round struct {
	Doors  map[Flow]Door `json:"doors"`
	Answer *Answer       `json:"answer,omitempty"`
	// WalletError is the error that a wallet reported (OpenID4VP 1.0 §8.5), for the page. Unsigned, so it decides nothing.
	WalletError string `json:"wallet_error,omitempty"`
}

// Door is the request URI of one flow and, once a wallet fetched it, the request behind it.
type Door struct {
	Secret  string `json:"secret"`
	Request []byte `json:"request,omitempty"` // the presentation request with its keys, opaque here
}

// Answer is the wallet's genuine answer, weighed but not yet in force: it decides nothing until the browser that
// started shows ResponseCode (same device) or the person types Confirmation (cross device).
type Answer struct {
	Flow         Flow     `json:"flow"`
	ResponseCode Digest   `json:"response_code"`
	Confirmation string   `json:"confirmation,omitempty"` // six digits
	Tries        int      `json:"tries,omitempty"`        // wrong confirmations so far
	Verdict      Decision `json:"verdict"`
}

// Late reports whether the transaction's end of life has come.
func (t Transaction) Late(now time.Time) bool { return !now.Before(t.ExpiresAt) }

// LogValue keeps keys, codes and the authorization request out of logs.
func (t Transaction) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", string(t.ID)), slog.String("state", string(t.State)))
}

// Format does for fmt what LogValue does for slog.
func (t Transaction) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "transaction %s (%s)", t.ID, t.State)
}

// Digest is the base64url SHA-256 of a secret: what is stored where the secret itself need not be.
type Digest string

// DigestOf returns the digest of a secret.
func DigestOf(secret string) Digest {
	sum := sha256.Sum256([]byte(secret))
	return Digest(base64.RawURLEncoding.EncodeToString(sum[:]))
}

// Matches reports whether secret has this digest, in constant time. The empty digest matches nothing.
func (d Digest) Matches(secret string) bool {
	return d != "" && secret != "" && subtle.ConstantTimeCompare([]byte(d), []byte(DigestOf(secret))) == 1
}

// Secret returns n random bytes as base64url.
func newSecret(random io.Reader, n int) (string, error) {
	buf := make([]byte, n)
	if _, err := io.ReadFull(random, buf); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(buf), nil
}
