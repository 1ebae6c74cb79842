// Package proxies runs the proxy configurations of the directory deploy as they are, with other addresses, names and
// certificates, in front of the nodes of a test environment, and checks what Regain needs of them.
//
// The proxies are Debian's nginx and Caddy, in processes of their own. The Kubernetes manifest is read and not run.
package proxies

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"regain/conformance/testenv"
)

const (
	startTimeout = 10 * time.Second
	stopTimeout  = 5 * time.Second
)

// Front returns what runs a proxy with a configuration file in front of a test environment with TLS and three nodes. The
// proxy is Caddy where the file is called Caddyfile, and nginx elsewhere.
func Front(file string) func(testenv.Front) (io.Closer, error) {
	return func(f testenv.Front) (io.Closer, error) {
		port := f.Listener.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // we listen on TCP
		if err := f.Listener.Close(); err != nil {
			return nil, fmt.Errorf("leave the issuer's port to the proxy: %w", err)
		}
		return start(file, place{name: "regain.localhost", port: port, nodes: f.Nodes, certificate: f.CertificateFile, key: f.KeyFile})
	}
}

// place is where a proxy stands, in place of the example addresses of its file.
type place struct {
	name        string   // of the issuer; that for client certificates has the same
	port        int      // of the issuer
	mutual      int      // port of the host for client certificates; 0 for any
	nodes       []string // base URLs
	certificate string
	key         string
}

// proxy is a running proxy.
type proxy struct {
	cmd       *exec.Cmd
	log       bytes.Buffer
	directory string
	ended     chan struct{} // closed when it is no more
}

func start(file string, at place) (*proxy, error) {
	const nodes = 3
	if len(at.nodes) != nodes {
		return nil, fmt.Errorf("%s has %d nodes, and here are %d", file, nodes, len(at.nodes))
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the proxy's configuration: %w", err)
	}
	if at.mutual == 0 {
		if at.mutual, err = freePort(); err != nil {
			return nil, err
		}
	}
	p := &proxy{ended: make(chan struct{})}
	if p.directory, err = os.MkdirTemp("", "regain-proxy-"); err != nil {
		return nil, fmt.Errorf("make a directory for the proxy: %w", err)
	}
	prepare := p.nginx
	if filepath.Base(file) == "Caddyfile" {
		prepare = p.caddy
	}
	if err := prepare(string(text), at); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", file, err), os.RemoveAll(p.directory))
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the proxy: %w: scripts/proxies installs it", err), os.RemoveAll(p.directory))
	}
	go func() {
		_ = p.cmd.Wait() // its log says why it ended
		close(p.ended)
	}()
	if err := p.await(at.port); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// await waits until the proxy takes connections.
func (p *proxy) await(port int) error {
	dialer := net.Dialer{Timeout: startTimeout}
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		select {
		case <-p.ended:
			return fmt.Errorf("the proxy ended: %s", p.log.String())
		default:
		}
		if c, err := dialer.DialContext(context.Background(), "tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return c.Close()
		}
	}
	return errors.New("the proxy takes no connections")
}

// Close ends the proxy and what it still serves.
func (p *proxy) Close() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	return os.RemoveAll(p.directory)
}

// replaceAll puts the place in for the examples. An example that is not there is an error: the file would be run with another
// meaning than it has.
func replaceAll(text string, pairs [][2]string) (string, error) {
	for _, pair := range pairs {
		if !strings.Contains(text, pair[0]) {
			return "", fmt.Errorf("it has no %q", pair[0])
		}
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	return text, nil
}

func (at place) upstreams() (pairs [][2]string) {
	for i, node := range at.nodes {
		pairs = append(pairs, [2]string{fmt.Sprintf("10.0.0.%d:8400", 11+i), strings.TrimPrefix(node, "http://")})
	}
	return pairs
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close() //nolint:forcetypeassert // we listened on TCP
}
