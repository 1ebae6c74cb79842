package node

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"regain/internal/config"
	"regain/internal/fetch"
	"regain/presentation/identity"
	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/journey"
	"regain/provider/keys"
	"regain/provider/protocol"
	"regain/recovery"
	"regain/verifier/trust"
)

// loaded is what the files of a configuration hold.
type loaded struct {
	secrets     secrets
	digests     map[string][sha256.Size]byte // of every secret, by key
	ring        *keys.Ring
	policy      recovery.Policy
	directory   recovery.Directory
	clients     clients.Fixed
	clientRoots *x509.CertPool
	fetcher     *fetch.Fetcher
	wallets     walletProfiles
	proofing    map[string]journey.Proofing
	trust       []trust.Rule
	tokens      []string         // initial access tokens; nil disables registration
	certificate *tls.Certificate // nil behind a proxy that terminates TLS
}

// walletProfiles are made of the key and certificate that sign requests.
type walletProfiles struct {
	named map[recovery.WalletName]protocol.Wallet
	web   *identity.Web // nil without a did:web of ours
}

// load reads every file that the configuration names, before anything is opened or created. It goes on after a mistake:
// whoever sets up a node makes several, and is told of all of them at once.
func (c Config) load(deps Deps) (l loaded, err error) {
	var found problems
	found.add(c.validate())
	named := config.References(c)
	found.add(checkWritable(named))
	found.add(checkDistinct(named))
	l.digests = digests(named)
	now := deps.Clock()
	l.secrets, err = readSecrets(c.Secrets)
	found.add(err)
	if len(l.secrets.signing) > 0 {
		if l.ring, err = keys.NewRing(l.secrets.signing, deps.Clock); err != nil {
			found.add(fmt.Errorf("secrets.signing_key: %w (in %s)", err, c.Secrets.SigningKey.Source()))
		} else if c.Issuer != "" {
			l.proofing, err = newProofing(c, l.ring, deps)
			found.add(err)
		}
	}
	l.policy, err = c.policy()
	found.add(err)
	if !c.Directory.ofFile() || c.Directory.File != "" { // validate reports the other case
		l.directory, err = openDirectory(c.Directory)
		if found.add(err) {
			found.add(c.checkDirectory(l.policy, l.directory))
		}
	}
	if c.Audit.File != "" {
		_, err = c.Audit.Options()
		found.add(err)
	}
	l.clients, err = c.readClients(l.ring)
	found.add(err)
	l.clientRoots, err = c.MutualTLS.roots()
	found.add(err)
	l.fetcher, err = newFetcher(c.Fetch)
	found.add(err)
	l.wallets, err = c.readWallets(deps)
	found.add(err)
	l.trust, err = readTrust(c.Trust)
	found.add(err)
	l.tokens, err = c.Registration.read()
	found.add(err)
	l.certificate, err = c.TLS.read(now)
	found.add(err)
	return l, found.err()
}

// readClients reads the clients with their keys and secrets. ring is nil if there is none to compare them with.
func (c Config) readClients(ring *keys.Ring) (clients.Fixed, error) {
	fixed, err := readClients(c.Clients)
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

// readWallets reads the key and certificate that sign requests, and what the wallet profiles make of them.
func (c Config) readWallets(deps Deps) (walletProfiles, error) {
	key, chain, err := c.RequestSigning.read()
	if err != nil {
		return walletProfiles{}, err
	}
	signing := signing{key, chain, deps.Clock()}
	named, unmade := c.newWallets(signing)
	web, unpublished := c.web(signing)
	return walletProfiles{named, web}, errors.Join(unmade, unpublished)
}

// readTrust reads the certificates of the trust entries.
func readTrust(entries []TrustConfig) ([]trust.Rule, error) {
	var found problems
	var rules []trust.Rule
	for i, t := range entries {
		rule, err := t.rule(fmt.Sprintf("trust[%d]", i))
		found.add(err)
		rules = append(rules, rule)
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	if _, err := trust.New(rules); err != nil {
		return nil, err
	}
	return rules, nil
}

// read returns the initial access tokens, or nil if registration is not configured.
func (r RegistrationConfig) read() ([]string, error) {
	if r.Tokens.IsZero() {
		return nil, nil
	}
	text, err := r.Tokens.Read("registration.initial_access_tokens")
	if err != nil {
		return nil, err
	}
	return append([]string{}, strings.Fields(text)...), nil
}

// roots returns the CAs of client certificates, or nil.
func (m MutualTLSConfig) roots() (*x509.CertPool, error) {
	return readPool("mutual_tls.roots_file", m.RootsFile)
}

// readPool returns the certificates of a file, or nil if none is named.
func readPool(key, path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // nil means not configured
	}
	certificates, err := readCertificates(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	pool := x509.NewCertPool()
	for _, c := range certificates {
		pool.AddCert(c)
	}
	return pool, nil
}
