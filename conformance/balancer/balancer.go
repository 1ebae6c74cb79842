// Package balancer stands in front of several nodes under one address, for demonstrations and crash runs: what nginx is as a
// plain reverse proxy.
//
// Each request goes to any healthy node at random, whoever sends it: there are no sticky sessions, and consecutive requests of one
// browser meet different nodes. A node is healthy while its probe answers 200; it is out as soon as it refuses a
// connection, until the next probe. Where no node is healthy all are tried, since an answer that says what to do is worth more
// than one of the balancer's.
//
// A request is sent to a second node only if the first refused the connection: then it was never sent, and nothing can be done
// twice. Anything else that goes wrong before an answer is 502 (RFC 9110 §15.6.3), and an answer that does not begin in time
// 504 (§15.6.5); an answer that breaks off is broken off for the client. There is one connection a request, so that a refused
// connection is never mistaken for one that was used up.
//
// A node gets the Host that the client named, and X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host of the connection
// to the balancer. What the client sent under these names is removed, as a proxy at the edge has to. Answers are passed on as
// they come, server-sent events too.
//
// Left out of what nginx does: buffering, caching, weights, several proxies in a row, and that a GET whose answer was lost is
// sent to another node.
package balancer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"sync/atomic"
	"time"
)

const (
	defaultEvery   = 200 * time.Millisecond
	defaultTimeout = 35 * time.Second // longer than a node takes for a request (internal/node)
	probeTimeout   = 2 * time.Second
	dialTimeout    = time.Second
)

// Config says what is balanced.
type Config struct {
	Upstreams []string      // base URLs of the nodes, such as http://127.0.0.1:8501
	Probe     string        // path that a healthy node answers with 200
	Every     time.Duration // between two probes of a node; 0 for 200 ms
	Timeout   time.Duration // for the header of an answer; 0 for 35 s
	// From is the address of this machine that the nodes are called from, so that they can tell their proxy from people who
	// come from this machine too; "" for any.
	From string
}

// Balancer is an http.Handler over the nodes.
type Balancer struct {
	nodes   []*upstream
	proxy   *httputil.ReverseProxy
	probing *http.Client
	probe   string
	stop    context.CancelFunc
	ended   chan struct{}
}

// upstream is one node.
type upstream struct {
	base    *url.URL
	healthy atomic.Bool
	served  atomic.Int64
}

// New returns a balancer that probes its nodes until Close. All are healthy until they are found not to be.
func New(c Config) (*Balancer, error) {
	b := &Balancer{probe: c.Probe, ended: make(chan struct{})}
	for _, address := range c.Upstreams {
		base, err := url.Parse(address)
		if err != nil || base.Host == "" {
			return nil, fmt.Errorf("balancer: %q is no base URL of a node", address)
		}
		u := &upstream{base: base}
		u.healthy.Store(true)
		b.nodes = append(b.nodes, u)
	}
	if len(b.nodes) == 0 || c.Probe == "" {
		return nil, errors.New("balancer: nodes and the path of their probe are required")
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	if c.From != "" {
		address, err := netip.ParseAddr(c.From)
		if err != nil {
			return nil, fmt.Errorf("balancer: from: %w", err)
		}
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(address, 0))
	}
	transport := &http.Transport{
		DialContext: dialer.DialContext, DisableKeepAlives: true, DisableCompression: true,
		ResponseHeaderTimeout: orElse(c.Timeout, defaultTimeout),
	}
	b.probing = &http.Client{Transport: transport, Timeout: probeTimeout}
	b.proxy = &httputil.ReverseProxy{
		Rewrite: rewrite, Transport: spread{b, transport}, FlushInterval: -1, ErrorHandler: answerError,
		ErrorLog: log.New(io.Discard, "", 0), // what breaks off is what the runs are about; the client sees it
	}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	go b.watch(ctx, orElse(c.Every, defaultEvery))
	return b, nil
}

func orElse(d, other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return d
}

// ServeHTTP implements http.Handler. How long a request and its answer may take is the nodes' to say: a live page's takes
// minutes, which the deadlines of the server around this do not allow.
func (b *Balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w) // one without deadlines answers with an error that says nothing to us
	_, _ = control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})
	b.proxy.ServeHTTP(w, r)
}

// Served returns how many requests each node has answered, in the order of Config.Upstreams.
func (b *Balancer) Served() []int64 {
	served := make([]int64, len(b.nodes))
	for i, u := range b.nodes {
		served[i] = u.served.Load()
	}
	return served
}

// Close ends the probes.
func (b *Balancer) Close() error {
	b.stop()
	<-b.ended
	return nil
}

// rewrite prepares what a node gets; to which node it goes is spread's.
func rewrite(p *httputil.ProxyRequest) {
	p.Out.Host = p.In.Host
	p.Out.URL.RawQuery = p.In.URL.RawQuery // the proxy leaves out what Go does not parse, such as a semicolon
	p.SetXForwarded()
	p.Out.URL.Scheme, p.Out.URL.Host = "http", "node" // the proxy wants one
}

// answerError answers for a node that did not.
func answerError(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadGateway
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		status = http.StatusGatewayTimeout
	}
	http.Error(w, fmt.Sprintf("%d %s", status, http.StatusText(status)), status)
}
