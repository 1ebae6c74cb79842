// Package testenv starts a whole environment on loopback: a main IdP, Regain, an identity proofing provider and a wallet, each
// a server of its own with a host name of its own, so that origins and cookies are as separate as in production. They
// speak to each other over HTTP and share nothing but the sample people and each other's public keys.
//
// Regain is configured the way an operator configures it: by a YAML file and the files it names, in a directory made
// for this test environment.
package testenv

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"regain/conformance/idp"
	"regain/conformance/mongoserver"
	"regain/conformance/people"
	"regain/conformance/proofing"
	"regain/conformance/rp"
	"regain/conformance/wallet"
	"regain/conformance/wallet/phone"
	"regain/conformance/wallet/request"
	"regain/internal/config"
	"regain/internal/node"
)

// Options say what test environment to start.
type Options struct {
	Port   int // first of four ports; 0 takes free ones
	TLS    bool
	Path   string // path of Regain's issuer, such as /regain; "" for none
	Logger *slog.Logger
	// Clock is everybody's clock; nil is the real one. Tests move it.
	Clock func() time.Time
	// Clients is a file whose `clients` are registered too, written as in docs/configuration.md; "" for none.
	Clients string
	// Configuration is a file that is merged into Regain's configuration, written as in docs/configuration.md: lists get
	// longer, everything else takes the place of what was there; "" for none.
	Configuration string
	// Offers are the credential configurations that the proofing provider offers; its usual one if empty.
	Offers []string
	// Change edits Regain's configuration before it starts; nil leaves it.
	Change func(*config.Config)
	// Elsewhere serves Regain in another process, which reads the configuration file and accepts on the listener; nil
	// serves it in this one.
	Elsewhere func(config string, l *net.TCPListener) (io.Closer, error)
	// Namesakes is how many more accounts there are with the names of the first sample person: namesake-0@example.org ….
	Namesakes int
	// Store is Regain's storage backend, "memory", "file" or "mongo"; "" is memory.
	Store string
	// MongoURI is the server of the store "mongo", where the test environment makes a database of its own and drops it; ""
	// starts one (package mongoserver).
	MongoURI string
	// Nodes is how many nodes there are, with something in front of them; one at the issuer's own address if it is 0 or 1.
	// More need the store "mongo".
	Nodes int
	// Front stands in front of several nodes; nil for a balancer in this process.
	Front func(Front) (io.Closer, error)
	// PeopleFrom is the address of this machine, such as 127.0.0.2, that everybody but a front comes from; "" for any. A front
	// that cannot choose its own address needs it: a node does not take the address of one of its proxies for a person's.
	PeopleFrom string
	// Studio draws the people and compares their faces, so that many test environments in one process share the work; nil draws
	// each picture anew.
	Studio *people.Studio
	// WalletPages serves the wallet's host instead of the phone's pages; nil leaves it to the phone.
	WalletPages http.Handler
	// Deps edits what Regain is made with, so that tests can have a part of it fail; nil leaves it.
	Deps func(*node.Deps)
}

// Env is four running servers.
type Env struct {
	Regain, IdP, Proofing, Wallet string // base URLs

	Node     *node.Node // the first
	IdPs     *idp.Server
	RP       *rp.RP // a relying party without pages, for journeys that a program walks
	ByID     *rp.RP // another, which knows people by the directory's id: subject: id
	Issuer   *proofing.Server
	Rogue    *proofing.Server // a second proofing provider, which the node does not trust; it has no pages to click
	RogueURL string
	PKI      *PKI
	Clock    func() time.Time
	Client   *http.Client // dials names under .localhost and trusts the test environment's CA

	nodes     []*node.Node
	served    []*counted
	elsewhere io.Closer // what serves Regain beside servers
	database  *mongoserver.Database
	inside    string // address at which the nodes listen and from which their front comes, where there are several
	directory string
	servers   []*http.Server
	failed    chan error
}

// party is one server before it starts: its name, its listener and its URL.
type party struct {
	listener net.Listener
	url      string
}

// Start starts the test environment; Close ends it.
func Start(o Options) (*Env, error) {
	if o.Logger == nil {
		return nil, errors.New("test environment: Logger is missing")
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if err := o.validateNodes(); err != nil {
		return nil, err
	}
	w := &Env{Clock: o.Clock, failed: make(chan error, 8)}
	var err error
	if w.PKI, err = newPKI(time.Now()); err != nil {
		return nil, err
	}
	w.Client = w.PKI.client(10*time.Second, o.PeopleFrom)
	if w.directory, err = os.MkdirTemp("", "regain-testenv-"); err != nil {
		return nil, fmt.Errorf("make a directory for the test environment: %w", err)
	}
	if err := w.start(o); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *Env) start(o Options) error {
	parties, err := listen(o)
	if err != nil {
		return err
	}
	w.Regain, w.IdP, w.Proofing, w.Wallet = parties[0].url+o.Path, parties[1].url, parties[2].url, parties[3].url
	w.RogueURL = parties[4].url
	if err := w.startProofing(o, parties); err != nil {
		return err
	}
	if err := w.startIdP(o, parties[1]); err != nil {
		return err
	}
	if err := w.startRegain(o, parties[0]); err != nil {
		return err
	}
	return w.startWallet(o, parties[3])
}

// listen takes the ports first: everybody must know everybody's address before anybody starts.
func listen(o Options) ([]party, error) {
	names := []string{"regain", "idp", "proofing", "wallet", "rogue"}
	parties := make([]party, len(names))
	for i, name := range names {
		port := 0
		if o.Port != 0 {
			port = o.Port + i
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return nil, fmt.Errorf("listen for %s: %w (another `regain demo` may be running; --port takes another range)", name, err)
		}
		scheme := "http"
		if o.TLS {
			scheme = "https"
		}
		parties[i] = party{l, fmt.Sprintf("%s://%s.localhost:%d", scheme, name, l.Addr().(*net.TCPAddr).Port)} //nolint:forcetypeassert // a TCP listener
	}
	return parties, nil
}

func (w *Env) startProofing(o Options, parties []party) error {
	for i, target := range map[int]**proofing.Server{2: &w.Issuer, 4: &w.Rogue} {
		server, err := proofing.New(proofing.Config{
			BaseURL: parties[i].url, RegainIssuer: w.Regain, WalletOfferEndpoint: w.Wallet + "/offer", Offers: o.Offers, StatusTTL: 2 * time.Second,
			Studio: o.Studio, Clock: w.Clock, Random: rand.Reader, Logger: o.Logger.With("party", "proofing"), HTTPClient: w.Client,
		})
		if err != nil {
			return fmt.Errorf("start the proofing provider: %w", err)
		}
		*target = server
		w.serve(o, parties[i], server.Handler())
	}
	return nil
}

// ProgramRedirect is the redirect URI of RP. It is not served: a program stops there and reads the URL.
const ProgramRedirect = "https://program.localhost/callback"

// startIdP makes the main IdP, and the relying parties for programs beside it.
func (w *Env) startIdP(o Options, p party) error {
	var accounts []idp.Account
	for _, person := range people.Samples() {
		accounts = append(accounts, idp.Account{Name: person.Account, DisplayName: person.DirectoryGivenName + " " + person.DirectoryFamilyName})
	}
	var err error
	w.IdPs, err = idp.New(idp.Config{
		Name: "Example Organisation", BaseURL: p.url, RegainIssuer: w.Regain, ClientID: ClientIdP, Accounts: accounts,
		HTTPClient: w.Client, Clock: w.Clock, Random: rand.Reader, Logger: o.Logger.With("party", "idp"),
	})
	if err != nil {
		return fmt.Errorf("start the main IdP: %w", err)
	}
	w.serve(o, p, w.IdPs.Handler())
	for id, party := range map[string]**rp.RP{ClientProgram: &w.RP, ClientByID: &w.ByID} {
		if *party, err = rp.New(rp.Config{Issuer: w.Regain, ClientID: id, RedirectURI: ProgramRedirect, HTTPClient: w.Client, Clock: w.Clock}); err != nil {
			return err
		}
	}
	return nil
}

func (w *Env) startWallet(o Options, p party) error {
	if o.WalletPages != nil {
		w.serve(o, p, o.WalletPages)
		return nil
	}
	server, err := phone.NewServer(phone.Config{
		BaseURL: p.url, People: phone.SamplePeople(rand.Reader), HTTPClient: w.Client, Clock: w.Clock, Random: rand.Reader,
		Logger: o.Logger.With("party", "wallet"), RequestAnchors: w.PKI.pool(),
	})
	if err != nil {
		return fmt.Errorf("start the wallet: %w", err)
	}
	w.serve(o, p, server.Handler())
	return nil
}

// serve runs one party's server until Close.
func (w *Env) serve(o Options, p party, handler http.Handler) {
	server := node.NewServer(handler, o.Logger)
	w.servers = append(w.servers, server)
	go func() {
		var err error
		if o.TLS {
			server.TLSConfig = w.PKI.ServerTLS()
			err = server.ServeTLS(p.listener, "", "")
		} else {
			err = server.Serve(p.listener)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			w.failed <- fmt.Errorf("serve %s: %w", p.url, err)
		}
	}()
}

// Wait blocks until ctx ends or a server fails.
func (w *Env) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-w.failed:
		return err
	}
}

// NewWallet returns a wallet without pages, for journeys walked by a program.
func (w *Env) NewWallet(camera wallet.Camera, clock func() time.Time) (*wallet.Wallet, error) {
	return w.NewWalletThat(camera, clock, request.Policy{})
}

// NewWalletThat is NewWallet for a wallet that takes other requests than the strictest.
func (w *Env) NewWalletThat(camera wallet.Camera, clock func() time.Time, takes request.Policy) (*wallet.Wallet, error) {
	return wallet.New(wallet.Config{
		HTTPClient: w.Client, Clock: clock, Random: rand.Reader, Logger: slog.New(slog.DiscardHandler), Camera: camera, RequestAnchors: w.PKI.pool(),
		Requests: takes,
	})
}

// Directory is where the test environment's own files are: Regain's configuration, its keys, and the CA of the servers.
func (w *Env) Directory() string { return w.directory }

// CAFile is the path of the CA's certificate, for a browser in a test environment with TLS.
func (w *Env) CAFile() string { return filepath.Join(w.directory, caFile) }

// AuditLog is the path of the audit log of Regain, or of its first node.
func (w *Env) AuditLog() string { return w.auditLog(0) }

// AuditLogs are the paths of the audit logs of all nodes.
func (w *Env) AuditLogs() (paths []string) {
	for i := range max(1, len(w.nodes)) {
		paths = append(paths, w.auditLog(i))
	}
	return paths
}

func (w *Env) auditLog(node int) string {
	if node == 0 {
		return filepath.Join(w.directory, "audit.jsonl")
	}
	return filepath.Join(w.directory, fmt.Sprintf("audit-%d.jsonl", node+1))
}

// MongoURI is the server of the store "mongo", "" with another store.
func (w *Env) MongoURI() string {
	if w.database == nil {
		return ""
	}
	return w.database.URI
}

// InMemory reports whether the store "mongo" is on the test server.
func (w *Env) InMemory() bool { return w.database != nil && w.database.InMemory() }

// Close ends every server and removes the test environment's files.
func (w *Env) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	w.Client.CloseIdleConnections() // an idle HTTP/2 connection has a server wait a second before it ends
	for _, n := range w.nodes {
		n.EndLivePages() // or the servers wait for them
	}
	var problems []error
	for _, s := range w.servers {
		if err := s.Shutdown(ctx); err != nil {
			problems = append(problems, s.Close())
		}
	}
	return errors.Join(append(problems, w.closeRegain(), os.RemoveAll(w.directory))...)
}
