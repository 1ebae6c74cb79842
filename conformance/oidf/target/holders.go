package target

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"regain/conformance/jose"
	"regain/conformance/people"
	"regain/conformance/proofing"
	"regain/conformance/wallet"
	"regain/conformance/wallet/headless"
	"regain/conformance/wallet/request"
)

// holder is a wallet of ours that the suite asks: it agrees to everything, and refuses what breaks a rule.
type holder struct {
	wallet *wallet.Wallet
	pages  *headless.Handler
}

// Names of the wallets.
const (
	openWallet   = "open"      // takes every kind of request that OpenID4VP 1.0 knows
	strictWallet = "strict"    // takes those that HAIP 1.0 §5 wants
	applicant    = "applicant" // is empty, and known to the suite's issuer
)

// equipHolders makes the wallets, and has both formats issued into two of them: by an issuer whose status lists the suite
// can verify without an anchor, and by one whose lists come with certificates, as HAIP wants them.
func (t *Target) equipHolders(c *configuration) error {
	everything := request.Policy{
		Prefixes: []request.Prefix{request.RedirectURI, request.X509Hash, request.X509SANDNS, request.DecentralizedIdentifier},
		Plain:    true, UntypedObject: true,
	}
	for name, cfg := range map[string]wallet.Config{
		openWallet: {Requests: everything}, strictWallet: {}, applicant: {Identity: c.identify(), Copies: copies},
	} {
		made, err := t.newHolder(c, cfg)
		if err != nil {
			return err
		}
		t.holders[name] = made
	}
	plain, _ := c.values["plain_issuer"].(string)
	person := people.Samples()[0].ID
	return errors.Join(t.holders[openWallet].fill(t.issuers[plain], person), t.holders[strictWallet].fill(t.Issuer, person))
}

func (t *Target) newHolder(c *configuration, cfg wallet.Config) (*holder, error) {
	cfg.HTTPClient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: t.roots, MinVersion: tls.VersionTLS13}, // with less the suite warns
	}}
	cfg.Clock, cfg.Random, cfg.Logger, cfg.Camera = time.Now, rand.Reader, c.options.Logger.With("party", "wallet"), blind{}
	cfg.RequestAnchors = c.asks.anchors()
	made, err := wallet.New(cfg)
	if err != nil {
		return nil, err
	}
	pages, err := headless.New(headless.Config{Wallet: made, Logger: cfg.Logger, TxCode: applicantCode})
	return &holder{wallet: made, pages: pages}, err
}

// fill puts a person's Verified ID into the wallet, in both formats.
func (h *holder) fill(issuer *proofing.Server, person string) error {
	for format, issue := range map[string]func(string, jose.JWK) (proofing.Issued, error){
		"dc+sd-jwt": issuer.Issue, "mso_mdoc": issuer.IssueLicence,
	} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return fmt.Errorf("make a holder key: %w", err)
		}
		issued, err := issue(person, jose.JWK{Key: key.Public()})
		if err != nil {
			return err
		}
		if _, err := h.wallet.Import(wallet.Imported{Format: format, Credential: issued.Credential, Key: key}); err != nil {
			return err
		}
	}
	return nil
}

// blind is the camera of a wallet that is asked for no Face Check.
type blind struct{}

// Selfie implements wallet.Camera.
func (blind) Selfie(context.Context) ([]byte, error) {
	return nil, errors.New("this wallet has no camera")
}

// Asked is what a page asks of a wallet over the Digital Credentials API (OpenID4VP 1.0 Appendix A).
type Asked struct {
	Protocol string          `json:"protocol"`
	Data     json.RawMessage `json:"data"`
	Origin   string          `json:"-"`
}

// Answered is what the wallet does then: it answers, or refuses and tells only the person.
type Answered struct {
	Data    json.RawMessage
	Refusal string // "" for none
}

// Ask asks one of the wallets over the Digital Credentials API.
func (t *Target) Ask(ctx context.Context, name string, a Asked) (Answered, error) {
	held, there := t.holders[name]
	if !there {
		return Answered{}, fmt.Errorf("no wallet is called %q", name)
	}
	digital := wallet.DigitalRequest{Protocol: a.Protocol, Data: a.Data, Origin: a.Origin}
	var refused *wallet.RequestError
	if _, err := held.wallet.ReviewDigital(ctx, digital); errors.As(err, &refused) {
		return Answered{Refusal: refused.Code + ": " + refused.Err.Error()}, nil
	}
	data, err := held.wallet.Respond(ctx, digital, wallet.ShareOptions{})
	return Answered{Data: data}, err
}
