package testenv

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"

	"regain/conformance/balancer"
	"regain/internal/config"
	"regain/internal/node"
)

// Front is what stands in front of several nodes: it listens at the issuer's address and sends each request to any of them.
type Front struct {
	Listener net.Listener // at the issuer's address; a front in another process closes it and listens there itself
	Nodes    []string     // base URLs of the nodes, without TLS
	From     string       // address that the nodes trust as their proxy
	// CertificateFile and KeyFile are of the front in a test environment with TLS, and "" without.
	CertificateFile, KeyFile string
}

func (w *Env) startRegain(o Options, p party) error {
	path, err := w.configure(o)
	if err != nil {
		return err
	}
	if o.Elsewhere != nil {
		w.elsewhere, err = o.Elsewhere(path, p.listener.(*net.TCPListener)) //nolint:forcetypeassert // we listened on TCP
		return err
	}
	cfg := config.Defaults()
	if err := config.Load(config.Source{File: path}, &cfg); err != nil {
		return err
	}
	guests, err := readClients(o.Clients)
	if err != nil {
		return err
	}
	cfg.Clients = append(cfg.Clients, guests...)
	if o.Change != nil {
		o.Change(&cfg)
	}
	if o.several() {
		return w.startNodes(o, p, cfg)
	}
	if w.Node, err = w.newNode(o, cfg, "regain"); err != nil {
		return err
	}
	w.nodes = append(w.nodes, w.Node)
	w.serve(o, p, w.Node)
	return nil
}

func (w *Env) newNode(o Options, cfg config.Config, name string) (*node.Node, error) {
	deps := node.Deps{Logger: o.Logger.With("party", name), Clock: w.Clock, Random: rand.Reader}
	if o.Deps != nil {
		o.Deps(&deps)
	}
	n, err := node.New(cfg, deps)
	if err != nil {
		return nil, fmt.Errorf("start Regain: %w", err)
	}
	return n, nil
}

// several reports whether there is something in front of the nodes.
func (o Options) several() bool { return o.Nodes > 1 }

// validateNodes reports nodes that would know nothing of each other.
func (o Options) validateNodes() error {
	if o.several() && o.Store != "mongo" {
		return fmt.Errorf("test environment: %d nodes need a store that they share: mongo", o.Nodes)
	}
	return nil
}

// startNodes starts the nodes, each with an audit log of its own, and the front at the issuer's address.
func (w *Env) startNodes(o Options, p party, cfg config.Config) error {
	front := Front{Listener: p.listener, From: w.inside}
	if o.TLS {
		front.CertificateFile, front.KeyFile = filepath.Join(w.directory, serverCertificate), filepath.Join(w.directory, serverKey)
	}
	behind := o
	behind.TLS = false // which the front ends
	for i := range o.Nodes {
		each := cfg
		each.Audit.File, each.Audit.Node = w.auditLog(i), nodeName(i)
		n, err := w.newNode(o, each, nodeName(i))
		if err != nil {
			return err
		}
		w.nodes = append(w.nodes, n)
		listener, err := net.Listen("tcp", net.JoinHostPort(w.inside, "0"))
		if err != nil {
			return fmt.Errorf("listen for a node: %w", err)
		}
		address := "http://" + listener.Addr().String()
		front.Nodes = append(front.Nodes, address)
		w.served = append(w.served, &counted{handler: n})
		w.serve(behind, party{listener, address}, w.served[i])
	}
	w.Node = w.nodes[0]
	if o.Front != nil {
		var err error
		w.elsewhere, err = o.Front(front)
		return err
	}
	b, err := balancer.New(balancer.Config{Upstreams: front.Nodes, From: front.From, Probe: Ready})
	if err != nil {
		return err
	}
	w.elsewhere = b
	w.serve(o, p, b)
	return nil
}

// counted counts what a node is asked, beside whether it is ready.
type counted struct {
	handler http.Handler
	n       atomic.Int64
}

func (c *counted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != Ready {
		c.n.Add(1)
	}
	c.handler.ServeHTTP(w, r)
}

// Served returns how many requests each of several nodes was asked.
func (w *Env) Served() (all []int64) {
	for _, c := range w.served {
		all = append(all, c.n.Load())
	}
	return all
}

func nodeName(i int) string { return fmt.Sprintf("node-%d", i+1) }

// Ready is the path at which a node says that it can serve.
const Ready = "/healthz"

// loopback returns an address of this machine that people do not come from, so that a proxy's can be told from theirs: a node
// does not take the address of one of its proxies for a person's.
func (o Options) loopback() (string, error) {
	if o.PeopleFrom != "" {
		return "127.0.0.1", nil
	}
	for _, address := range []string{"127.0.0.2", "::1"} {
		if l, err := net.Listen("tcp", net.JoinHostPort(address, "0")); err == nil {
			return address, l.Close()
		}
	}
	return "", errors.New("test environment: several nodes need a second loopback address, 127.0.0.2 or ::1")
}

// readClients reads the clients that somebody brings.
func readClients(path string) ([]config.ClientConfig, error) {
	var file struct {
		Clients []config.ClientConfig `koanf:"clients"`
	}
	if path == "" {
		return nil, nil
	}
	if err := config.Load(config.Source{File: path}, &file); err != nil {
		return nil, fmt.Errorf("clients to register: %w", err)
	}
	return file.Clients, nil
}

// closeRegain ends the nodes, whose servers have stopped.
func (w *Env) closeRegain() error {
	var problems []error
	if w.elsewhere != nil {
		problems = append(problems, w.elsewhere.Close())
	}
	for _, n := range w.nodes {
		problems = append(problems, n.Close())
	}
	if w.database != nil {
		problems = append(problems, w.database.Close())
	}
	return errors.Join(problems...)
}
