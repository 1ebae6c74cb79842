package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/recovery"
	"regain/recovery/chain"
)

// auditLogs are the logs of two nodes, each with its key: one recovery whose steps are spread over both.
type auditLogs struct {
	dir, first, second       string
	firstKey, secondKey, all []string // flags
}

func setUpAudit(t *testing.T) auditLogs {
	t.Helper()
	a := auditLogs{dir: t.TempDir()}
	steps := [2][]recovery.EventType{
		{recovery.EventRecoveryStarted, recovery.EventPresentationRequested, recovery.EventPassIssuing, recovery.EventPassIssued},
		{recovery.EventPresentationRetrieved, recovery.EventPresentationCompleted, recovery.EventAccountMatched},
	}
	for i, path := range []*string{&a.first, &a.second} {
		*path = filepath.Join(a.dir, []string{"first.jsonl", "second.jsonl"}[i])
		secret := bytes.Repeat([]byte{byte(i + 1)}, 32)
		if err := os.WriteFile(*path+".key", []byte(base64.RawURLEncoding.EncodeToString(secret)), 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := chain.NewKey(secret)
		if err != nil {
			t.Fatal(err)
		}
		log, err := auditlog.Open(auditlog.Options{Path: *path, Key: key, SegmentSize: 600})
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range steps[i] {
			if err := log.Append(t.Context(), recovery.Event{Time: time.Now(), Type: kind, Transaction: "txn-1"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	a.firstKey, a.secondKey = []string{"--key-file", a.first + ".key"}, []string{"--key-file", a.second + ".key"}
	a.all = append(append(a.all, a.firstKey...), a.secondKey...)
	return a
}

func verifies(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), append([]string{"audit", "verify"}, arguments...), &out)
	return out.String(), err
}

// Several logs are proven each and together; one with a head beside it is a log, and any other an older segment of it.
func TestAuditVerifyOfSeveralLogs(t *testing.T) {
	a := setUpAudit(t)
	elsewhere := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(segments.Aside(a.first, 1), elsewhere); err != nil {
		t.Fatal(err)
	}
	said, err := verifies(t, append(a.all, a.first, elsewhere, a.second)...)
	for _, want := range []string{a.first + ": ok: records 1 to 4 in segments 1 to", a.second + ": ok: records 1 to 3", "together: ok: 1 recoveries, 1 passes: no step of any is missing"} {
		if err != nil || !strings.Contains(said, want) {
			t.Errorf("%v\n%swant %q", err, said, want)
		}
	}
	said, err = verifies(t, append(a.all, "--json", a.first, elsewhere, a.second)...)
	var whole segments.Whole
	if err := errors.Join(err, json.Unmarshal([]byte(said), &whole)); err != nil || whole.Transactions != 1 || len(whole.Logs) != 2 || whole.Logs[1].To != 3 {
		t.Errorf("%v: %s", err, said)
	}
	said, err = verifies(t, append(a.secondKey, "--json", a.second)...)
	var report segments.Report
	if err := errors.Join(err, json.Unmarshal([]byte(said), &report)); err != nil || report.To != 3 {
		t.Errorf("%v: %s", err, said)
	}
}

// What cannot be proven ends with an error that says why.
func TestAuditVerifyOfSeveralLogsFails(t *testing.T) {
	a := setUpAudit(t)
	third := filepath.Join(a.dir, "third.jsonl")
	for _, ending := range []string{"", ".head"} {
		if err := os.Link(a.second+ending, third+ending); err != nil {
			t.Fatal(err)
		}
	}
	for name, row := range map[string]struct {
		arguments []string
		says      string // of the error or the output
	}{
		"a key too few":      {append(a.firstKey, a.first, a.second), "second.jsonl: verify audit log"},
		"a log twice":        {append(a.all, a.first, a.second, third), "are one log: name each once"},
		"a head of several":  {append(a.all, "--head", "-", a.first, a.second), "--head is of one log"},
		"too few --from":     {append(a.all, "--from", "2", a.first, a.second), "1 numbers for 2 logs"},
		"a segment missing":  {append(a.all, "--from", "1,9", a.first, a.second), "segment 9 is not beside"},
		"no such file":       {append(a.all, a.first, a.dir+"/none"), "none: open"},
		"a key that is none": {append(a.all, "--key-file", a.first, a.first, a.second), "32 bytes in base64url"},
	} {
		said, err := verifies(t, row.arguments...)
		if err == nil || !strings.Contains(said+err.Error(), row.says) {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
	}
	// The log of the node that matched the account is lost.
	key, err := chain.NewKey(bytes.Repeat([]byte{2}, 32))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{a.second, segments.HeadPath(a.second)} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	older, err := filepath.Glob(a.second + ".0*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range older {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	log, err := auditlog.Open(auditlog.Options{Path: a.second, Key: key})
	if err := errors.Join(err, log.Close()); err != nil {
		t.Fatal(err)
	}
	said, err := verifies(t, append(a.all, a.first, a.second)...)
	for _, want := range []string{"recovery txn-1: pass_issuing is recorded, and account_matched nowhere (" + a.first + " record 3)", "together: 1 of 1 recoveries lack a step"} {
		if !errors.Is(err, segments.ErrIncomplete) || !strings.Contains(said, want) {
			t.Errorf("%v\n%swant %q", err, said, want)
		}
	}
}
