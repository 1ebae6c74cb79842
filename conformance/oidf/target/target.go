// Package target starts the server under test for the OpenID Foundation's conformance suite: a whole world over TLS, in
// which Regain is configured as an operator would configure it.
//
// For the plans in which the suite is a client there is a client for each. What the suite's browser meets is the real
// journey, with one difference: the wallet's page is one form with two buttons, Present and Cancel, and the wallet behind
// it holds the Verified ID of one sample person already. That page is this package's; Regain has no switch that skips the
// wallet.
//
// For the plans in which the suite is the wallet there is a wallet profile for each way to ask it, and an account for each
// way and each credential that it holds.
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
	"gopkg.in/yaml.v3"

	"regain/conformance/people"
	"regain/conformance/world"
	"regain/internal/node"
	"regain/provider/keys"
)

// Options say what to start.
type Options struct {
	Port  int    // first of the world's ports; 0 takes free ones
	Suite string // base URL of the suite: where its redirect URIs are
	Alias string // what the suite calls this target in its URLs
	// LocalSuite trusts the suite's own certificate and its private address.
	LocalSuite bool
	Logger     *slog.Logger
}

// Target is a running server under test.
type Target struct {
	*world.World
	// Values are what the plans' templates name.
	Values map[string]any

	directory string
	mutual    *http.Server
	roots     *x509.CertPool // of browsers that go to the suite too
}

// Account is whom the suite's browser recovers.
const Account = "ada.lindqvist@example.org"

// Start starts the target; Close ends it.
func Start(ctx context.Context, o Options) (*Target, error) {
	t := &Target{}
	mutual, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", o.mutualPort()))
	if err != nil {
		return nil, fmt.Errorf("listen for clients with certificates: %w", err)
	}
	if t.directory, err = os.MkdirTemp("", "regain-oidf-"); err != nil {
		return nil, fmt.Errorf("make a directory for the target: %w", err)
	}
	base := fmt.Sprintf("https://regain.localhost:%d", mutual.Addr().(*net.TCPAddr).Port) //nolint:forcetypeassert // we listened on TCP
	c := &configuration{options: o, mutual: base, directory: t.directory, values: map[string]any{"alias": o.Alias, "account": Account}}
	presenter := &presenter{}
	t.World, err = world.Start(world.Options{
		Port: o.Port, TLS: true, Logger: o.Logger, WalletPages: presenter.Handler(), Change: c.change,
	})
	if err != nil {
		return nil, err
	}
	t.roots = c.roots(t.PKI.Anchor)
	if err := c.err; err != nil {
		return nil, err
	}
	c.values["request_anchor"] = string(encodeCertificate(t.PKI.Anchor))
	c.values["issuer"], c.values["mutual_tls"], c.values["wallet"] = t.Regain, base, t.Wallet
	// The first three are ours; the last is of OpenID Connect for Identity Assurance 1.0 §9, and the suite does not know it.
	c.values["our_metadata"] = []string{
		"temporary_access_pass_endpoint", "recovery_token_encryption_alg_values_supported", "recovery_token_encryption_enc_values_supported",
		"verified_claims_supported",
	}
	c.browse(t.Regain, t.Wallet)
	t.serveMutual(mutual, o.Logger)
	t.Values = c.values
	if err := presenter.equip(ctx, t.World, people.Samples()[0]); err != nil {
		return nil, fmt.Errorf("give the wallet its Verified ID: %w", err)
	}
	return t, nil
}

const signingFile = "signing.pem"

// mutualPort is the port after the world's five.
func (o Options) mutualPort() int {
	if o.Port == 0 {
		return 0
	}
	return o.Port + 5
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

// serveMutual serves Regain a second time, for clients that show certificates.
func (t *Target) serveMutual(l net.Listener, logger *slog.Logger) {
	t.mutual = node.NewServer(t.Node, logger)
	go func() {
		if err := t.mutual.Serve(tls.NewListener(l, t.PKI.MutualTLS())); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("serve mutual TLS", "error", err)
		}
	}()
}

// Close ends the servers and removes their files.
func (t *Target) Close() error {
	err := errors.Join(t.mutual.Close(), t.World.Close())
	if removed := os.RemoveAll(t.directory); err == nil {
		err = removed
	}
	return err
}

// configuration changes the world's configuration of Regain into the suite's, and remembers the first mistake.
type configuration struct {
	options   Options
	mutual    string // base URL for clients with certificates
	directory string
	values    map[string]any
	owners    []account // whose Verified IDs the suite holds
	suite     []byte    // certificate of a suite on this machine, PEM; nil for others
	err       error
}

func (c *configuration) note(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *configuration) change(cfg *node.Config) {
	cfg.Secrets.SigningKey.File = c.write(signingFile, c.ring())
	c.verify(cfg)
	cfg.Directory.File = c.write("directory.yaml", c.accounts())
	cfg.Clients = append(cfg.Clients, c.clients()...)
	cfg.Registration = c.registration()
	for i := range cfg.Profiles {
		cfg.Profiles[i].Credential.Document = node.DocumentConfig{Type: "passport", CheckMethod: "vpiruv", Organization: "Northlight Identity"}
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
	Groups     []string          `yaml:"groups"`
	Attributes map[string]string `yaml:"attributes"`
}

// accounts is the directory.
func (c *configuration) accounts() []byte {
	text, err := yaml.Marshal(map[string]any{"accounts": append(c.owners, known())})
	c.note(err)
	return text
}

// known is an account with a value for every standard claim (OpenID Connect Core 1.0 §5.1): the suite warns of each that
// userinfo lacks.
func known() account {
	person := people.Samples()[0]
	return account{
		Name: person.Account, Groups: person.Groups,
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
