package node_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/internal/node"
)

// A running node begins a new segment when `regain audit rotate` asks for it, and when logrotate renamed the file and
// sent SIGHUP.
func TestRotatingTheLogOfARunningNode(t *testing.T) {
	cfg := valid(t)
	cfg.Listen = freeAddress(t)
	options, err := cfg.Audit.Options()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- node.Serve(ctx, cfg, slog.New(slog.DiscardHandler)) }()
	get(t, http.DefaultClient, "http://"+cfg.Listen+"/jwks")
	for want := uint64(2); want <= 4; want++ {
		if want == 3 { // what is rotated may be renamed before
			if err := os.Rename(cfg.Audit.File, cfg.Audit.File+".1"); err != nil {
				t.Fatal(err)
			}
		}
		if head, err := auditlog.RotateFile(t.Context(), options); err != nil || head.Segment != want {
			t.Errorf("segment %d, want %d: %v", head.Segment, want, err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if r, err := segments.Verify(segments.Verification{Path: options.Path, Key: options.Key}); err != nil || r.Segments != 4 {
		t.Errorf("%+v, %v", r, err)
	}
}

// No record, no pass: a profile in production does not start with what a restart forgets, and says what to do.
func TestProductionKeepsItsRecords(t *testing.T) {
	on, off := true, false
	for name, row := range map[string]struct {
		change func(c *node.Config)
		says   []string // none for a node that starts
	}{
		"kept":              {change: func(*node.Config) {}},
		"memory":            {func(c *node.Config) { c.Storage.Backend = "memory" }, []string{"storage.backend memory: use file"}},
		"no log":            {func(c *node.Config) { c.Audit.File = "" }, []string{"audit.file: name a file"}},
		"memory and no log": {func(c *node.Config) { c.Storage.Backend, c.Audit.File = "memory", "" }, []string{"storage.backend memory: use file", "audit.file: name a file"}},
		"the second of its profiles": {func(c *node.Config) {
			second := c.Profiles[0]
			c.Profiles[0].Mode, second.Name, second.Priority = "evaluation", "second", 9
			c.Profiles = append(c.Profiles, second)
			c.Storage.Backend, c.Audit.File = "memory", ""
		}, []string{"profiles[1] (second)"}},
		"enabled by name": {func(c *node.Config) { c.Profiles[0].Enabled = &on; c.Storage.Backend, c.Audit.File = "memory", "" }, []string{"profiles[0] (development)"}},
		"in evaluation": {change: func(c *node.Config) {
			c.Profiles[0].Mode = "evaluation"
			c.Storage.Backend, c.Audit.File = "memory", ""
		}},
		"disabled": {change: func(c *node.Config) {
			other := c.Profiles[0]
			c.Profiles[0].Enabled, other.Name, other.Mode, other.Priority = &off, "other", "evaluation", 9
			c.Profiles = append(c.Profiles, other)
			c.Storage.Backend, c.Audit.File = "memory", ""
		}},
		"development":                   {change: func(c *node.Config) { c.Development = true; c.Storage.Backend, c.Audit.File = "memory", "" }},
		"development elsewhere":         {func(c *node.Config) { c.Development, c.Issuer = true, "https://recover.example.org" }, []string{"development: is for an issuer under .localhost"}},
		"development without an issuer": {func(c *node.Config) { c.Development, c.Issuer = true, "%" }, []string{"development: is for an issuer under .localhost"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := valid(t)
			cfg.Profiles[0].Mode = "production"
			row.change(&cfg)
			err := node.Check(cfg)
			if len(row.says) == 0 && err != nil {
				t.Errorf("does not start: %v", err)
			}
			for _, says := range row.says {
				said(t, err, says)
			}
		})
	}
}

// Log and head are deleted: the node does not start, since its store knows better, until an administrator says that it
// shall. The log says so for ever.
func TestBeginningAfterALoss(t *testing.T) {
	cfg := valid(t)
	deps := node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader}
	if err := start(cfg); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Remove(cfg.Audit.File), os.Remove(cfg.Audit.File+".head")); err != nil {
		t.Fatal(err)
	}
	said(t, start(cfg), "run `regain audit begin`")
	running := cfg
	running.Audit.File = ""
	said(t, node.BeginAudit(running, deps), "audit.file: name a file")
	if err := node.BeginAudit(cfg, deps); err != nil {
		t.Fatal(err)
	}
	if err := start(cfg); err != nil {
		t.Errorf("after it was begun: %v", err)
	}
	options, err := cfg.Audit.Options()
	if err != nil {
		t.Fatal(err)
	}
	r, err := segments.Verify(segments.Verification{Path: options.Path, Key: options.Key, From: 2})
	if err != nil || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "was begun by `regain audit begin`") {
		t.Errorf("%+v, %v", r, err)
	}
}
