package target

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"time"

	"regain/conformance/jose"
	"regain/conformance/people"
	"regain/conformance/proofing"
	"regain/conformance/proofing/client"
	"regain/internal/node"
)

// What the suite is to our issuer, as a wallet.
const (
	walletProvider = "https://wallet-provider.example.org" // attests wallets; it serves nothing
	txCode         = "493536"                              // of every offer; the suite is told
)

// startIssuers starts two proofing providers for the suite. They know the suite's wallets, and their status lists come
// with the key that signed them, and not with certificates, since without HAIP the suite knows no anchor. The second
// wants holder keys to be attested.
func (t *Target) startIssuers(c *configuration) error {
	config := proofing.Config{
		RegainIssuer: t.Regain, WalletOfferEndpoint: t.Wallet + "/offer", StatusTTL: 2 * time.Second, BareStatusKey: true,
		Clock: t.Clock, Random: rand.Reader, Logger: c.options.Logger.With("party", "issuer"), HTTPClient: t.Client,
	}
	var provider client.Attester
	config.Wallets, provider = c.applicants()
	config.Attesters = []client.Attester{provider}
	c.values["configuration_sd_jwt_vc"], c.values["configuration_mdoc"] = proofing.ConfigurationID, proofing.LicenceID
	for i, name := range []string{"plain_issuer", "attested_issuer"} {
		l, err := listen(c.options, 6+i)
		if err != nil {
			return err
		}
		config.BaseURL = addressOf("proofing", l)
		made, err := proofing.New(config)
		if err != nil {
			return fmt.Errorf("start the suite's issuer: %w", err)
		}
		t.serve(c.options, node.NewServer(made.Handler(), c.options.Logger), tls.NewListener(l, t.PKI.ServerTLS()))
		t.issuers[config.BaseURL], c.values[name] = made, config.BaseURL
		config.KeyAttesters = provider.Keys
	}
	return nil
}

// applicants are the wallets that the suite plays, and who attests them. Their private keys go to the suite.
func (c *configuration) applicants() ([]client.Wallet, client.Attester) {
	var wallets []client.Wallet
	for _, suffix := range []string{"", "2"} {
		id := "suite-wallet" + suffix
		private := jose.JWK{Key: c.key(), KeyID: id, Use: "sig", Algorithm: jose.ES256}
		wallets = append(wallets, client.Wallet{ID: id, Keys: jose.JWKSet{Keys: []jose.JWK{private.Public()}}})
		c.values["applicant"+suffix] = map[string]any{"client_id": id, "jwks": jose.JWKSet{Keys: []jose.JWK{private}}}
	}
	c.attesters = c.authority("Wallet provider's CA")
	c.attester = c.signer(c.attesters, "Wallet provider")
	keys := jose.JWKSet{Keys: []jose.JWK{c.attester.private("attester")}}
	c.values["attester"] = map[string]any{"issuer": walletProvider, "attester_jwks": keys, "key_attestation_jwks": keys}
	c.values["tx_code"] = txCode
	public := jose.JWK{Key: c.attester.key.Public(), KeyID: "attester"}
	return wallets, client.Attester{Issuer: walletProvider, Keys: jose.JWKSet{Keys: []jose.JWK{public}}}
}

// Offer has one of our issuers offer a credential to the suite, and returns the query of the offer's link.
func (t *Target) Offer(_ context.Context, issuer, configuration string) (string, error) {
	from, there := t.issuers[issuer]
	if !there {
		return "", fmt.Errorf("no issuer is at %q", issuer)
	}
	made, err := from.MakeOffer(proofing.OfferOptions{PersonID: people.Samples()[0].ID, Configurations: []string{configuration}, TxCode: txCode})
	if err != nil {
		return "", err
	}
	return made.ByReference(""), nil
}
