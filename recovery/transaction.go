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

// Transaction is one recovery, from the authorization request to the redeemed pass. It is a value: Apply and the
// Service's steps return changed copies, and only a compare-and-swap on Version stores one.
type Transaction struct {
	ID      TransactionID `json:"id"`
	Version int64         `json:"-"` // the stored version that this copy was read from
	State   State         `json:"state"`
	Client  ClientID      `json:"client"`
	// Requested is the account as the main IdP named it. Account is its id, which the directory told at the start, and
	// which every later step goes by; empty if there is no such account. AccountName is the directory's name of it
	// then, for the audit log. None of them is taken from the evidence.
	Requested   RequestedAccount `json:"requested_account"`
	Account     AccountID        `json:"account,omitempty"`
	AccountName AccountName      `json:"account_name,omitempty"`
	Profile     ProfileName      `json:"profile"`
	Mode        Mode             `json:"mode"`
	// Ineligible says why this transaction will be denied whatever the wallet answers (no such account, out of scope
	// …). The person does not see it: the journey of an ineligible account looks like any other, so that accounts
	// cannot be enumerated.
	Ineligible Reason `json:"ineligible,omitempty"`
	// Browser is the digest of the secret in the cookie of the browser that started.
	Browser Digest `json:"browser"`
	// Network is the digest of the network of the browser that started, to compare with the wallet's. Agent is that
	// browser's display name, shown on the other device.
	Network Digest `json:"network,omitempty"`
	Agent   string `json:"agent,omitempty"`
	// Authorization is the client's authorization request, which the provider answers at the end. The domain does not
	// read it.
	Authorization  []byte               `json:"authorization"`
	Presentation   *PresentationAttempt `json:"presentation,omitempty"`
	Flow           Flow                 `json:"flow,omitempty"`             // how the decisive presentation arrived
	NoRedirectBack bool                 `json:"no_redirect_back,omitempty"` // its wallet did not redirect back to the browser
	Decision       *Decision            `json:"decision,omitempty"`
	Pass           *Issued              `json:"pass,omitempty"`
	StartedAt      time.Time            `json:"started_at"`
	ChangedAt      time.Time            `json:"changed_at"`
	ExpiresAt      time.Time            `json:"expires_at"`
	DecidedAt      time.Time            `json:"decided_at,omitzero"`
	// EndedElsewhere: it was cancelled because the wallet's redirect was opened in another browser than the one that started.
	EndedElsewhere bool `json:"ended_elsewhere,omitempty"`
	// ReturnedAt is when the browser was last sent back to the client with a code, and Code identifies that code. Until
	// the code is redeemed the browser can be sent back again: the new code takes the place of the old one.
	ReturnedAt     time.Time `json:"returned_at,omitzero"`
	Code           CodeID    `json:"code,omitempty"`
	CodeRedeemedAt time.Time `json:"code_redeemed_at,omitzero"` // of a code that redeems no pass
	// Newer is what a newer version of this program stored and this one does not know, by name and encoded: kept as it is, so
	// that nodes of two versions can take steps of one recovery.
	Newer map[string][]byte `json:"-"`
}

// Issued records that a pass was issued, without its value.
type Issued struct {
	ID        string    `json:"id"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Flow is the way in which a request reaches the wallet and its answer comes back.
type Flow string

// The flows. Each has its own request, so the flow is read from stored state and never from what a stranger sends.
const (
	FlowSameDevice  Flow = "same_device"
	FlowCrossDevice Flow = "cross_device"
	// FlowBrowser is the Digital Credentials API: the browser that started asks the wallet and receives its answer.
	// If the wallet is on another device, the platform ensures that it is near.
	FlowBrowser Flow = "digital_credentials"
)

// PresentationAttempt is one attempt to get a presentation: a pending request for each channel, and the first genuine
// answer.
type PresentationAttempt struct {
	Requests []PendingRequest `json:"requests"`
	Answer   *Answer          `json:"answer,omitempty"`
	// WalletError is the error code that a wallet reported (OpenID4VP 1.0 §8.5), for the page. Error responses are
	// unsigned, so it decides nothing.
	WalletError string `json:"wallet_error,omitempty"`
}

// PendingRequest is the request URI of one channel and, after a wallet fetched it, the presentation request.
type PendingRequest struct {
	Channel
	Secret string    `json:"secret"`
	Since  time.Time `json:"since,omitzero"`   // cross device: when Secret began to be shown
	Before string    `json:"before,omitempty"` // cross device: the secret of the previous QR code
	Seed   string    `json:"seed,omitempty"`   // cross device, until it is scanned: what Secret and Before are made of
	Asked  time.Time `json:"asked,omitzero"`   // cross device, until it is scanned: when Seed was made
	// Lifetime of one QR code, until it is scanned: that of the profile when Seed was made. By another one the number of the
	// code that is due would be another, and one that is dead would be good again.
	Lifetime time.Duration `json:"lifetime,omitzero"`
	Request  []byte        `json:"request,omitempty"` // the presentation request with its keys; the domain does not read it
	Closed   bool          `json:"closed,omitempty"`  // too many invalid responses
	codes    codes         // cross device, until it is scanned
}

// Answer is the wallet's genuine answer, decided but not yet effective. It becomes effective when the browser that
// started shows ResponseCode (same device), when the person types Confirmation (cross device), or, for a wallet
// without redirect back, when the person confirms in that browser that the presentation was theirs.
type Answer struct {
	Flow           Flow     `json:"flow"`
	NoRedirectBack bool     `json:"no_redirect_back,omitempty"` // its wallet does not redirect back to the browser
	ResponseCode   Digest   `json:"response_code"`
	Confirmation   string   `json:"confirmation,omitempty"` // six digits
	Tries          int      `json:"tries,omitempty"`        // wrong confirmations so far
	Distance       Distance `json:"distance,omitempty"`     // cross device, once the wallet's page was opened
	Verdict        Decision `json:"verdict"`
}

// Late reports whether the transaction's lifetime is over.
func (t Transaction) Late(now time.Time) bool { return !now.Before(t.ExpiresAt) }

// LogValue keeps keys, codes and the authorization request out of logs.
func (t Transaction) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", string(t.ID)), slog.String("state", string(t.State)))
}

// Format does for fmt what LogValue does for slog.
func (t Transaction) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "transaction %s (%s)", t.ID, t.State)
}

// Digest is the base64url SHA-256 of a secret, stored where the secret itself is not needed.
type Digest string

// DigestOf returns the digest of a secret.
func DigestOf(secret string) Digest {
	sum := sha256.Sum256([]byte(secret))
	return Digest(base64.RawURLEncoding.EncodeToString(sum[:]))
}

// Matches reports whether secret has this digest, in constant time. The empty digest matches nothing.
func (d Digest) Matches(secret string) bool {
	return secret != "" && subtle.ConstantTimeCompare([]byte(d), []byte(DigestOf(secret))) == 1
}

func newSecret(random io.Reader, n int) (string, error) {
	buf := make([]byte, n)
	if _, err := io.ReadFull(random, buf); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(buf), nil
}
