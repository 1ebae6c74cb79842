package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"regain/conformance/people"
	"regain/conformance/testenv"
	"regain/internal/backup"
)

// call runs the program as an operator would type it, and returns what it says.
func call(t *testing.T, arguments ...string) (said string, err error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "regain", arguments...).CombinedOutput()
	return string(out), err
}

// must runs the program, which has to succeed.
func must(t *testing.T, arguments ...string) string {
	t.Helper()
	said, err := call(t, arguments...)
	if err != nil {
		t.Fatalf("regain %s: %v: %s", strings.Join(arguments, " "), err, said)
	}
	return said
}

// holds reads what a store holds, by kind, as `regain storage status --json` says.
func holds(t *testing.T, arguments ...string) map[string]int {
	t.Helper()
	var s backup.Status
	if err := json.Unmarshal([]byte(must(t, append([]string{"storage", "status", "--json"}, arguments...)...)), &s); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]int)
	for _, k := range s.Records {
		found[string(k.Kind)] = k.Count
	}
	for _, k := range s.Counters {
		found["counter "+string(k.Kind)] = k.Count
	}
	return found
}

// An operator copies the store of a node that runs and is used: each copy opens, has all that was there before it, and
// changes nothing for anybody. The node stops; the same is done without it, and a node starts on an import of the copy.
func TestBackupWhileANodeRuns(t *testing.T) {
	p, env := start(t, testenv.Options{Store: "file"})
	configured := slices.Index(p.cmd.Args, "--config") + 1
	file, path := p.cmd.Args[configured], filepath.Join(filepath.Dir(p.cmd.Args[configured]), "regain.db")
	live := livePage(t, env)
	defer live.Close()
	before := holds(t, "--config", file)
	if before["transaction"] != 1 || before["counter attempts"] == 0 {
		t.Errorf("it holds %v", before)
	}

	var clients sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if _, err := env.RP.Start(t.Context(), people.Samples()[0].Account, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	directory := t.TempDir()
	for i := range 3 {
		to := filepath.Join(directory, fmt.Sprint(i, ".db"))
		must(t, "backup", "--config", file, to)
		info, err := os.Stat(to)
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
		if copied := holds(t, "--config", file, to); copied["transaction"] != 1 || copied["par"] == 0 {
			t.Errorf("the copy holds %v", copied)
		}
		if said, err := call(t, "backup", "--config", file, to); err == nil || !strings.Contains(said, "nothing is ever overwritten") {
			t.Errorf("a copy over a copy: %s", said)
		}
	}
	exported := filepath.Join(directory, "all.export")
	must(t, "storage", "export", "--config", file, exported)
	if said, err := call(t, "storage", "import", "--config", file, exported); err == nil || !strings.Contains(said, "already exists") {
		t.Errorf("an import into the store of a node that runs: %s", said)
	}
	close(done)
	clients.Wait()
	for _, left := range []string{path + ".copy-pipe", filepath.Join(directory, ".0.db.part-*")} {
		if found, _ := filepath.Glob(left); len(found) > 0 {
			t.Errorf("left: %v", found)
		}
	}
	p.awaits(t, "a copy of the store was written")

	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("it ends with %v: %s", err, p.said())
	}
	must(t, "backup", "--config", file, filepath.Join(directory, "stopped.db"))
	if err := os.Rename(path, path+".before"); err != nil {
		t.Fatal(err)
	}
	said := must(t, "storage", "import", "--config", file, filepath.Join(directory, "0.db"))
	if !strings.Contains(said, "1 transaction") || !strings.Contains(said, "starts again") {
		t.Errorf("the import says %s", said)
	}
	if now := holds(t, "--config", file); now["transaction"] != 0 || now["par"] != 0 || now["counter attempts"] != before["counter attempts"] || now["audit_head"] != 1 {
		t.Errorf("after the import it holds %v", now)
	}
	must(t, "check", "--config", file)
	again := &program{address: p.address}
	again.cmd = exec.CommandContext(t.Context(), "regain", "serve", "--config", file, "--listen", p.address)
	again.cmd.Stderr = again
	if err := again.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	again.awaits(t, `"msg":"serving"`)
	// An assertion that may have been used before the import is refused: for as long as a client's clock may be ahead.
	if _, err := env.RP.Start(t.Context(), people.Samples()[0].Account, nil); err == nil || !strings.Contains(err.Error(), "invalid_client") {
		t.Errorf("at once after the import: %v", err)
	}
	again.awaits(t, "may have been used before the store was filled from a copy")
}
