package auditlog_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"regain/adapters/auditlog/segments"
	"regain/recovery"
)

// killed tells a child process to write records until it is killed.
const killed = "AUDITLOG_TEST_KILLED"

// A node is killed in the middle of its work, again and again: the next start goes on, and every record that was
// acknowledged is there.
func TestKilledAndRestarted(t *testing.T) {
	t.Parallel()
	if path := os.Getenv(killed); path != "" {
		options := at(t, path)
		options.SegmentSize = 4000 // so that it is killed while it rotates, too
		log := open(t, options)
		for {
			if err := log.Append(t.Context(), event(recovery.EventPassIssuing)); err != nil {
				t.Fatal(err)
			}
			head, err := segments.ReadHead(path, key(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Println(head.Seq)
		}
	}
	path := fresh(t)
	acknowledged := 0
	for round := range 12 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledAndRestarted$")
		child.Env = append(os.Environ(), killed+"="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			seq, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatalf("the child says %q", lines.Text())
			}
			acknowledged = max(acknowledged, seq)
			if n == 3*round+1 {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = child.Wait() // it was killed
		if err := reopened(t, at(t, path)); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if r, err := verify(t, path); err != nil || r.To < uint64(acknowledged) {
			t.Fatalf("round %d: %d records, %d were acknowledged: %v", round, r.To, acknowledged, err)
		}
	}
	if acknowledged < 100 {
		t.Errorf("%d records were acknowledged", acknowledged)
	}
}
