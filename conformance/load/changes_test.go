package load

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"regain/conformance/testenv"
	"regain/internal/config"
	"regain/internal/node"
	"regain/storage"
)

// maxCommits is how many commits a recovery may take, whatever the store. They are listed in docs/performance.md.
const maxCommits = 12

// TestChangesOfRecoveryAreThoseOfTheTable holds docs/performance.md against one recovery on each store: which request
// changes what, in which order, by which commit, and on whose behalf.
func TestChangesOfRecoveryAreThoseOfTheTable(t *testing.T) {
	want := tableOfChanges(t)
	for _, kept := range stores() {
		t.Run(kept.name, func(t *testing.T) {
			seen, commits := recordRecovery(t, kept)
			for i := range max(len(seen), len(want)) {
				if line := lineOf(seen, i); line != lineOf(want, i) {
					t.Errorf("the recovery's change is\n%s\nand docs/performance.md has\n%s", line, lineOf(want, i))
				}
			}
			if commits > maxCommits {
				t.Errorf("%d commits, want %d at most", commits, maxCommits)
			}
		})
	}
}

func lineOf(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing more"
}

// tableOfChanges returns the rows of the page, without what would be lost.
func tableOfChanges(t *testing.T) (rows []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range regexp.MustCompile("(?m)^(\\| [0-9]+[a-z]? \\|[^|]*\\| `[a-z]+ [a-z_-]+` \\|[^|]*\\|)([^|]*)\\|$").FindAllStringSubmatch(string(text), -1) {
		if len(strings.TrimSpace(row[2])) == 0 {
			t.Errorf("docs/performance.md does not say what would be lost without it:\n%s", row[0])
		}
		rows = append(rows, row[1])
	}
	return rows
}

// recordRecovery does one recovery of an account that had none before, and returns the rows of its changes and how often
// the store committed.
func recordRecovery(t *testing.T, kept store) (rows []string, commits int64) {
	t.Helper()
	r := &recorder{}
	w, err := testenv.Start(testenv.Options{Logger: slog.New(slog.DiscardHandler), Namesakes: 2, Store: kept.name, Deps: func(d *node.Deps) {
		d.Wrap = func(s storage.Store) storage.Store {
			r.Around = storage.Around{Store: s, Pass: r.change}
			return r
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() //nolint:errcheck // the test is over
	r.follow(t, w.Client)
	h, err := newHolder(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	var before int64
	for i := range 2 { // the first one fetches keys and status lists, which the node remembers
		r.take()
		before = commitsOf(t, kept, w, r)
		k, err := newWorker(w, h, i, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.recovery(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	commits = commitsOf(t, kept, w, r) - before
	commits -= r.headsSaved()
	return r.take(), commits
}

// commitsOf counts what the store has committed. Where each change is a commit of its own, they are counted instead.
func commitsOf(t *testing.T, kept store, w *testenv.Env, r *recorder) int64 {
	t.Helper()
	if kept.commits == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.lists + r.heads
	}
	n, err := kept.commits(config.StorageConfig{Path: filepath.Join(w.Directory(), "regain.db")})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// recorder notes each change of a store, for which request it was made, and by whom.
type recorder struct {
	storage.Around
	mu      sync.Mutex
	request string
	rows    []string
	lists   int64 // commits
	heads   int64 // of the audit log and the store's generation, which are kept by timers, whoever recovers
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	rows := r.rows
	r.rows, r.lists, r.heads = nil, 0, 0
	return rows
}

func (r *recorder) headsSaved() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heads
}

// identifier is a part of a path that differs from one recovery to the next.
var identifier = regexp.MustCompile(`/[A-Za-z0-9_-]{22,}(\.[A-Za-z0-9_-]+)*`)

// follow notes the requests of everybody in the test environment, who share a transport: it asks for a proxy before each.
func (r *recorder) follow(t *testing.T, client *http.Client) {
	t.Helper()
	shared, ok := client.Transport.(*http.Transport)
	if !ok {
		t.Fatal("the test environment has another transport")
	}
	shared.Proxy = func(request *http.Request) (*url.URL, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.request = request.Method + " " + identifier.ReplaceAllString(request.URL.Path, "/…")
		return nil, nil // none
	}
}

// note notes a commit: the changes of which the first were postponed by somebody, and the others are made by who is calling.
func (r *recorder) note(postponed []string, changes ...storage.Change) {
	by := maker()
	r.mu.Lock()
	defer r.mu.Unlock()
	if kind := changes[0].Record.Kind; strings.HasPrefix(by, "adapters/auditlog.") || kind == storage.KindGeneration || kind == storage.KindIssued {
		r.heads++
		return
	}
	r.lists++
	for i, c := range changes {
		number, made := fmt.Sprint(r.lists), by
		if len(changes) > 1 {
			number += string(rune('a' + i))
		}
		if i < len(postponed) {
			made, _, _ = strings.Cut(strings.TrimPrefix(postponed[i], "regain/"), ".func")
		}
		r.rows = append(r.rows, fmt.Sprintf("| %s | %s | `%s %s` | `%s` |", number, r.request, c.Operation, c.Record.Kind, made))
	}
}

// passesOn are the functions between the store and whoever decides on a change.
var passesOn = regexp.MustCompile(`^(conformance/load|storage|internal/keep|internal/node|recovery\.ledger|recovery\.RetryOnConflict|adapters/localpass\.write|provider/openid\.\(\*committedAnswer\))\b`)

// maker returns the innermost function of the node that decides on the change that is being made.
func maker() string {
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers[:])])
	for {
		frame, more := frames.Next()
		name, ours := strings.CutPrefix(frame.Function, "regain/")
		if ours && !passesOn.MatchString(name) {
			name, _, _ = strings.Cut(name, ".func")
			return name
		}
		if !more {
			return "nobody"
		}
	}
}

func (r *recorder) change(ctx context.Context, changes []storage.Change, do func() ([]storage.Result, error)) ([]storage.Result, error) {
	r.note(storage.PostponedBy(ctx), changes...)
	return do()
}
