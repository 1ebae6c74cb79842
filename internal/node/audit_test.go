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
	"regain/internal/keep"
	"regain/internal/node"
)

// A running node begins a new segment when `regain audit rotate` asks for it, and when logrotate renamed the file and
// sent SIGHUP.
func TestRotatingTheLogOfARunningNode(t *testing.T) {
	cfg := valid(t)
	cfg.Listen = freeAddress(t)
	options, err := keep.AuditOptions(cfg.Audit)
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
	options, err := keep.AuditOptions(cfg.Audit)
	if err != nil {
		t.Fatal(err)
	}
	r, err := segments.Verify(segments.Verification{Path: options.Path, Key: options.Key, From: 2})
	if err != nil || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "was begun by `regain audit begin`") {
		t.Errorf("%+v, %v", r, err)
	}
}

// The default is written in internal/config, which does not know the audit log, and in the log, which does not know the
// configuration.
func TestTheDefaultSegmentIsTheLogs(t *testing.T) {
	options, err := keep.AuditOptions(valid(t).Audit)
	if err != nil || options.SegmentSize != auditlog.DefaultSegmentSize {
		t.Errorf("segments of %d, want %d: %v", options.SegmentSize, auditlog.DefaultSegmentSize, err)
	}
}
