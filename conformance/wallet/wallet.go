package wallet

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"regain/conformance/wallet/agent"
	"regain/conformance/wallet/issuance"
	"regain/conformance/wallet/request"
)

// DefaultReceiptType is the vct of a Face Check receipt (docs/protocols.md, part 3).
const DefaultReceiptType = "urn:regain:face-check-receipt:1"

// ErrNotHeld reports that the wallet has no credential with the identifier given.
var ErrNotHeld = errors.New("no such credential in this wallet")

// Camera takes a picture of the person who holds the phone: a JPEG.
type Camera interface {
	Selfie(ctx context.Context) ([]byte, error)
}

// Config is what a wallet is made of. Everything but the last six is required.
type Config struct {
	HTTPClient     *http.Client     // used without following redirects and without cookies
	Clock          func() time.Time //
	Random         io.Reader        // identifiers, nonces, keys
	Logger         *slog.Logger     // never sees claims, tokens or pictures
	Camera         Camera           //
	RequestAnchors *x509.CertPool   // who may ask: roots of the certificates that sign requests
	IssuerAnchors  *x509.CertPool   // who may issue; nil takes every issuer, checking signatures only
	ReceiptType    string           // vct of a Face Check receipt; DefaultReceiptType when empty
	Requests       request.Policy   // which requests are taken; the zero value is the strictest
	SealErrors     bool             // encrypts error responses too, where the request has a key for it

	Identity *issuance.Identity // who the wallet is to authorization servers; nil comes anonymously
	Copies   int                // of each credential, where an issuer gives several; 1 when less
}

// Wallet holds the credentials of one person. It is safe for concurrent use.
type Wallet struct {
	cfg      Config
	agent    agent.Agent
	issuance *issuance.Client
	requests *request.Reader
	check    inspector
	held     *holdings
	present  presenter
	send     courier

	mu       sync.Mutex
	lastBody string // the form of the last answer, for Tamper.ReplayLast
}

// New checks the configuration and returns an empty wallet.
func New(cfg Config) (*Wallet, error) {
	switch {
	case cfg.HTTPClient == nil:
		return nil, errors.New("making a wallet: HTTPClient is missing")
	case cfg.Clock == nil:
		return nil, errors.New("making a wallet: Clock is missing")
	case cfg.Random == nil:
		return nil, errors.New("making a wallet: Random is missing")
	case cfg.Logger == nil:
		return nil, errors.New("making a wallet: Logger is missing")
	case cfg.Camera == nil:
		return nil, errors.New("making a wallet: Camera is missing")
	case cfg.RequestAnchors == nil:
		return nil, errors.New("making a wallet: RequestAnchors is missing")
	}
	if cfg.ReceiptType == "" {
		cfg.ReceiptType = DefaultReceiptType
	}
	issuer, err := issuance.New(issuance.Config{
		HTTPClient: cfg.HTTPClient, Clock: cfg.Clock, Random: cfg.Random, Formats: []string{sdJWTFormat, mdocFormat},
		Identity: cfg.Identity, Copies: cfg.Copies,
	})
	if err != nil {
		return nil, fmt.Errorf("making a wallet: %w", err)
	}
	speaks := agent.New(cfg.HTTPClient)
	return &Wallet{
		cfg: cfg, agent: speaks, issuance: issuer, requests: newReader(cfg, speaks),
		check:   inspector{anchors: cfg.IssuerAnchors, clock: cfg.Clock, random: cfg.Random},
		held:    &holdings{clock: cfg.Clock, receiptType: cfg.ReceiptType},
		present: presenter{clock: cfg.Clock, random: cfg.Random},
		send:    courier{agent: speaks, sealErrors: cfg.SealErrors},
	}, nil
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
