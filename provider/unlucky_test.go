package provider_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"regain/adapters/auditlog/segments"
	"regain/internal/config"
)

// A copy of the store from any moment of a recovery is put back after the pass left, and the log is kept: whatever the
// person presses and the client redeems then, there is no second pass.
func TestNoMomentsCopyGivesASecondPass(t *testing.T) {
	r := &restartable{}
	f := setUpEnv(t, r.options())
	var copies []string
	known := segments.SeenPath(r.cfg.Audit.File) // is put back too, so that the log alone knows better
	keep := func() {
		copies = append(copies, filepath.Join(t.TempDir(), fmt.Sprintf("moment-%d", len(copies))))
		if err := errors.Join(copyFile(r.cfg.Storage.Path, copies[len(copies)-1]), copyFile(known, copies[len(copies)-1]+".known")); err != nil {
			t.Fatal(err)
		}
	}
	page := f.start(t, "ada.lindqvist@example.org")
	keep()
	page = f.press(t, page, "have-verified-id")
	keep()
	request := f.review(t, page)
	keep()
	next := f.share(t, request)
	keep()
	done, err := f.browser.Open(t.Context(), next)
	approved := f.must(t, done, err)
	keep()
	code, err := f.RP.Code(f.attempt, f.press(t, approved, "finish").URL.String())
	if err != nil {
		t.Fatal(err)
	}
	keep()
	if _, err := f.RP.Redeem(t.Context(), f.attempt, code); err != nil {
		t.Fatal(err)
	}
	again := 0 // codes that the copies gave
	for n, copied := range copies {
		if err := errors.Join(r.current.Load().Close(), copyFile(copied, r.cfg.Storage.Path), copyFile(copied+".known", known), r.start()); err != nil {
			t.Fatalf("moment %d: %v", n, err)
		}
		if _, err := f.RP.Redeem(t.Context(), f.attempt, code); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
			t.Errorf("moment %d: the code: %v", n, err)
		}
		for _, address := range []string{next, approved.URL.String()} { // the wallet's answer is made effective again
			shown, err := f.browser.Open(t.Context(), address)
			if shown = f.must(t, shown, err); !shown.Has("finish") {
				continue
			}
			code, err := f.RP.Code(f.attempt, f.press(t, shown, "finish").URL.String())
			if err != nil {
				continue
			}
			again++
			if _, err := f.RP.Redeem(t.Context(), f.attempt, code); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
				t.Errorf("moment %d: a new code: %v", n, err)
			}
		}
	}
	log, err := os.ReadFile(r.cfg.Audit.File)
	if err != nil {
		t.Fatal(err)
	}
	if n := issuings(string(log), strings.TrimPrefix(approved.URL.Path, "/recover/")); n != 1 || again < 3 {
		t.Errorf("%d passes of the transaction are in the log, after %d more codes", n, again)
	}
	verifyAudit(t, r.cfg.Audit)
}

// Sixty-four verifications of a right one-time pass at once, under two names of its account, while files are read again and
// the log is rotated: one says yes.
func TestOneOfManyVerificationsUsesThePass(t *testing.T) {
	var cfg config.Config
	f := setUpWith(t, func(c *config.Config) { cfg = *c })
	code := f.approvedCode(t)
	tokens, err := f.RP.Redeem(t.Context(), f.attempt, code)
	if err != nil {
		t.Fatal(err)
	}
	recovered, err := f.RP.Check(t.Context(), f.attempt, "ada.lindqvist@example.org", tokens)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var yes atomic.Int64
	for n := range 64 {
		all.Go(func() {
			account := []string{"ada.lindqvist@example.org", "ADA.Lindqvist@example.org"}[n%2]
			verdict, err := f.RP.VerifyPass(t.Context(), account, recovered.Recovery.Pass.Value)
			if err != nil {
				t.Error(err)
			}
			if verdict.Active {
				yes.Add(1)
			}
		})
		if n%8 == 0 {
			all.Go(func() {
				if err := errors.Join(f.Node.Reload(), f.Node.ReopenAudit()); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	if yes.Load() != 1 {
		t.Errorf("%d said yes", yes.Load())
	}
	verifyAudit(t, cfg.Audit)
}
