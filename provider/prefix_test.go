package provider_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/testenv"
	"regain/internal/config"
	"regain/internal/node"
	"regain/storage"
	"regain/storage/storagetest"
)

// cut is where a list of changes ends: the list, how many of its changes are made, and whether the node dies there, or lives
// and does not hear what became of the next one.
type cut struct {
	list, made int
	dies       bool
}

func (c cut) String() string {
	how := "the answer is lost"
	if c.dies {
		how = "the node dies"
	}
	return fmt.Sprintf("list %d, after %d changes %s", c.list, c.made, how)
}

// cutter cuts a list of a store that makes its changes one after the other.
type cutter struct {
	mu    sync.Mutex
	at    *cut // nil for none
	seen  []string
	died  chan struct{} // closed when the node dies
	ended chan struct{} // closed at the end of the test, for the requests that hang
}

// arm sets where the next list is cut, and returns the lists since the last time.
func (c *cutter) arm(at *cut) (lists []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	lists = c.seen
	c.at, c.seen, c.died = at, nil, make(chan struct{})
	return lists
}

func (c *cutter) death() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.died
}

// before implements storagetest.InOrder's Before.
func (c *cutter) before(at int, changes []storage.Change) error {
	if len(changes) < 2 {
		return nil
	}
	c.mu.Lock()
	if at == 0 {
		words := make([]string, len(changes))
		for i, change := range changes {
			words[i] = fmt.Sprint(change.Operation, " ", change.Record.Kind)
		}
		c.seen = append(c.seen, strings.Join(words, ", "))
	}
	here := c.at != nil && c.at.list == len(c.seen) && c.at.made == at
	var dies bool
	if here {
		dies, c.at = c.at.dies, nil
	}
	died := c.died
	if dies {
		c.died = make(chan struct{}) // of the next one
	}
	c.mu.Unlock()
	switch {
	case !here:
		return nil
	case !dies:
		return fmt.Errorf("cut: %w", storage.ErrUncertain)
	}
	close(died)
	<-c.ended
	return errors.New("dead")
}

// alternator is what stands in front of the nodes: when one dies with a request, the client gets 502. It notes what clients'
// programs send, and how often each of these got something.
type alternator struct {
	node   http.Handler
	cutter *cutter

	mu   sync.Mutex
	sent []*sending
}

type sending struct {
	path, form string
	got        int
}

func (b *alternator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	noted := b.note(r)
	answered, death := make(chan *httptest.ResponseRecorder, 1), b.cutter.death()
	go func() {
		answer := httptest.NewRecorder()
		b.node.ServeHTTP(answer, r.WithContext(context.WithoutCancel(r.Context())))
		answered <- answer
	}()
	answer := httptest.NewRecorder()
	select {
	case answer = <-answered:
	case <-death:
		select {
		case answer = <-answered: // by another node
		case <-time.After(20 * time.Millisecond):
			answer.WriteHeader(http.StatusBadGateway)
		}
	}
	if noted != nil && answer.Code < http.StatusMultipleChoices {
		noted.got++
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // to a client that may be gone
}

// note notes a form with an assertion.
func (b *alternator) note(r *http.Request) *sending {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil || !strings.Contains(string(body), "client_assertion=") {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	one := &sending{path: r.URL.Path, form: string(body)}
	b.sent = append(b.sent, one)
	return one
}

func (b *alternator) taken() []*sending {
	b.mu.Lock()
	defer b.mu.Unlock()
	sent := b.sent
	b.sent = nil
	return sent
}

// behindBalancer is a test environment whose Regain is a node behind one, on a store that makes lists in order.
func behindBalancer(t *testing.T, c *cutter) (*fixture, *alternator) {
	t.Helper()
	b := &alternator{cutter: c}
	f := setUpEnv(t, testenv.Options{Namesakes: 256, Store: "file", Elsewhere: func(path string, l *net.TCPListener) (io.Closer, error) {
		cfg := config.Defaults()
		if err := config.Load(config.Source{File: path}, &cfg); err != nil {
			return nil, err
		}
		cfg.Storage = config.StorageConfig{Backend: "memory"}
		cfg.Limits = []config.LimitConfig{{Name: "account", Per: "account", Max: 100, Window: time.Hour}, {Name: "network", Per: "network", Max: 10_000, Window: time.Hour}}
		n, err := node.New(cfg, node.Deps{
			Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader,
			Wrap: func(s storage.Store) storage.Store { return storagetest.InOrder{Store: s, Before: c.before} },
		})
		if err != nil {
			return nil, err
		}
		b.node = n
		server := node.NewServer(b, slog.New(slog.DiscardHandler))
		go func() { _ = server.Serve(l) }() // until it is closed
		return closers{server, n}, nil
	}})
	t.Cleanup(func() { close(c.ended) })
	return f, b
}

// patient is a person, and an IdP, who try again whatever happens: a person loads the page again, and starts anew where it
// says so.
type patientPerson struct {
	*fixture
	t       *testing.T
	account string
	passes  []string
	active  int // how often a pass was good
}

// recover walks one recovery as far as it goes, and reports whether it ended with a pass.
func (p *patientPerson) recover() bool {
	p.t.Helper()
	var err error
	for range 3 {
		if p.attempt, err = p.RP.Start(p.t.Context(), p.account, nil); err == nil {
			break
		}
	}
	if err != nil {
		p.t.Fatalf("no request can be pushed any more: %v", err)
	}
	last := p.attempt.AuthorizeURL
	had := len(p.passes)
	for range 3 { // whatever the client got, the person looks at the page again
		page := p.walk(&last)
		if code, err := p.RP.Code(p.attempt, page.URL.String()); err == nil {
			p.redeem(code)
		} else if len(p.passes) > had {
			break
		}
		if !strings.Contains(last, "/recover/") {
			break
		}
	}
	return len(p.passes) > had
}

// walk goes on from an address until the browser is back at the client.
func (p *patientPerson) walk(last *string) *browser.Page {
	p.t.Helper()
	s := &stubborn{fixture: p.fixture, attempt: p.attempt}
	page, err := p.browser.Open(p.t.Context(), *last)
	const steps = 30
	for range steps {
		if err != nil {
			p.t.Fatal(err)
		}
		_, again := page.Form("start-again")
		switch {
		case page.URL.Host == "program.localhost":
			return page
		case page.Status >= http.StatusInternalServerError:
			page, err = p.browser.Open(p.t.Context(), *last)
			continue
		case again:
			page = p.press(p.t, page, "start-again")
			continue
		case strings.HasPrefix(page.URL.Path, "/recover/"):
			*last = page.URL.String()
		}
		page, err = s.step(p.t.Context(), page, *last)
	}
	p.t.Fatalf("no end after %d steps: %s", steps, page.Text())
	return nil
}

func (p *patientPerson) redeem(code string) {
	p.t.Helper()
	for range 3 {
		tokens, err := p.RP.Redeem(p.t.Context(), p.attempt, code)
		if err != nil {
			continue
		}
		if tokens.RecoveryToken == "" {
			p.t.Fatal("tokens without a recovery token")
		}
		p.take(tokens.RecoveryToken)
	}
}

// take has a pass verified until it is used up, or is not any more.
func (p *patientPerson) take(token string) {
	p.t.Helper()
	p.passes = append(p.passes, token)
	recovered, err := p.RP.OpenRecoveryToken(token)
	if err != nil {
		p.t.Fatal(err)
	}
	for range 3 {
		if verdict, err := p.RP.VerifyPass(p.t.Context(), p.account, recovered.Recovery.Pass.Value); err == nil && verdict.Active {
			p.active++
		}
	}
}

// replay sends everything again that the client's program has sent, twice, and returns the recovery tokens that this gives.
func (p *patientPerson) replay(where fmt.Stringer, sent []*sending) {
	p.t.Helper()
	for _, one := range sent {
		for range 2 {
			resp, body := p.send(p.t, http.MethodPost, p.Regain+one.path, formType, one.form)
			if resp.StatusCode < http.StatusMultipleChoices {
				one.got++
			}
			if strings.Contains(body, "recovery_token") {
				p.passes = append(p.passes, body)
			}
		}
		if one.got > 1 {
			p.t.Errorf("%s: an assertion got something from %s %d times", where, one.path, one.got)
		}
	}
}

// A store that makes a list one change after the other, as MongoDB's does, is cut off after every number of changes of every
// list of a recovery: the node dies there, or lives and does not know what became of the next one. Whoever tries everything
// then gets one pass at most, each assertion gets something once, a code redeems once, and each recovery ends: with a pass, or with
// a page that says to start again, which works.
func TestEveryPrefixOfACommitIsSafe(t *testing.T) {
	c := &cutter{ended: make(chan struct{}), died: make(chan struct{})}
	f, b := behindBalancer(t, c)
	person := func(n int) *patientPerson {
		return &patientPerson{fixture: f, t: t, account: testenv.Namesake(n)}
	}
	c.arm(nil)
	if whole := person(0); !whole.recover() || whole.active != 1 {
		t.Fatalf("without a cut: %d passes, good %d times", len(whole.passes), whole.active)
	}
	if begun := passTransactions(audited(t, f, testenv.Namesake(0))); len(begun) != 1 || begun[0].issuings != 1 {
		t.Fatalf("without a cut the audit log has %+v", begun)
	}
	lists := c.arm(nil)[:6]
	want := []string{
		"create jti, create par", "increment attempts, increment attempts, increment attempts", "create code, delete par, update transaction",
		"create jti, update code, create token, update transaction", "create pass, update transaction", "create jti, increment pass-guesses",
	}
	if strings.Join(lists, "\n") != strings.Join(want, "\n") {
		t.Fatalf("the lists of a recovery are\n%s\nwant\n%s", strings.Join(lists, "\n"), strings.Join(want, "\n"))
	}
	b.taken()
	recovered, cuts := 0, 0
	for i, list := range lists {
		for made := range strings.Count(list, ",") + 2 {
			for _, dies := range []bool{true, false} {
				cuts++
				if p := person(cuts); p.tryEverything(c, b, cut{i + 1, made, dies}) {
					recovered++
				}
			}
		}
	}
	if t.Logf("%d cuts, after which %d recovered by the same recovery", cuts, recovered); recovered < cuts/2 {
		t.Errorf("only %d of %d cuts were got over", recovered, cuts)
	}
}

// tryEverything has a recovery cut off, and reports whether it ended with a pass all the same.
func (p *patientPerson) tryEverything(c *cutter, b *alternator, at cut) bool {
	p.t.Helper()
	c.arm(&at)
	recovered := p.recover()
	if c.arm(nil); len(p.passes) > 1 || p.active > 1 {
		p.t.Errorf("%s: %d passes, good %d times", at, len(p.passes), p.active)
	}
	p.replay(at, b.taken())
	for _, line := range passTransactions(audited(p.t, p.fixture, p.account)) {
		if line.issuings > 1 {
			p.t.Errorf("%s: transaction %s began %d passes", at, line.transaction, line.issuings)
		}
	}
	if len(p.passes) > 1 {
		p.t.Errorf("%s: %d passes after everything was sent again", at, len(p.passes))
	}
	if before := len(p.passes); !recovered {
		if !p.recover() || len(p.passes) != before+1 {
			p.t.Errorf("%s: a new recovery gives no pass", at)
		}
	}
	b.taken() // what was sent again
	return recovered
}

type passTransaction struct {
	transaction string
	issuings    int
}

// passTransactions are the transactions of audit records, each with how many passes were begun for it.
func passTransactions(log string) (all []passTransaction) {
	seen := map[string]bool{}
	for line := range strings.Lines(log) {
		_, rest, _ := strings.Cut(line, `"txn":"`)
		id, _, _ := strings.Cut(rest, `"`)
		if id != "" && !seen[id] {
			seen[id] = true
			all = append(all, passTransaction{id, issuings(log, id)})
		}
	}
	return all
}
