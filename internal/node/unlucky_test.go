package node_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"regain/internal/node"
)

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

// A group that is excluded in production, and that a new directory file does not have any more, is warned of for as long as
// that lasts, and not once.
func TestAnExclusionThatLostItsGroupIsWarnedOf(t *testing.T) {
	cfg := valid(t)
	cfg.Profiles[0].Mode, cfg.ExcludeGroups, cfg.Development = "production", []string{"executives"}, true
	write := func(groups string) {
		t.Helper()
		text := "accounts:\n  - {name: ada@example.org, attributes: {given_name: Ada, family_name: Lovelace}, groups: [" + groups + "]}\n"
		if err := os.WriteFile(cfg.Directory.File, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("executives")
	n, err := node.New(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	warned := func() bool {
		var log bytes.Buffer
		n.Warn(slog.New(slog.NewJSONHandler(&log, nil)), time.Now())
		return strings.Contains(log.String(), `exclude_groups \"executives\"`)
	}
	if warned() {
		t.Error("warned of a group that there is")
	}
	write("c-level")
	if err := n.Reload(); err == nil || !strings.Contains(err.Error(), `directory.file: directory `+cfg.Directory.File+`: exclude_groups "executives": the directory has no such name`) {
		t.Errorf("a file without the group: %v", err)
	}
	if !warned() {
		t.Error("not warned of a group that is gone")
	}
	write("Executives")
	if err := n.Reload(); err != nil || warned() {
		t.Errorf("the group is there again: %v, warned %t", err, warned())
	}
}

// Where nobody gets a pass, an exclusion that lost its group is warned of, as at the start, and the file is taken.
func TestAnExclusionThatLostItsGroupInEvaluation(t *testing.T) {
	cfg := valid(t)
	if err := os.WriteFile(cfg.Directory.File, []byte("accounts: [{name: tom@example.org, groups: [Executives]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Profiles[0].Mode, cfg.ExcludeGroups = "evaluation", []string{"Executives"}
	n, err := node.New(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if err := os.WriteFile(cfg.Directory.File, []byte("accounts: [{name: ada@example.org, groups: [c-level], attributes: {given_name: Ada, family_name: Lovelace}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := n.Reload(); err != nil {
		t.Errorf("not taken: %v", err)
	}
	var log bytes.Buffer
	n.Warn(slog.New(slog.NewJSONHandler(&log, nil)), time.Now())
	if !strings.Contains(log.String(), `exclude_groups \"Executives\"`) {
		t.Errorf("not warned: %s", log.String())
	}
}
