// Package plan turns a configuration into what a node is built of, and opens nothing: it reads the files that the
// configuration names, makes domain values of them, and reports what cannot work with the configuration key and the cure.
// What is served is not decided here but in internal/node, which knows every backend; this package knows none.
//
//	Read         reads everything, for a start
//	Read…        reads one part, for a start and again when its files change
//	Validate     reports the mistakes of the configuration alone
//	Warnings     reports what works and will not for long, or not as it reads
//
// From a start on, the way of the data is:
//
//	internal/config  what an administrator writes: files, variables and flags become a Config
//	internal/plan    what it means: a Config and its files become a Plan
//	internal/node    what runs: a Plan, the backends and the adapters become a Node
package plan

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"regain/internal/config"
	"regain/internal/fetch"
	"regain/presentation/identity"
	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/keys"
	"regain/provider/protocol"
	"regain/recovery"
	"regain/verifier/trust"
)

// Plan is what a configuration and the files that it names hold.
type Plan struct {
	Secrets     Secrets
	Digests     map[string][sha256.Size]byte // of every secret, by key
	Ring        *keys.Ring
	Policy      recovery.Policy
	Clients     clients.Fixed
	ClientRoots *x509.CertPool
	Fetcher     *fetch.Fetcher
	Wallets     Wallets
	Trust       []trust.Rule
	Tokens      []string         // initial access tokens; nil disables registration
	Certificate *tls.Certificate // nil behind a proxy that terminates TLS
}

// Wallets are made of the key and certificate that sign requests.
type Wallets struct {
	Named map[recovery.WalletName]protocol.Wallet
	Web   *identity.Web // nil without a did:web of ours
}

// Read reads every file that the configuration names, before anything is opened or created. It goes on after a mistake:
// whoever sets up a node makes several, and is told of all of them at once. With an error the plan holds what could be
// read, so that the caller can look for more mistakes; Ring is nil then if the signing keys could not be.
func Read(c config.Config, clock func() time.Time) (p Plan, err error) {
	var found config.Problems
	found.Add(Validate(c))
	named := config.References(c)
	found.Add(checkWritable(named))
	found.Add(checkDistinct(named))
	p.Digests = digests(named)
	p.Secrets, err = ReadSecrets(c.Secrets)
	found.Add(err)
	if len(p.Secrets.Signing) > 0 {
		if p.Ring, err = keys.NewRing(p.Secrets.Signing, clock); err != nil {
			found.Add(fmt.Errorf("secrets.signing_key: %w (in %s)", err, c.Secrets.SigningKey.Source()))
		}
	}
	p.Policy, err = newPolicy(c)
	found.Add(err)
	p.Clients, err = ReadClients(c, p.Ring)
	found.Add(err)
	p.ClientRoots, err = ReadClientRoots(c.MutualTLS)
	found.Add(err)
	p.Fetcher, err = NewFetcher(c.Fetch)
	found.Add(err)
	p.Wallets, err = ReadWallets(c, clock())
	found.Add(err)
	p.Trust, err = ReadTrust(c.Trust)
	found.Add(err)
	p.Tokens, err = ReadTokens(c.Registration)
	found.Add(err)
	p.Certificate, err = ReadCertificate(c.TLS, clock())
	found.Add(err)
	return p, found.Err()
}

// Validate reports the mistakes that need no file.
func Validate(c config.Config) error {
	problems := []error{c.Validate()}
	for _, t := range untrusted(c) {
		problems = append(problems, fmt.Errorf("trust: no entry covers the type %s, so every one of them would be refused", t))
	}
	return errors.Join(problems...)
}

// ReadClients reads the clients with their keys and secrets. ring is nil if there is none to compare them with.
func ReadClients(c config.Config, ring *keys.Ring) (clients.Fixed, error) {
	fixed, err := readEach(c.Clients)
	if err != nil || ring == nil {
		return fixed, err
	}
	if err := fixed.CheckSigning(ring.Algorithms()); err != nil {
		return nil, err
	}
	if err := fixed.CheckMutualTLS(c.MutualTLS.BaseURL != "", c.MutualTLS.RootsFile != ""); err != nil {
		return nil, err
	}
	if fixed.Follow(contract.EntraExternalMethod) {
		if err := ring.CheckCertificates(); err != nil {
			return nil, fmt.Errorf("contract %s: %w", contract.EntraExternalMethod, err)
		}
	}
	return fixed, nil
}

// ReadWallets reads the key and certificate that sign requests, and what the wallet profiles make of them.
func ReadWallets(c config.Config, now time.Time) (Wallets, error) {
	key, chain, err := readRequestSigning(c.RequestSigning)
	if err != nil {
		return Wallets{}, err
	}
	signing := signing{key, chain, now}
	named, unmade := newWallets(c, signing)
	web, unpublished := ourWeb(c, signing)
	return Wallets{named, web}, errors.Join(unmade, unpublished)
}

// NewFetcher returns what fetches documents, with the CAs of ca_file.
func NewFetcher(cfg config.FetchConfig) (*fetch.Fetcher, error) {
	roots, err := readPool("fetch.ca_file", cfg.CAFile)
	if err != nil {
		return nil, err
	}
	fetcher, err := fetch.New(fetch.Config{
		AllowHTTPHosts: cfg.AllowHTTPHosts, AllowPrivateHosts: cfg.AllowPrivateHosts, RootCAs: roots, Timeout: cfg.Timeout,
	})
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	return fetcher, nil
}
