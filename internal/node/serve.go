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
	"time"

	"regain/internal/config"
	"regain/internal/plan"
)

// Limits of the HTTP server. The write timeout is counted from the end of a request's header, so it bounds reading the
// body and the handler too; a live page, which lasts minutes, sets deadlines of its own.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	shutdownTimeout   = 10 * time.Second
	maxHeaderBytes    = 32 << 10
	// Of HTTP/2: how many requests one connection has at a time (RFC 9113 §6.5.2 recommends no fewer), and when a peer
	// that says nothing is asked whether it is there.
	maxStreams  = 100
	pingAfter   = 30 * time.Second
	pingTimeout = 15 * time.Second
)

// Serve runs a node until ctx ends. Then it says that it is not ready any more, ends the live pages, waits for the requests in
// progress, and returns nil: that a stranger's connection had to be cut off at the end is logged, and no failure of the node.
//
// It listens before it opens the store. While that is away, the node is alive and not ready; what waiting does not cure ends it.
func Serve(ctx context.Context, cfg config.Config, logger *slog.Logger) error {
	Tune(logger)
	defer holdHangup()() // from the first file on: who rotates a log signals whoever holds it
	deps := Deps{Logger: logger, Clock: time.Now, Random: rand.Reader}
	n, err := read(cfg, deps)
	if err != nil {
		return err
	}
	front, err := newFront(n, deps)
	if err != nil {
		return err
	}
	listeners, err := n.listen(logger)
	if err != nil {
		return err
	}
	server := NewServer(front, logger)
	failed := accept(server, listeners)
	if err := n.start(ctx, deps, failed, front.told); err != nil {
		if errors.Is(err, ctx.Err()) { // told to stop while it waited
			err = nil
		}
		return errors.Join(err, server.Close())
	}
	front.open()
	logger.Info("serving", "issuer", cfg.Issuer, "listen", listeners[0].Addr().String(), "tls", cfg.TLS.CertificateFile != "", "storage", cfg.Storage.Backend)
	n.warn(logger, time.Now())
	server.RegisterOnShutdown(n.EndLivePages)
	stop := n.watch(logger, time.Now, watchEvery)
	served := n.serve(ctx, server, failed, logger)
	stop() // nothing is read while the node is being closed
	if err := errors.Join(served, n.Close()); err != nil {
		return err
	}
	logger.Info("stopped")
	return nil
}

// NewServer returns an HTTP server for a handler, with this package's limits.
func NewServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		HTTP2:    &http.HTTP2Config{MaxConcurrentStreams: maxStreams, SendPingTimeout: pingAfter, PingTimeout: pingTimeout, WriteByteTimeout: writeTimeout},
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
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
func (n *Node) listen(logger *slog.Logger) ([]net.Listener, error) {
	gate, err := newGate(n.cfg, logger)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", n.cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	listener = gate.Listen(listener)
	if n.loaded.Certificate == nil {
		return []net.Listener{listener}, nil
	}
	listeners := []net.Listener{tls.NewListener(listener, n.certificate.config(TLS(*n.loaded.Certificate)))}
	if n.cfg.MutualTLS.Listen == "" {
		return listeners, nil
	}
	mutual, err := net.Listen("tcp", n.cfg.MutualTLS.Listen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mutual_tls.listen: %w", err), listener.Close())
	}
	return append(listeners, tls.NewListener(gate.Listen(mutual), n.certificate.config(MutualTLS(*n.loaded.Certificate)))), nil
}

// accept serves on the listeners, and returns why one of them failed.
func accept(server *http.Server, listeners []net.Listener) (failed <-chan error) {
	ended := make(chan error, len(listeners))
	for _, l := range listeners {
		go func() { ended <- server.Serve(l) }()
	}
	return ended
}

// serve waits until ctx ends, and stops.
func (n *Node) serve(ctx context.Context, server *http.Server, failed <-chan error, logger *slog.Logger) error {
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serve: %w", err), server.Close())
	case <-ctx.Done():
	}
	n.leaving.Store(true)
	if n.cfg.ShutdownDelay > 0 {
		logger.Info("not ready any more", "stops_in", n.cfg.ShutdownDelay)
		time.Sleep(n.cfg.ShutdownDelay)
	}
	logger.Info("stopping", "at_most", shutdownTimeout)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		logger.Warn("connections that did not end in time are cut off", "after", shutdownTimeout)
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("stop serving: %w", err)
	}
	return errors.Join(err, server.Close())
}

// Check reports what is wrong with a configuration: it builds the node without listening, and without writing or locking
// anything, so that it can be run beside the node and by anybody.
func Check(cfg config.Config) error {
	n, err := New(cfg, Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader, ReadOnly: true})
	if err != nil {
		return err
	}
	return n.Close()
}

// Warnings returns what is wrong with a configuration and does not stop the start.
func Warnings(cfg config.Config, now time.Time) []string {
	accounts, _ := openDirectory(cfg.Directory) // none on an error, which New reports
	return plan.Warnings(cfg, now, accounts)
}
