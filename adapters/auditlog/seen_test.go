package auditlog_test

import (
	"errors"
	"os"
	"testing"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/recovery"
	"regain/recovery/chain"
)

func closed(t *testing.T, log *auditlog.Log) {
	t.Helper()
	if err := log.Close(); err != nil {
		t.Error(err)
	}
}

// What a node knows of its store is there after a restart; without records it is nothing; with records, gone, torn, or of
// another key it is missed.
func TestWhatANodeKnowsOfItsStore(t *testing.T) {
	options := at(t, fresh(t))
	loads := func(what string, want chain.Seen, is error) {
		t.Helper()
		log := open(t, options)
		defer closed(t, log)
		if got, err := log.LoadSeen(); got != want || !errors.Is(err, is) {
			t.Errorf("%s: %+v, %v; want %+v, %v", what, got, err, want, is)
		}
	}
	loads("the first start", chain.Seen{}, nil)
	log := open(t, options)
	seen := chain.Seen{Number: 7, Epoch: [8]byte{1, 2, 3}}
	for seen.Number = range uint64(3) {
		if err := log.SaveSeen(seen); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, log)
	loads("a restart", seen, nil)
	log = open(t, options)
	add(t, log, recovery.EventRecoveryStarted, 1)
	closed(t, log)
	loads("with a record", seen, nil)

	path := segments.SeenPath(options.Path)
	line, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string][]byte{"torn": line[:20], "empty": nil, "too long": append(line, line...)} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		loads(what, chain.Seen{}, auditlog.ErrUnseen)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	loads("gone", chain.Seen{}, auditlog.ErrUnseen)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	log = open(t, options)
	defer closed(t, log)
	if _, err := log.LoadSeen(); err == nil || errors.Is(err, auditlog.ErrUnseen) {
		t.Errorf("what cannot be read: %v", err)
	}
	if err := log.SaveSeen(seen); err == nil {
		t.Error("what cannot be written is kept")
	}
	if err := auditlog.NewMemory().SaveSeen(seen); err != nil {
		t.Error(err)
	}
	if got, err := auditlog.NewMemory().LoadSeen(); err != nil || got != (chain.Seen{}) {
		t.Errorf("a log in memory: %+v, %v", got, err)
	}
}
