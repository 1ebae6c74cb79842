package auditlog_test

import (
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"regain/adapters/auditlog"
)

// A command that is run as another user than the node makes no file: the node could not open it.
func TestNothingIsMadeAsAnotherUser(t *testing.T) {
	const nobody = 65534
	path := "/audit.jsonl" // where nobody but root may write
	if os.Geteuid() == 0 {
		path = fresh(t)
		if err := os.Chown(filepath.Dir(path), nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := auditlog.RotateFile(t.Context(), at(t, path)); err == nil || !strings.Contains(err.Error(), "run it as user") {
		t.Errorf("as another user: %v", err)
	}
	if left, err := filepath.Glob(path + "*"); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	own := fresh(t)
	if _, err := auditlog.RotateFile(t.Context(), at(t, own)); err != nil {
		t.Errorf("as its owner: %v", err)
	}
	if os.Geteuid() != 0 {
		return
	}
	log := closing(t, open(t, at(t, own))) // a node of another user, which root may ask
	if err := os.Chown(own, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	goOn := hangUps(t, log)
	head, err := auditlog.RotateFile(t.Context(), at(t, own))
	if err != nil || head.Segment != 3 {
		t.Errorf("asked as root: %+v, %v", head, err)
	}
	goOn()
}

// hangUps has the log opened again at SIGHUP, as a node does.
func hangUps(t *testing.T, log *auditlog.Log) (stop func()) {
	t.Helper()
	hangup, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		defer close(done)
		for range hangup {
			if err := log.Reopen(); err != nil {
				t.Error(err)
			}
		}
	}()
	return func() {
		signal.Stop(hangup)
		close(hangup)
		<-done
	}
}
