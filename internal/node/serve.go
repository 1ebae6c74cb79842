package node

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"
)

// Limits of the HTTP server. There is no write timeout: a progress response lasts minutes and sets its own deadline.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	idleTimeout       = 2 * time.Minute
	shutdownTimeout   = 10 * time.Second
	maxHeaderBytes    = 32 << 10
)

// Tune configures the garbage collector for a small heap and CPU-bound cryptography: by default it would run for
// every few recoveries. GOGC and GOMEMLIMIT, if set, have precedence.
func Tune() {
	const percent = 400
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(percent)
	}
}

// Serve runs a node until ctx ends, then waits for the requests in progress.
func Serve(ctx context.Context, cfg Config, logger *slog.Logger) error {
	Tune()
	n, err := New(cfg, Deps{Logger: logger, Clock: time.Now, Random: rand.Reader})
	if err != nil {
		return err
	}
	listeners, err := n.listen()
	if err != nil {
		return errors.Join(err, n.Close())
	}
	logger.Info("serving", "issuer", cfg.Issuer, "listen", listeners[0].Addr().String(), "tls", cfg.TLS.CertificateFile != "", "storage", cfg.Storage.Backend)
	n.warn(logger, time.Now())
	stop := n.watch(logger, time.Now, watchEvery)
	served := serve(ctx, NewServer(n, logger), listeners)
	stop() // nothing is read while the node is being closed
	return errors.Join(served, n.Close())
}

// NewServer returns an HTTP server for a handler, with this package's limits.
func NewServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// TLS returns the server's TLS configuration: TLS 1.3, or TLS 1.2 with forward secrecy and authenticated encryption
// only (RFC 9325 §4.2, which FAPI 2.0 Security Profile §5.2.1 requires).
func TLS(certificate tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
	}
}

// MutualTLS is TLS that requests a client certificate and accepts any, or none: the client's registration determines
// which certificate is valid (RFC 8705 §2).
func MutualTLS(certificate tls.Certificate) *tls.Config {
	cfg := TLS(certificate)
	cfg.ClientAuth = tls.RequestClientCert
	return cfg
}

// listen opens the main listener, and the one for mutual TLS if it is configured.
func (n *Node) listen() ([]net.Listener, error) {
	listener, err := net.Listen("tcp", n.cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if n.loaded.certificate == nil {
		return []net.Listener{listener}, nil
	}
	listeners := []net.Listener{tls.NewListener(listener, n.certificate.config(TLS(*n.loaded.certificate)))}
	if n.cfg.MutualTLS.Listen == "" {
		return listeners, nil
	}
	mutual, err := net.Listen("tcp", n.cfg.MutualTLS.Listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mutual_tls.listen: %w", err), listener.Close())
	}
	return append(listeners, tls.NewListener(mutual, n.certificate.config(MutualTLS(*n.loaded.certificate)))), nil
}

func serve(ctx context.Context, server *http.Server, listeners []net.Listener) error {
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { failed <- server.Serve(l) }()
	}
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serve: %w", err), server.Close())
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return errors.Join(fmt.Errorf("stop serving: %w", err), server.Close())
	}
	return nil
}

// Check reports what is wrong with a configuration: it builds the node without listening.
func Check(cfg Config) error {
	n, err := New(cfg, Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		return err
	}
	return n.Close()
}
