package verifier_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"regain/verifier"
	"regain/verifier/verifiertest"
)

// A wallet has presented a Verified ID and the receipt of a Face Check. What is no genuine answer to this request is an
// error, and whoever sent it is told so; what the holder really presented, and is not good enough, is an objection.
func Example() {
	t, clock := verifiertest.ForExample(), verifiertest.NewClock()
	issuer, holder := verifiertest.New(t, clock.Now), verifiertest.NewHolder(t)
	v, err := verifier.New(
		verifier.Config{Trust: issuer.Rules(), MaxStatusTTL: time.Hour},
		verifier.Deps{Fetch: issuer.Fetcher(), Clock: clock.Now, Logger: slog.New(slog.DiscardHandler)},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	expect := verifier.Expect{ // as the request said
		Session:    verifier.Session{Nonce: verifiertest.Nonce, Audience: verifiertest.Audience},
		VerifiedID: verifier.Wanted{Format: verifier.FormatSDJWT, Types: []string{verifiertest.IdentityType}},
		FaceCheck:  verifier.Wanted{Format: verifier.FormatSDJWT, Types: []string{verifiertest.ReceiptType}},
	}
	id, bound := issuer.VerifiedID(holder), verifiertest.Bind(clock.Now())
	presentation := verifier.Presentation{
		VerifiedID: holder.Present(t, id, bound),
		FaceCheck:  holder.Present(t, issuer.Receipt(id, 86.31), bound),
	}

	verified, err := v.Verify(context.Background(), presentation, expect)
	check, _ := verified.FaceCheck()
	fmt.Printf("genuine: error %v, objection %q, score %v\n", err, verified.ValidationFailure(), check.Score)

	issuer.Status.Set(id.Index, 1) // the issuer revokes it; its list, once fetched, is good for five minutes
	clock.Advance(5 * time.Minute)
	verified, err = v.Verify(context.Background(), presentation, expect)
	fmt.Printf("revoked: error %v, objection %q\n", err, verified.ValidationFailure())

	expect.Session.Nonce = "of another request"
	_, err = v.Verify(context.Background(), presentation, expect)
	fmt.Printf("replayed: refused %t\n", errors.Is(err, verifier.ErrRefused))
	// Output:
	// genuine: error <nil>, objection "", score 86.31
	// revoked: error <nil>, objection "revoked"
	// replayed: refused true
}
