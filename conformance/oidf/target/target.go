// Package target starts the server under test for the OpenID Foundation's conformance suite: a whole test environment over TLS, in
// which Regain is configured as an operator would configure it.
//
// For the plans in which the suite is a client there is a client for each. What the suite's browser meets is the real
// journey, with one difference: the wallet's page is one form with two buttons, Present and Cancel, and the wallet behind
// it holds the Verified ID of one sample person already. That page is this package's; Regain has no switch that skips the
// wallet.
//
// For the plans in which the suite is the wallet there is a wallet profile for each way to ask it, and an account for
// each way and each credential that it holds.
//
// Other plans are of Regain's counterparts: wallets of package wallet, which agree to everything, and issuers of package
// proofing, which know the suite.
package target

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-jose/go-jose/v4"
	"go.yaml.in/yaml/v3"

	"regain/conformance/people"
	"regain/conformance/proofing"
	"regain/conformance/testenv"
	"regain/internal/config"
	"regain/internal/node"
	"regain/provider/keys"
)

// Options say what to start.
type Options struct {
	Port  int    // first of the test environment's ports; 0 takes free ones
	Suite string // base URL of the suite: where its redirect URIs are
	Alias string // what the suite calls this target in its URLs
	// LocalSuite trusts the suite's own certificate and its private address.
	LocalSuite bool
	Logger     *slog.Logger
}

// Target is a running server under test, with the counterparts of ours that are under test in other plans.
type Target struct {
	*testenv.Env
	// Values are what the plans' templates name.
	Values map[string]any

	directory string
	servers   []*http.Server              // beside the test environment's
	roots     *x509.CertPool              // of browsers and wallets that go to the suite too
	issuers   map[string]*proofing.Server // of the suite, by their URLs
	presenter *presenter
	holders   map[string]*holder
}

// Account is whom the suite's browser recovers.
const Account = "ada.lindqvist@example.org"

// Start starts the target; Close ends it.
func Start(ctx context.Context, o Options) (*Target, error) {
	t := &Target{presenter: &presenter{}, issuers: make(map[string]*proofing.Server), holders: make(map[string]*holder)}
	if err := t.start(ctx, o); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *Target) start(ctx context.Context, o Options) error {
	mutual, err := listen(o, 5)
	if err != nil {
		return err
	}
	if t.directory, err = os.MkdirTemp("", "regain-oidf-"); err != nil {
		return fmt.Errorf("make a directory for the target: %w", err)
	}
	c := &configuration{options: o, mutual: addressOf("regain", mutual), directory: t.directory, values: map[string]any{"alias": o.Alias, "account": Account}}
	if t.Env, err = testenv.Start(testenv.Options{Port: o.Port, TLS: true, Logger: o.Logger, WalletPages: t.walletPages(), Change: c.change}); err != nil {
		return err
	}
	t.roots = c.roots(t.PKI.Anchor)
	c.verifiers()
	t.value(c)
	t.serve(o, node.NewServer(t.Node, o.Logger), tls.NewListener(mutual, t.PKI.MutualTLS()))
	if err := t.startIssuers(c); err != nil {
		return err
	}
	if err := c.err; err != nil {
		return err
	}
	if err := t.equipHolders(c); err != nil {
		return fmt.Errorf("give the suite's wallets their Verified IDs: %w", err)
	}
	if err := t.presenter.equip(ctx, t.Env, people.Samples()[0]); err != nil {
		return fmt.Errorf("give the wallet its Verified ID: %w", err)
	}
	return nil
}

// value completes what the plans' templates name.
func (t *Target) value(c *configuration) {
	c.values["issuer"], c.values["mutual_tls"], c.values["wallet"] = t.Regain, c.mutual, t.Wallet
	c.values["request_anchor"] = string(encodeCertificate(t.PKI.Anchor))
	c.values["anchor_sd_jwt_vc"], c.values["anchor_iso_mdl"] = string(encodeCertificate(t.Issuer.Anchor())), string(encodeCertificate(t.Issuer.IACA()))
	// The first three are ours; the last is of OpenID Connect for Identity Assurance 1.0 §9, and the suite does not
	// know it.
	c.values["our_metadata"] = []string{
		"temporary_access_pass_endpoint", "recovery_token_encryption_alg_values_supported", "recovery_token_encryption_enc_values_supported",
		"verified_claims_supported",
	}
	c.browse(t.Regain, t.Wallet)
	t.Values = c.values
}

// walletPages are the page with two buttons, and below their names the wallets that the suite asks.
func (t *Target) walletPages() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", t.presenter.Handler())
	for _, name := range []string{openWallet, strictWallet, applicant} {
		mux.HandleFunc("/"+name+"/", func(w http.ResponseWriter, r *http.Request) {
			http.StripPrefix("/"+name, t.holders[name].pages).ServeHTTP(w, r) // there since Start returned
		})
	}
	return mux
}

const signingFile = "signing.pem"

// listen takes a port after the test environment's five.
func listen(o Options, after int) (net.Listener, error) {
	port := 0
	if o.Port != 0 {
		port = o.Port + after
	}
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, fmt.Errorf("listen beside the env: %w", err)
	}
	return l, nil
}

func addressOf(name string, l net.Listener) string {
	return fmt.Sprintf("https://%s.localhost:%d", name, l.Addr().(*net.TCPAddr).Port) //nolint:forcetypeassert // we listened on TCP
}

// Rotate adds a signing key that is published at once, as an operator does with `regain keys rotate` and SIGHUP.
func (t *Target) Rotate() error {
	key, err := keys.GenerateFor(jose.RS256, rand.Reader)
	if err != nil {
		return err
	}
	rotation := keys.Rotation{Algorithm: jose.RS256, New: key, Now: time.Now(), Announce: time.Hour, Overlap: time.Hour}
	if err := keys.RotateFile(filepath.Join(t.directory, signingFile), rotation); err != nil {
		return err
	}
	return t.Node.ReloadKeys()
}

func (t *Target) serve(o Options, server *http.Server, l net.Listener) {
	t.servers = append(t.servers, server)
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			o.Logger.Error("serve beside the test environment", "error", err)
		}
	}()
}

// Close ends the servers and removes their files.
func (t *Target) Close() error {
	var problems []error
	for _, server := range t.servers {
		problems = append(problems, server.Close())
	}
	if t.Env != nil {
		problems = append(problems, t.Env.Close())
	}
	return errors.Join(append(problems, os.RemoveAll(t.directory))...)
}

// configuration changes the test environment's configuration of Regain into the suite's, and remembers the first mistake.
type configuration struct {
	options   Options
	mutual    string // base URL for clients with certificates
	directory string
	values    map[string]any
	owners    []account // whose Verified IDs the suite holds
	attesters certified // the wallet provider's CA
	attester  certified // who vouches for wallets
	asks      asks      // who the suite is to wallets of ours
	suite     []byte    // certificate of a suite on this machine, PEM; nil for others
	err       error
}

func (c *configuration) note(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *configuration) change(cfg *config.Config) {
	cfg.Secrets.SigningKey.File = c.write(signingFile, c.ring())
	c.verify(cfg)
	cfg.Directory.File = c.write("directory.yaml", c.accounts())
	cfg.Clients = append(cfg.Clients, c.clients()...)
	cfg.Registration = c.registration()
	for i := range cfg.Profiles {
		cfg.Profiles[i].Credential.Document = config.DocumentConfig{Type: "passport", CheckMethod: "vpiruv", Organization: "Northlight Identity"}
	}
	cfg.MutualTLS.BaseURL = c.mutual
	c.reachSuite(cfg)
}

func (c *configuration) write(name string, data []byte) string {
	const private = 0o600
	path := filepath.Join(c.directory, name)
	c.note(os.WriteFile(path, data, private))
	return path
}

// account is one of the directory file.
type account struct {
	Name       string            `yaml:"name"`
	ID         string            `yaml:"id"`
	Groups     []string          `yaml:"groups"`
	Attributes map[string]string `yaml:"attributes"`
}

// accounts is the directory.
func (c *configuration) accounts() []byte {
	text, err := yaml.Marshal(map[string]any{"accounts": append(c.owners, known()), "groups": []string{"executives"}}) // whom the demo's configuration excludes
	c.note(err)
	return text
}

// known is an account with a value for every standard claim (OpenID Connect Core 1.0 §5.1): the suite warns of each that
// userinfo lacks.
func known() account {
	person := people.Samples()[0]
	return account{
		Name: person.Account, ID: person.AccountID, Groups: person.Groups,
		Attributes: map[string]string{
			"given_name": person.DirectoryGivenName, "family_name": person.DirectoryFamilyName,
			"name": person.DirectoryGivenName + " " + person.DirectoryFamilyName, "middle_name": "Augusta", "nickname": "Addie",
			"preferred_username": "ada", "profile": "https://people.example.org/ada", "picture": "https://people.example.org/ada.png",
			"website": "https://ada.example.org", "gender": "female", "birthdate": person.Birthdate, "zoneinfo": "Europe/Stockholm",
			"locale": "sv-SE", "updated_at": "1767225600", "email": person.Account, "email_verified": "true",
			"phone_number": "+46 8 555 01 23", "phone_number_verified": "true",
			"address.formatted": "Storgatan 1\n111 23 Stockholm\nSweden", "address.street_address": "Storgatan 1", "address.locality": "Stockholm",
			"address.region": "Stockholm", "address.postal_code": "111 23", "address.country": "Sweden",
		},
	}
}

// secret is a client secret of 256 random bits.
func (c *configuration) secret() string { return rand.Text() + rand.Text() }
