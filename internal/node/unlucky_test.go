package node_test

import (
	"context"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"

	"regain/internal/node"
)

// The proxies that send certificates are a list of their own: those that name the person's address need not be there.
func TestCertificateProxiesAlone(t *testing.T) {
	cfg := behind(t)
	cfg.TrustedProxies = nil
	if err := node.Check(cfg); err != nil {
		t.Error(err)
	}
}

// SIGHUP comes at any moment to who holds the audit log: also before the node watches for it, and after. It ends the process
// at none. (If it does, it ends this test.)
func TestHangupBeforeAndAfterServing(t *testing.T) {
	cfg := valid(t)
	cfg.Listen = "127.0.0.1:0"
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	seen := make(map[string]bool)
	logger := slog.New(heard{slog.DiscardHandler, func(message string) {
		seen[message] = true
		if message != "serving" && message != "stopped" {
			return
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Error(err)
		}
		time.Sleep(50 * time.Millisecond)
		stop()
	}})
	if err := node.Serve(ctx, cfg, logger); err != nil || !seen["serving"] || !seen["stopped"] {
		t.Errorf("%v, %v", seen, err)
	}
}

// heard is a log whose messages are told to somebody.
type heard struct {
	slog.Handler
	tell func(message string)
}

func (heard) Enabled(context.Context, slog.Level) bool { return true }

func (h heard) Handle(_ context.Context, r slog.Record) error {
	h.tell(r.Message)
	return nil
}
