package provider_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/conformance/testenv"
	"regain/internal/config"
	"regain/internal/keep"
	"regain/internal/node"
	"regain/recovery"
)

// restartable serves one node after another on one address.
type restartable struct {
	cfg     config.Config
	current atomic.Pointer[node.Node]
	server  *http.Server
}

// options has the test environment's Regain served by r, with a file for its records.
func (r *restartable) options() testenv.Options {
	return testenv.Options{Store: "file", Elsewhere: func(path string, l *net.TCPListener) (io.Closer, error) {
		r.cfg = config.Defaults()
		if err := config.Load(config.Source{File: path}, &r.cfg); err != nil {
			return nil, err
		}
		if err := r.start(); err != nil {
			return nil, err
		}
		r.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.current.Load().ServeHTTP(w, q) })}
		go func() { _ = r.server.Serve(l) }()
		return r, nil
	}}
}

func (r *restartable) start() error {
	n, err := node.New(r.cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	r.current.Store(n)
	return err
}

func (r *restartable) Close() error { return errors.Join(r.server.Close(), r.current.Load().Close()) }

// verify verifies the node's audit log, and returns how many records there are.
func verifyAudit(t *testing.T, cfg config.AuditConfig) uint64 {
	t.Helper()
	options, err := keep.AuditOptions(cfg)
	if err != nil {
		t.Fatal(err)
	}
	report, err := segments.Verify(segments.Verification{Path: options.Path, Key: options.Key})
	if err != nil {
		t.Fatal(err)
	}
	return report.To
}

// approvedCode goes to the code that redeems a pass.
func (f *fixture) approvedCode(t *testing.T) string {
	t.Helper()
	done, err := f.browser.Open(t.Context(), f.share(t, f.review(t, f.asked(t))))
	code, err := f.RP.Code(f.attempt, f.press(t, f.must(t, done, err), "finish").URL.String())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// A snapshot of the store from before the code was redeemed is put back: the code is good again, the transaction is
// approved again, and no second pass leaves, since the audit log has the first.
func TestASnapshotGivesNoSecondPass(t *testing.T) {
	r := &restartable{}
	f := setUpEnv(t, r.options())
	code := f.approvedCode(t)
	snapshot := t.TempDir() + "/snapshot.db"
	restart := func(files func() error) {
		t.Helper()
		if err := errors.Join(r.current.Load().Close(), files(), r.start()); err != nil {
			t.Fatal(err)
		}
	}
	restart(func() error { return copyFile(r.cfg.Storage.Path, snapshot) })
	if _, err := f.RP.Redeem(t.Context(), f.attempt, code); err != nil {
		t.Fatalf("after a restart: %v", err)
	}
	for range 2 {
		restart(func() error { return copyFile(snapshot, r.cfg.Storage.Path) })
		if tokens, err := f.RP.Redeem(t.Context(), f.attempt, code); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
			t.Errorf("redeemed again: %+v, %v", tokens, err)
		}
	}
	if n := issuedPasses(t, r.cfg.Audit.File); n != 1 {
		t.Errorf("%d passes are in the audit log", n)
	}
	verifyAudit(t, r.cfg.Audit)
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}

func issuedPasses(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), `"`+string(recovery.EventPassIssuing)+`"`)
}

// Recoveries go on while the audit log is rotated in each way that the documentation names, and all segments verify.
func TestRecoveriesGoOnWhileTheLogIsRotated(t *testing.T) {
	var audit config.AuditConfig
	f := setUpEnv(t, testenv.Options{Change: func(c *config.Config) { audit = c.Audit }})
	options, err := keep.AuditOptions(audit)
	if err != nil {
		t.Fatal(err)
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	reopened := make(chan error, 1)
	go func() { // as Serve does
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangup:
				reopened <- f.Node.ReopenAudit()
			}
		}
	}()
	hangUp := func() error { return errors.Join(syscall.Kill(os.Getpid(), syscall.SIGHUP), <-reopened) }
	before := uint64(0)
	for _, rotate := range []func() error{
		func() error { return nil },
		func() error { return errors.Join(os.Rename(audit.File, audit.File+".1"), hangUp()) },
		func() error {
			return errors.Join(os.Rename(audit.File, audit.File+".2"), os.WriteFile(audit.File, nil, 0o600), hangUp())
		},
		func() error {
			return errors.Join(copyFile(audit.File, audit.File+".3"), os.Truncate(audit.File, 0), hangUp())
		},
		func() error {
			_, err := auditlog.RotateFile(ctx, options)
			return errors.Join(err, <-reopened)
		},
	} {
		if err := rotate(); err != nil {
			t.Fatal(err)
		}
		f.recovers(t, f.asked(t))
		if now := verifyAudit(t, audit); now <= before {
			t.Errorf("%d records after %d", now, before)
		} else {
			before = now
		}
	}
	report, err := segments.Verify(segments.Verification{Path: options.Path, Key: options.Key})
	if err != nil || report.Segments != 5 {
		t.Errorf("%+v, %v", report, err)
	}
}

// A log that was rotated and was not told: nobody gets a pass, and a readiness probe says why, until it is told.
func TestNoRecordNoPassAfterARotationThatWasNotTold(t *testing.T) {
	var audit config.AuditConfig
	f := setUpEnv(t, testenv.Options{Change: func(c *config.Config) { audit = c.Audit }})
	code := f.approvedCode(t)
	if err := os.Rename(audit.File, audit.File+".1"); err != nil {
		t.Fatal(err)
	}
	if tokens, err := f.RP.Redeem(t.Context(), f.attempt, code); err == nil || tokens.RecoveryToken != "" {
		t.Errorf("a pass without a record: %v", err)
	}
	if status, said := f.ready(t); status != http.StatusServiceUnavailable || said != `{"audit_log":"cannot be written","status":"unavailable"}` {
		t.Errorf("readiness: %d %s", status, said)
	}
	if err := f.Node.ReopenAudit(); err != nil {
		t.Fatal(err)
	}
	if status, said := f.ready(t); status != http.StatusOK {
		t.Errorf("readiness: %d %s", status, said)
	}
	f.recovers(t, f.asked(t))
	verifyAudit(t, audit)
}

// ready asks as a load balancer does.
func (f *fixture) ready(t *testing.T) (status int, said string) {
	t.Helper()
	answer, err := f.Client.Get(f.Regain + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// The volume is full for a moment: no record, no pass, and the node says that it is not ready. When there is space again
// it goes on by itself, and the log is whole. The kernel plays the volume: it lets a process make no file longer, which has
// to be one of its own, since this one writes files for other tests and for go test.
func TestAVolumeThatIsFullForAMoment(t *testing.T) {
	const child = "REGAIN_TEST_FULL_VOLUME"
	if os.Getenv(child) == "" {
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$") //nolint:gosec // this test
		again.Env = append(os.Environ(), child+"=1")
		if said, err := again.CombinedOutput(); err != nil || !strings.Contains(string(said), "PASS") {
			t.Fatalf("%v: %s", err, said)
		}
		return
	}
	var audit config.AuditConfig
	f := setUpEnv(t, testenv.Options{Change: func(c *config.Config) { audit = c.Audit }})
	code := f.approvedCode(t)
	info, err := os.Stat(audit.File)
	if err != nil {
		t.Fatal(err)
	}
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	full := before
	full.Cur = uint64(info.Size()) + 50 // in the middle of a line
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		t.Fatal(err)
	}
	tokens, refused := f.RP.Redeem(t.Context(), f.attempt, code)
	status, said := f.ready(t)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if refused == nil || tokens.RecoveryToken != "" {
		t.Errorf("a pass on a full volume: %v", refused)
	}
	if status != http.StatusServiceUnavailable || !strings.Contains(said, "audit_log") {
		t.Errorf("readiness: %d %s", status, said)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if status, said = f.ready(t); status == http.StatusOK {
			break
		}
	}
	if status != http.StatusOK {
		t.Errorf("not ready when there is space again: %d %s", status, said)
	}
	f.recovers(t, f.asked(t))
	verifyAudit(t, audit)
	if n := issuedPasses(t, audit.File); n != 1 {
		t.Errorf("%d passes are in the log", n)
	}
}
