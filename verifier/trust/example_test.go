package trust_test

import (
	"crypto/x509"
	"fmt"

	"regain/verifier/trust"
	"regain/verifier/verifiertest"
)

// Trust is of a type: who may issue cinema tickets may not issue identities, although the chain is the same.
func ExampleRules_Check() {
	t, now := verifiertest.ForExample(), verifiertest.NewClock().Now()
	state, cinema := verifiertest.NewAuthority(t, "State", now), verifiertest.NewAuthority(t, "Cinema", now)
	rules, err := trust.New([]trust.Rule{
		{Types: []string{"urn:example:identity"}, Anchors: []*x509.Certificate{state.Certificate}, Issuers: []string{"https://id.example"}},
		{Types: []string{"urn:example:ticket"}, Anchors: []*x509.Certificate{cinema.Certificate}, StatusOptional: true},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	chain := cinema.Leaf(t, nil).Chain // DER, the signer's own first, the anchor left out
	fmt.Println("a ticket:", rules.Check(chain, "urn:example:ticket", "https://cinema.example", now))
	fmt.Println("an identity:", rules.Check(chain, "urn:example:identity", "https://id.example", now))
	// Output:
	// a ticket: <nil>
	// an identity: issuer is not trusted for this type: the chain does not lead to a configured anchor
}

// A rule that trusts nobody is a mistake of the configuration, and is said before anybody presents anything.
func ExampleNew() {
	_, err := trust.New([]trust.Rule{{Types: []string{"urn:example:identity"}}})
	fmt.Println(err)
	// Output: trust[0]: types, and anchors, signers or dids, are required
}
