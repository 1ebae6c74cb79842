package node_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"regain/internal/config"
	"regain/internal/node"
)

// What is a proxy to the reader of X-Forwarded-For is one to the bound on connections, however it is written: otherwise all
// people share the places of one network.
func TestAProxyIsOneToConnectionsToo(t *testing.T) {
	for _, proxy := range []string{"127.0.0.6", "127.0.0.0/8", "127.0.0.9/8", "::ffff:127.0.0.6", "::ffff:127.0.0.0/104"} {
		cfg := valid(t)
		cfg.Connections.PerNetwork, cfg.TrustedProxies, cfg.Listen = 5, []string{proxy}, freeAddress(t)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- node.Serve(ctx, cfg, slog.New(slog.NewTextHandler(io.Discard, nil))) }()
		get(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "http://"+cfg.Listen+"/healthz")
		var sockets []net.Conn
		for range 20 {
			sockets = append(sockets, dial(t, cfg.Listen, "127.0.0.6"))
		}
		time.Sleep(200 * time.Millisecond) // for the server to accept them all
		open := 0
		for _, socket := range sockets {
			if isOpen(socket) {
				open++
			}
			_ = socket.Close()
		}
		if open != len(sockets) {
			t.Errorf("trusted_proxies %s: %d of %d connections are open", proxy, open, len(sockets))
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// Where a proxy that nobody named terminates TLS, all people are one network: it has all the live pages, as it has all the
// connections.
func TestLivePagesBehindAnUnknownProxy(t *testing.T) {
	cfg := valid(t)
	cfg.Connections.LivePages, cfg.Connections.LivePagesPerNetwork = 100, 7
	cfg.TrustedProxies = nil
	if limits := node.LivePageLimits(cfg); limits.PerNetwork != 7 || limits.Total != 100 {
		t.Errorf("without a proxy: %+v", limits)
	}
	cfg.Issuer = "https://regain.example"
	if limits := node.LivePageLimits(cfg); limits.PerNetwork != 100 || limits.Total != 100 {
		t.Errorf("behind an unknown proxy: %+v", limits)
	}
	cfg.TrustedProxies = []string{"10.0.0.1"}
	if limits := node.LivePageLimits(cfg); limits.PerNetwork != 7 {
		t.Errorf("behind a known one: %+v", limits)
	}
}

// The proxies that show clients' certificates are a list of their own: they need not speak for people too.
func TestCertificatesWithoutTrustedProxies(t *testing.T) {
	cfg := behind(t)
	cfg.TrustedProxies = nil
	if err := node.Check(cfg); err != nil {
		t.Error(err)
	}
}

// Where the process may have few files open, no network holds every place either.
func TestFewDescriptors(t *testing.T) {
	configured := config.Defaults().Connections
	for _, descriptors := range []int{0, 2 * configured.Max, 1 << 20} {
		if got := node.Within(configured, descriptors); got != configured {
			t.Errorf("%d descriptors: %+v", descriptors, got)
		}
	}
	for descriptors, most := range map[int]int{4096: 2048, 1024: 512, 300: 150, 64: 32, 16: 8} {
		got := node.Within(configured, descriptors)
		if got.Max != most || got.PerNetwork > configured.PerNetwork || 4*got.PerNetwork > most/2 || got.LivePages > most/2 || got.LivePagesPerNetwork > got.LivePages/2 ||
			got.PerNetwork <= 0 || got.LivePages <= 0 || got.LivePagesPerNetwork <= 0 {
			t.Errorf("%d descriptors: %+v", descriptors, got)
		}
	}
	few := config.ConnectionsConfig{Max: 9000, PerNetwork: 2, LivePages: 3, LivePagesPerNetwork: 1}
	if got := node.Within(few, 1024); got.PerNetwork != 2 || got.LivePages != 3 || got.LivePagesPerNetwork != 1 {
		t.Errorf("more than configured: %+v", got)
	}
}
