package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"regain/adapters/auditlog"
	"regain/adapters/auditlog/segments"
	"regain/internal/config"
	"regain/internal/plan"
	"regain/recovery/chain"
)

// verify verifies one log, or several of nodes that share a store.
func (c auditCommand) verify(options auditlog.Options) error {
	logs, err := c.logs(options)
	if err != nil {
		return err
	}
	if len(c.from) > 0 && len(c.from) != len(logs) {
		return fmt.Errorf("--from: %d numbers for %d logs: give one for each, in their order; 1 for a log that is here from its beginning", len(c.from), len(logs))
	}
	for i, from := range c.from {
		logs[i].From = uint64(from)
	}
	if len(logs) > 1 {
		return c.verifyAll(logs)
	}
	v := logs[0]
	if c.head != "" {
		if v.Kept, err = readHead(c.head, v.Key); err != nil {
			return fmt.Errorf("--head: %w", err)
		}
	}
	r, err := segments.Verify(v)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(r)
	}
	fmt.Fprintln(c.out, proven(r))
	for _, note := range r.Notes {
		fmt.Fprintln(c.out, "note: "+note)
	}
	if c.head == "" {
		fmt.Fprintf(c.out, "The head beside the log names record %d. Whoever can write both could have put an older head and a shorter log there:\n"+
			"to prove that nothing was removed from the end, compare with a head that was kept elsewhere (regain audit verify --head FILE).\n", r.Head.Seq)
		return nil
	}
	_, err = fmt.Fprintf(c.out, "The head that was kept elsewhere names record %d: nothing up to there was removed.\n", v.Kept.Seq)
	return err
}

func proven(r segments.Report) string {
	records := fmt.Sprintf("records %d to %d", r.From, r.To)
	if r.To < r.From {
		records = "no record"
	}
	return fmt.Sprintf("ok: %s in segments %d to %d: none was changed, and none is missing between them", records, r.First, r.Last)
}

// logs takes the arguments for logs. One with a head beside it is a log; any other is an older segment, kept elsewhere, of the
// log before it.
func (c auditCommand) logs(options auditlog.Options) ([]segments.Verification, error) {
	keys, err := c.keys(options.Key)
	if err != nil {
		return nil, err
	}
	logs := []segments.Verification{{Path: options.Path, Key: keyOf(options.Path, keys)}}
	if c.flags.NArg() <= 2 {
		return logs, nil
	}
	for _, name := range c.flags.Args()[2:] {
		_, err := os.Stat(segments.HeadPath(name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			last := &logs[len(logs)-1]
			last.More = append(last.More, name)
			continue
		case err != nil:
			return nil, err
		}
		for _, other := range logs {
			if same(name, other.Path) {
				return nil, fmt.Errorf("%s and %s are one log: name each once", other.Path, name)
			}
		}
		logs = append(logs, segments.Verification{Path: name, Key: keyOf(name, keys)})
	}
	if len(logs) > 1 && c.head != "" {
		return nil, errors.New("--head is of one log: verify each with the head of its own that was kept elsewhere, and all of them together without")
	}
	return logs, nil
}

// same reports whether two names lead to one file.
func same(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false // which the verification says
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// keys are those of the logs: nodes may have one each.
func (c auditCommand) keys(first chain.Key) ([]chain.Key, error) {
	keys := []chain.Key{first}
	for _, file := range c.keyFiles[min(len(c.keyFiles), 1):] {
		key, err := plan.ReadAuditKey(config.Secret{File: file}, "the key of the audit log")
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// keyOf is the key that the head of a log was made with, or the first one, which then does not verify it.
func keyOf(path string, keys []chain.Key) chain.Key {
	for _, key := range keys {
		if _, err := segments.ReadHead(path, key); err == nil {
			return key
		}
	}
	return keys[0]
}

// verifyAll says what several logs prove, each and together.
func (c auditCommand) verifyAll(logs []segments.Verification) error {
	w, err := segments.VerifyAll(logs)
	if err != nil {
		return err
	}
	if c.json {
		return errors.Join(c.printJSON(w), w.Err())
	}
	for _, l := range w.Logs {
		if l.Problem != "" {
			fmt.Fprintf(c.out, "%s: FAILED\n", l.Path)
			continue
		}
		fmt.Fprintf(c.out, "%s: %s\n", l.Path, proven(l.Report))
		for _, note := range l.Notes {
			fmt.Fprintf(c.out, "%s: note: %s\n", l.Path, note)
		}
	}
	writeWhole(c.out, w)
	return w.Err()
}

// writeWhole says what the logs say together.
func writeWhole(out io.Writer, w segments.Whole) {
	if w.Unread {
		fmt.Fprintln(out, "together: not looked at, since not every log is whole")
		return
	}
	for _, f := range w.Findings {
		var at []string
		for _, p := range f.At {
			at = append(at, fmt.Sprintf("%s record %d", p.Log, p.Seq))
		}
		fmt.Fprintf(out, "recovery %s: %s (%s)\n", f.Transaction, f.Said, strings.Join(at, ", "))
	}
	if w.Faulty > 0 {
		fmt.Fprintf(out, "together: %d of %d recoveries lack a step, or have one too many: the log of a node is not here, or somebody\n"+
			"changed the store (docs/audit.md)\n", w.Faulty, w.Transactions)
	} else {
		fmt.Fprintf(out, "together: ok: %d recoveries, %d passes: no step of any is missing, and none has two passes\n", w.Transactions, w.Passes)
	}
	for _, note := range []struct {
		n    int
		says string
	}{
		{w.Unended, "passes were about to be issued when the node stopped: nobody got them, and the person started again"},
		{w.Interrupted, "recoveries lack a record that need not be durable: a node was killed in that step, or did not hear what became of it"},
		{w.Rollbacks, "times an older copy of the store was put back"},
		{w.Earlier, "recoveries may have begun before the first record that is here"},
		{w.Growing, "recoveries went on while the logs were read, and are not judged"},
	} {
		if note.n > 0 {
			fmt.Fprintf(out, "note: %d %s\n", note.n, note.says)
		}
	}
}

func (c auditCommand) printJSON(value any) error {
	encoder := json.NewEncoder(c.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
