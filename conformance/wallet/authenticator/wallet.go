package authenticator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/wallet"
	"regain/conformance/wallet/agent"
)

// DefaultReceiptType is the type of a Face Check receipt as a JWT VC.
const DefaultReceiptType = "FaceCheckReceipt"

// Config is what a wallet is made of. The first five are required.
type Config struct {
	HTTPClient *http.Client     // used without following redirects and without cookies
	Clock      func() time.Time //
	Random     io.Reader        // identifiers and keys
	Logger     *slog.Logger     // never sees claims, tokens, pictures or the holder's DID
	Camera     wallet.Camera    //

	Method         did.Method // of the holder's DID; did.ION when empty, as in the Android library
	Algorithm      string     // of the holder's key; jose.ES256K when empty, likewise
	Issuers        []string   // DIDs of who may issue; nil takes every issuer
	ReceiptType    string     // DefaultReceiptType when empty
	StrictDomains  bool       // refuse a verifier whose domain is not verified, instead of warning
	PlainLocalhost bool       // did:web of names under localhost by http, in a test environment without certificates
}

// Wallet holds the credentials of one person under one DID. It is safe for concurrent use.
type Wallet struct {
	cfg      Config
	agent    agent.Agent
	resolver did.Resolver
	holder   did.Identity
	check    inspector
	held     *holdings
	answers  writer

	mu       sync.Mutex
	lastForm string // the last answer, for Tamper.ReplayLast
}

// New checks the configuration, makes the holder's DID, and returns an empty wallet.
func New(cfg Config) (*Wallet, error) {
	switch {
	case cfg.HTTPClient == nil:
		return nil, errors.New("making an authenticator: HTTPClient is missing")
	case cfg.Clock == nil:
		return nil, errors.New("making an authenticator: Clock is missing")
	case cfg.Random == nil:
		return nil, errors.New("making an authenticator: Random is missing")
	case cfg.Logger == nil:
		return nil, errors.New("making an authenticator: Logger is missing")
	case cfg.Camera == nil:
		return nil, errors.New("making an authenticator: Camera is missing")
	}
	if cfg.Method == "" {
		cfg.Method = did.ION
	}
	if cfg.Algorithm == "" {
		cfg.Algorithm = jose.ES256K
	}
	if cfg.ReceiptType == "" {
		cfg.ReceiptType = DefaultReceiptType
	}
	holder, err := did.New(cfg.Method, cfg.Algorithm)
	if err != nil {
		return nil, fmt.Errorf("making an authenticator: the holder's DID: %w", err)
	}
	calls := agent.New(cfg.HTTPClient)
	resolver := did.Resolver{Get: func(ctx context.Context, location string) ([]byte, error) {
		answer, err := calls.Get(ctx, location, nil)
		return answer.Body, err
	}, PlainLocalhost: cfg.PlainLocalhost}
	return &Wallet{
		cfg: cfg, agent: calls, holder: holder, resolver: resolver,
		check:   inspector{resolver: resolver, issuers: cfg.Issuers, holder: holder.DID, clock: cfg.Clock, random: cfg.Random},
		held:    &holdings{clock: cfg.Clock, receiptType: cfg.ReceiptType},
		answers: writer{holder: holder, method: cfg.Method, algorithm: cfg.Algorithm, clock: cfg.Clock, random: cfg.Random},
	}, nil
}

// DID is the holder's, which an issuer puts into a credential as its subject.
func (w *Wallet) DID() string { return w.holder.DID }

// Proof writes a proof of the holder's key for an issuer: OpenID4VCI 1.0, Appendix F.1, with a kid
// that is a DID URL. nonce may be empty.
func (w *Wallet) Proof(issuer, nonce string) (string, error) {
	claims := map[string]any{"aud": issuer, "iat": w.cfg.Clock().Unix()}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	return w.holder.Sign(map[string]any{"typ": "openid4vci-proof+jwt", "kid": w.holder.KeyID()}, claims)
}

// Credentials returns what the person holds, oldest first, without Face Check receipts.
func (w *Wallet) Credentials() []Credential { return shown(w.held.Credentials()) }

// Receipts returns the Face Check receipts taken for a credential, oldest first.
func (w *Wallet) Receipts(credentialID string) []Credential {
	return shown(w.held.Receipts(credentialID))
}

// Forget removes a credential and its receipts from the wallet. The issuer is not told.
func (w *Wallet) Forget(credentialID string) { w.held.Forget(credentialID) }

func shown(held []*holding) []Credential {
	var credentials []Credential
	for _, h := range held {
		credentials = append(credentials, h.Credential)
	}
	return credentials
}
