package node_test

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"testing"

	"regain/adapters/auditlog"
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
	if r, err := auditlog.Verify(auditlog.Verification{Path: options.Path, Key: options.Key}); err != nil || r.Segments != 4 {
		t.Errorf("%+v, %v", r, err)
	}
}
