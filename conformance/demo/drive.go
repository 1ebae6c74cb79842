package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"regain/conformance/testenv"
)

// journey is one walk with a name; its error says how it went otherwise than it must.
type journey struct {
	name string
	walk func(ctx context.Context, w *walker) error
}

// journeys are all walks, in the order in which they are told.
func journeys() []journey {
	return []journey{
		{"recovered-same-device", recoveredSameDevice},
		{"recovered-cross-device", recoveredCrossDevice},
		{"recovered-with-authenticator", recoveredWithAuthenticator},
		{"recovered-by-id", recoveredByID},
		{"signed-in-with-passkey", signedInWithPasskey},
		{"evaluated-no-pass", evaluatedNoPass},
		{"name-mismatch-denied", nameMismatchDenied},
		{"relaxed-match-recovered", relaxedMatchRecovered},
		{"face-check-too-low-denied", faceCheckTooLowDenied},
		{"receipt-of-another-credential-denied", receiptOfAnotherCredentialDenied},
		{"revoked-credential-denied", revokedCredentialDenied},
		{"untrusted-issuer-denied", untrustedIssuerDenied},
		{"wrong-nonce-refused", wrongNonceRefused},
		{"wrong-audience-refused", wrongAudienceRefused},
		{"unknown-account-looks-like-mismatch", unknownAccountLooksLikeMismatch},
		{"excluded-account-denied", excludedAccountDenied},
		{"response-replay-refused", responseReplayRefused},
		{"code-replay-refused", codeReplayRefused},
		{"other-browser-refused", otherBrowserRefused},
		{"expired-refused", expiredRefused},
		{"user-declined", userDeclined},
		{"progress-within-a-second", progressWithinASecond},
		{"sixty-four-redeemers-one-pass", sixtyFourRedeemersOnePass},
	}
}

// journeyTimeout bounds one walk: every party is on this machine.
const journeyTimeout = 30 * time.Second

// ErrFailed means that a journey did not go as it must.
var ErrFailed = errors.New("not every journey went as it must")

// Drive walks the journeys one after the other in a test environment of their own, prints a line for each and the sum, and
// returns ErrFailed unless all went as they must.
func Drive(ctx context.Context, o Options) error {
	clock := &shiftedClock{}
	e, err := o.environment()
	if err != nil {
		return err
	}
	e.Clock = clock.now
	w, err := testenv.Start(e)
	if err != nil {
		return err
	}
	e.MongoURI = w.MongoURI() // of which a walk's own test environment takes another database
	ok, failed := 0, 0
	for _, j := range journeys() {
		if !strings.Contains(j.name, o.Only) {
			continue
		}
		if err := walk(ctx, j, newWalker(w, clock, e)); err != nil {
			failed++
			fmt.Fprintf(o.Out, "FAIL %s: %v\n", j.name, err)
		} else {
			ok++
			fmt.Fprintf(o.Out, "ok %s\n", j.name)
		}
	}
	unequal := tellNodes(o.Out, w)
	fmt.Fprintf(o.Out, "%d ok, %d failed\n", ok, failed)
	if err := errors.Join(unequal, w.Close()); err != nil {
		return err
	}
	switch {
	case failed > 0:
		return ErrFailed
	case ok == 0:
		return fmt.Errorf("no journey's name contains %q", o.Only)
	}
	return nil
}

// chance is how many requests a node may get none of, because what is in front throws dice.
const chance = 40

// tellNodes prints how many requests each node answered. It is an error if one answered none of many: then it was not shown
// that any node can go on with what another began.
func tellNodes(out io.Writer, w *testenv.Env) error {
	served, all := w.Served(), int64(0)
	for i, n := range served {
		all += n
		fmt.Fprintf(out, "node %d answered %d requests\n", i+1, n)
	}
	if all > chance && slices.Contains(served, 0) {
		return errors.New("a node answered no request")
	}
	return nil
}

func walk(ctx context.Context, j journey, k *walker) error {
	ctx, cancel := context.WithTimeout(ctx, journeyTimeout)
	defer cancel()
	return j.walk(ctx, k)
}

// shiftedClock is the real clock, moved forward by the journeys that see something expire.
type shiftedClock struct{ by atomic.Int64 }

func (c *shiftedClock) now() time.Time { return time.Now().Add(time.Duration(c.by.Load())) }

func (c *shiftedClock) forward(by time.Duration) { c.by.Add(int64(by)) }
