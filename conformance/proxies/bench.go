package proxies

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"regain/conformance/testenv"
)

const (
	issuerName = "regain.localhost"
	// peopleFrom is where the bench's clients come from, which is not where the proxy comes from.
	peopleFrom = "127.0.0.2"
	timeout    = 10 * time.Second
	pause      = 100 * time.Millisecond // between two events

	certificateFile = "server.crt"
	keyFile         = "server.pem"
)

// bench is a proxy in front of three nodes that tell what they are sent.
type bench struct {
	proxy          *proxy
	directory      string
	issuer, mutual string // base URLs
	certificate    tls.Certificate
	client, other  *http.Client // the other has a certificate
	servers        []*http.Server

	mu   sync.Mutex
	seen []seen
}

// seen is a request as a node got it.
type seen struct {
	node int
	*http.Request
	body int64
}

func newBench(file string) (b *bench, err error) {
	b = &bench{}
	if b.directory, err = os.MkdirTemp("", "regain-bench-"); err != nil {
		return nil, err
	}
	if err := b.start(file); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *bench) start(file string) (err error) {
	if err := b.certify(); err != nil {
		return err
	}
	at := place{name: issuerName, certificate: b.file(certificateFile), key: b.file(keyFile)}
	const nodes = 3
	for i := range nodes {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		at.nodes = append(at.nodes, "http://"+l.Addr().String())
		server := &http.Server{Handler: b.node(i), ReadHeaderTimeout: timeout, ErrorLog: log.New(io.Discard, "", 0)}
		b.servers = append(b.servers, server)
		go func() { _ = server.Serve(l) }()
	}
	if at.port, err = freePort(); err != nil {
		return err
	}
	if at.mutual, err = freePort(); err != nil {
		return err
	}
	b.issuer, b.mutual = fmt.Sprintf("https://%s:%d", issuerName, at.port), fmt.Sprintf("https://%s:%d", issuerName, at.mutual)
	b.proxy, err = start(file, at)
	return err
}

func (b *bench) file(name string) string { return filepath.Join(b.directory, name) }

// certify makes the proxy's certificate, which a client shows too: it is anybody's, as RFC 8705 §2.2 has it.
func (b *bench) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	made := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: issuerName}, DNSNames: []string{issuerName},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, made, made, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	b.certificate = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	b.client, b.other = client(roots), client(roots, b.certificate)
	return errors.Join(
		os.WriteFile(b.file(certificateFile), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(b.file(keyFile), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

// client returns a client that comes from where people come from, and follows nothing.
func client(roots *x509.CertPool, own ...tls.Certificate) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(peopleFrom)}}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: own, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				_, port, err := net.SplitHostPort(address)
				if err != nil {
					return nil, err
				}
				return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
			},
		},
	}
}

// node answers probes, notes everything else, and does what the path says.
func (b *bench) node(i int) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(testenv.Ready, func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body) //nolint:errcheck // what came is counted
		b.mu.Lock()
		b.seen = append(b.seen, seen{i, r, n})
		b.mu.Unlock()
		switch last := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]; last {
		case "abort":
			panic(http.ErrAbortHandler)
		case "events":
			w.Header().Set("Content-Type", "text/event-stream")
			for _, event := range []string{"first", "second"} { // what comes with the header is passed on by any proxy
				fmt.Fprintf(w, "data: %s\n\n", event)             //nolint:errcheck // the client will notice
				if http.NewResponseController(w).Flush() != nil { // nobody is there
					return
				}
				time.Sleep(pause)
			}
			<-r.Context().Done()
		case "redirect":
			size, _ := strconv.Atoi(r.URL.Query().Get("size")) //nolint:errcheck // ours
			w.Header().Set("Location", "https://client.example/callback?response="+strings.Repeat("x", size))
			w.WriteHeader(http.StatusSeeOther)
		}
	})
	return mux
}

// taken returns what the nodes were sent since it was last called.
func (b *bench) taken() []seen {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.seen
	b.seen = nil
	return all
}

// Close ends the proxy and the nodes.
func (b *bench) Close() error {
	var problems []error
	if b.client != nil {
		b.client.CloseIdleConnections()
		b.other.CloseIdleConnections()
	}
	if b.proxy != nil {
		problems = append(problems, b.proxy.Close())
	}
	for _, s := range b.servers {
		problems = append(problems, s.Close())
	}
	return errors.Join(append(problems, os.RemoveAll(b.directory))...)
}
