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
	// Ineligible says why this transaction will be denied whatever the wallet answers (no such account, out of scope …).
	// It is not shown: the journey of an ineligible account looks like any other (nothing to enumerate).
	Ineligible Reason `json:"ineligible,omitempty"`
	// Browser is the digest of the secret that the browser which started holds in its cookie.
	Browser Digest `json:"browser"`
	// Network is the digest of the network that it started from, to compare another device's with; Agent is what to call
	// the browser, for the person at the other device.
	Network Digest `json:"network,omitempty"`
	Agent   string `json:"agent,omitempty"`
	// Authorization is the client's authorization request, opaque here: the provider answers it at the end.
	Authorization  []byte               `json:"authorization"`
	Presentation   *PresentationAttempt `json:"presentation,omitempty"`
	Flow           Flow                 `json:"flow,omitempty"`             // how the presentation that was decided upon came
	NoRedirectBack bool                 `json:"no_redirect_back,omitempty"` // and that its wallet did not come back to the browser
	Decision       *Decision            `json:"decision,omitempty"`
	Pass           *Issued              `json:"pass,omitempty"`
	StartedAt      time.Time            `json:"started_at"`
	ChangedAt      time.Time            `json:"changed_at"`
	ExpiresAt      time.Time            `json:"expires_at"`
	DecidedAt      time.Time            `json:"decided_at,omitzero"`
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

// The flows. Each has a request of its own, so that the flow is read from stored state and never from what a stranger
// sends.
const (
	FlowSameDevice  Flow = "same_device"
	FlowCrossDevice Flow = "cross_device"
	// FlowBrowser is the Digital Credentials API: the browser that started asks the wallet, wherever that is, and gets its
	// answer; the platform sees to it that a wallet on another device is near.
	FlowBrowser Flow = "digital_credentials"
)

// PresentationAttempt is one attempt to get a presentation: a request for each channel, and the first genuine answer.
type PresentationAttempt struct {
	Requests []PendingRequest `json:"requests"`
	Answer   *Answer          `json:"answer,omitempty"`
	// WalletError is the error that a wallet reported (OpenID4VP 1.0 §8.5), for the page. Unsigned, so it decides nothing.
	WalletError string `json:"wallet_error,omitempty"`
}

// PendingRequest is the request URI of one channel and, once a wallet fetched it, the request behind it.
type PendingRequest struct {
	Channel
	Secret  string    `json:"secret"`
	Since   time.Time `json:"since,omitzero"`    // cross device: when Secret was made
	Before  string    `json:"before,omitempty"`  // cross device: the secret of the QR code before this one
	Request []byte    `json:"request,omitempty"` // the presentation request with its keys, opaque here
	Closed  bool      `json:"closed,omitempty"`  // too many invalid responses
}

// Answer is the wallet's genuine answer, weighed but not yet in force: it decides nothing until the browser that
// started shows ResponseCode (same device) or the person types Confirmation (cross device); or, where the wallet does not
// come back, before the person says in that browser that it was theirs.
type Answer struct {
	Flow           Flow     `json:"flow"`
	NoRedirectBack bool     `json:"no_redirect_back,omitempty"` // its wallet does not come back to the browser
	ResponseCode   Digest   `json:"response_code"`
	Confirmation   string   `json:"confirmation,omitempty"` // six digits
	Tries          int      `json:"tries,omitempty"`        // wrong confirmations so far
	Distance       Distance `json:"distance,omitempty"`     // cross device, once the wallet's page was opened
	Verdict        Decision `json:"verdict"`
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
