package sdjwt_test

import (
	"fmt"

	"regain/verifier/sdjwt"
	"regain/verifier/trust"
	"regain/verifier/verifiertest"
)

// Three questions, in this order: what does it say, did an issuer that is trusted for this type sign it, and does its
// holder show it to us, now? Before the last answer nothing that it says counts.
func ExampleParseInsecure() {
	t, clock := verifiertest.ForExample(), verifiertest.NewClock()
	issuer, holder := verifiertest.New(t, clock.Now), verifiertest.NewHolder(t)
	rules, err := trust.New([]trust.Rule{issuer.Rule(verifiertest.IdentityType)})
	if err != nil {
		fmt.Println(err)
		return
	}
	text := holder.Present(t, issuer.VerifiedID(holder), verifiertest.Bind(clock.Now()))

	presented, err := sdjwt.ParseInsecure(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	vct, _ := presented.Text("vct")
	iss, _ := presented.Text("iss")
	if err := rules.Check(presented.Certificates(), vct, iss, clock.Now()); err != nil {
		fmt.Println(err)
		return
	}
	key, err := trust.Leaf(presented.Certificates())
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := presented.VerifyIssuer(key); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := presented.VerifyHolder(sdjwt.Binding{Nonce: verifiertest.Nonce, Audience: verifiertest.Audience, Now: clock.Now()}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(presented.Claims()["given_name"], presented.Claims()["family_name"])
	// Output: Ada Lovelace
}

// A presentation is for one request: whoever has caught it cannot show it for another.
func ExampleParsed_VerifyHolder() {
	t, clock := verifiertest.ForExample(), verifiertest.NewClock()
	issuer, holder := verifiertest.New(t, clock.Now), verifiertest.NewHolder(t)
	presented, err := sdjwt.ParseInsecure(holder.Present(t, issuer.VerifiedID(holder), verifiertest.Bind(clock.Now())))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = presented.VerifyHolder(sdjwt.Binding{Nonce: "the nonce of another request", Audience: verifiertest.Audience, Now: clock.Now()})
	fmt.Println(err)
	// Output: not presented by the holder for this request: nonce is not the one asked for
}
