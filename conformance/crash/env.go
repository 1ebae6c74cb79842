package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"regain/conformance/balancer"
	"regain/conformance/testenv"
)

// fork returns a source of its own for another goroutine.
func fork(chance *rand.Rand) *rand.Rand {
	return rand.New(rand.NewPCG(chance.Uint64(), chance.Uint64())) //nolint:gosec // repeatable, and no secret
}

// cluster is the nodes, their balancer, and what they share.
type cluster struct {
	o        Options
	place    string // directory of the nodes' files
	config   string // file of the configuration that all share
	nodes    []*server
	balancer *balancer.Balancer
	http     *http.Server
	database *database // nil for a store without one
	tally    *tally
}

// start starts the nodes and the balancer, which accepts on l. It is testenv.Options.Elsewhere.
func (c *cluster) start(config string, l *net.TCPListener) (io.Closer, error) {
	c.config = config
	err := c.startNodes()
	if err == nil {
		c.balancer, err = balancer.New(balancer.Config{Upstreams: c.bases(), Probe: health})
	}
	if err != nil {
		return nil, errors.Join(err, l.Close(), c.Close())
	}
	c.http = &http.Server{Handler: c.balancer, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = c.http.Serve(l) }() // until Close
	return c, nil
}

func (c *cluster) bases() (all []string) {
	for _, n := range c.nodes {
		all = append(all, n.base)
	}
	return all
}

func (c *cluster) startNodes() error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	for i := range c.o.nodes() {
		n := &server{name: fmt.Sprintf("node %d", i+1), program: []string{program, Command}, tally: c.tally}
		directory := filepath.Join(c.place, fmt.Sprintf("node-%d", i+1))
		if err := os.Mkdir(directory, 0o700); err != nil {
			return err
		}
		n.config, n.log, n.audit = filepath.Join(directory, "regain.yaml"), filepath.Join(directory, "log"), filepath.Join(directory, "audit.jsonl")
		address, err := place()
		if err != nil {
			return err
		}
		n.base = "http://" + address
		if err := c.configure(n, address); err != nil {
			return err
		}
		c.nodes = append(c.nodes, n)
		if err := n.start(); err != nil {
			return err
		}
	}
	for _, n := range c.nodes {
		if err := n.serves(context.Background()); err != nil {
			return err
		}
	}
	return nil
}

// inside is the address of this machine at which the nodes listen: another than that of outgoing connections, one of which
// could take the port of a node that is away. front is where their balancer comes from, and no person.
const (
	inside = "127.0.1.1"
	front  = "127.0.0.1"
)

// place finds an address for a node.
func place() (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(inside, "0"))
	if err != nil {
		return "", fmt.Errorf("find a port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// configure writes the configuration of a node: the one that all share, with its own address, name and audit log.
func (c *cluster) configure(n *server, address string) error {
	text, err := os.ReadFile(c.config)
	if err != nil {
		return err
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("configure %s: %w", n.name, err)
	}
	audit, ok := doc["audit"].(map[string]any)
	profiles, listed := doc["profiles"].([]any)
	if !ok || !listed {
		return errors.New("configure a node: the test environment's configuration has no audit log, or no profiles")
	}
	if err := c.keepKey(audit); err != nil {
		return err
	}
	audit["file"], audit["node"] = n.audit, n.name
	for _, p := range profiles {
		if p, ok := p.(map[string]any); ok {
			p["lifetime"] = c.o.Lifetime.String()
		}
	}
	doc["listen"], doc["trusted_proxies"] = address, []string{front + "/32"}
	if c.database != nil {
		doc["storage"] = c.database.storage
	}
	if text, err = yaml.Marshal(doc); err != nil {
		return err
	}
	return os.WriteFile(n.config, text, 0o600)
}

// keepKey copies the key of the audit logs to where they are, so that somebody can verify those that are kept.
func (c *cluster) keepKey(audit map[string]any) error {
	key, ok := audit["key"].(map[string]any)
	if !ok {
		return errors.New("configure a node: the audit log has no key")
	}
	from, _ := key["file"].(string)
	text, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("configure a node: %w", err)
	}
	kept := filepath.Join(c.place, "audit.key")
	audit["key"] = map[string]any{"file": kept}
	return os.WriteFile(kept, text, 0o600)
}

// Close ends the balancer and the nodes.
func (c *cluster) Close() error {
	var problems []error
	if c.http != nil {
		problems = append(problems, c.http.Close())
	}
	if c.balancer != nil {
		problems = append(problems, c.balancer.Close())
	}
	for _, n := range c.nodes {
		problems = append(problems, n.close())
	}
	return errors.Join(problems...)
}

// newClient returns the client of a browser and a wallet that come from an address of their own.
func newClient(w *testenv.Env, worker int) (*http.Client, error) {
	shared, ok := w.Client.Transport.(*http.Transport)
	if !ok {
		return nil, errors.New("the test environment's client has another transport")
	}
	const first = 2                                                                                                        // of 127.0.0.0/8, all of which is this machine; 127.0.0.1 is everybody else
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(first+worker))}, Timeout: w.Client.Timeout} //nolint:gosec // at most maxWorkers
	own := shared.Clone()
	own.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}
	return &http.Client{Transport: own, Timeout: w.Client.Timeout}, nil
}
