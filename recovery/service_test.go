package recovery_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"regain/recovery"
)

// outside is every port of the service, kept in maps. Any part of it can be made to fail.
type outside struct {
	mu           sync.Mutex
	now          time.Time
	transactions map[recovery.TransactionID]recovery.Transaction
	versions     map[recovery.TransactionID]int64
	accounts     map[string]recovery.Account
	events       []recovery.Event
	passes       map[string]recovery.TransactionID // live passes by id
	issued       int
	revokedFor   recovery.AccountID // of the last pass that was revoked
	writes       int
	hits         map[string]int64
	reaches      time.Time // how far back the audit log does

	failDirectory error
	failStore     func(t recovery.Transaction) error
	failAudit     func(e recovery.Event) error
	failIssue     error
	failRevoke    error
}

func (o *outside) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *outside) Create(_ context.Context, t recovery.Transaction) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, taken := o.transactions[t.ID]; taken {
		return recovery.ErrExists
	}
	o.transactions[t.ID], o.versions[t.ID] = t, 1
	o.writes++
	return nil
}

func (o *outside) Get(_ context.Context, id recovery.TransactionID) (recovery.Transaction, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	t, ok := o.transactions[id]
	if !ok {
		return t, recovery.ErrNotFound
	}
	t.Version = o.versions[id]
	return t, nil
}

func (o *outside) Update(_ context.Context, t recovery.Transaction) (int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failStore != nil {
		if err := o.failStore(t); err != nil {
			return 0, err
		}
	}
	if o.versions[t.ID] != t.Version {
		return 0, recovery.ErrConflict
	}
	o.versions[t.ID]++
	o.transactions[t.ID] = t
	o.writes++
	return o.versions[t.ID], nil
}

func (o *outside) Find(_ context.Context, requested recovery.RequestedAccount) (recovery.Account, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failDirectory != nil {
		return recovery.Account{}, o.failDirectory
	}
	if a, ok := o.accounts[recovery.AccountName(requested).Exact()]; ok {
		return a, nil
	}
	return o.withID(recovery.AccountID(requested))
}

func (o *outside) FindByID(_ context.Context, id recovery.AccountID) (recovery.Account, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failDirectory != nil {
		return recovery.Account{}, o.failDirectory
	}
	return o.withID(id)
}

func (o *outside) withID(id recovery.AccountID) (recovery.Account, error) {
	for _, a := range o.accounts {
		if a.ID == id {
			return a, nil
		}
	}
	return recovery.Account{}, recovery.ErrNotFound
}

func (o *outside) Issue(_ context.Context, order recovery.PassOrder) (recovery.Pass, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failIssue != nil {
		return recovery.Pass{}, o.failIssue
	}
	o.issued++
	id := fmt.Sprint("pass-", o.issued)
	o.passes[id] = order.Transaction
	return recovery.Pass{ID: id, Value: recovery.NewPassValue("SECRET22"), StartsAt: o.now, ExpiresAt: o.now.Add(time.Hour), UsableOnce: true, Issuer: "test"}, nil
}

func (o *outside) Revoke(ctx context.Context, account recovery.AccountID, id string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := errors.Join(o.failRevoke, ctx.Err()); err != nil {
		return err
	}
	o.revokedFor = account
	delete(o.passes, id)
	return nil
}

func (o *outside) Append(_ context.Context, e recovery.Event) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failAudit != nil {
		if err := o.failAudit(e); err != nil {
			return err
		}
	}
	o.events = append(o.events, e)
	return nil
}

func (o *outside) Increment(_ context.Context, key string, _ time.Duration) (int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hits[key]++
	return o.hits[key], nil
}

func (o *outside) Count(ctx context.Context, first, then []recovery.Hit) ([]int64, error) {
	return countEach(ctx, o.Increment, first, then)
}

// countEach counts as a recovery.Counter does, one after the other.
func countEach(ctx context.Context, increment func(context.Context, string, time.Duration) (int64, error), first, then []recovery.Hit) ([]int64, error) {
	counts, over := make([]int64, len(first)+len(then)), false
	for i, hit := range slices.Concat(first, then) {
		if i >= len(first) && over {
			break
		}
		var err error
		if counts[i], err = increment(ctx, hit.Key, hit.Window); err != nil {
			return nil, err
		}
		over = over || i < len(first) && counts[i] > hit.Max
	}
	return counts, nil
}

// bench is a service and everything around it.
type bench struct {
	*recovery.Service
	*outside
	policy recovery.Policy
}

// Find is the service's; the directory's, of the same name, is reached through the port.
func (b *bench) Find(ctx context.Context, h recovery.Handle) (recovery.OpenRequest, error) {
	return b.Service.Find(ctx, h)
}

func setUp(t *testing.T, change func(*recovery.Policy)) *bench {
	t.Helper()
	employees, pilot := goodProfile("employees", 20), goodProfile("pilot", 10)
	employees.Channels = append(employees.Channels, recovery.Channel{Wallet: "any", Flow: recovery.FlowCrossDevice}, recovery.Channel{Wallet: "any", Flow: recovery.FlowBrowser})
	employees.CrossDevice = recovery.CrossDevicePolicy{QRLifetime: time.Minute}
	pilot.Mode, pilot.Scope = recovery.ModeEvaluation, recovery.Scope{Include: []recovery.GroupName{"pilot"}}
	policy := recovery.Policy{Profiles: recovery.Profiles{employees, pilot}, Exclude: []recovery.GroupName{"executives"}}
	if change != nil {
		change(&policy)
	}
	o := &outside{
		now: noon, transactions: map[recovery.TransactionID]recovery.Transaction{}, versions: map[recovery.TransactionID]int64{},
		accounts: map[string]recovery.Account{}, passes: map[string]recovery.TransactionID{}, hits: map[string]int64{},
	}
	for name, group := range map[recovery.AccountName]recovery.GroupName{"ada@example.org": "staff", "tom@example.org": "pilot", "grace@example.org": "executives"} {
		a := goodQuestion().Account
		a.Name, a.ID, a.Groups = name, recovery.AccountID("id of "+name), []recovery.GroupName{group}
		a.Attributes = maps.Clone(a.Attributes)
		o.accounts[name.Exact()] = a
	}
	b := &bench{outside: o, policy: policy}
	b.useDirectory(t, o)
	return b
}

// useDirectory makes the service anew with another directory.
func (b *bench) useDirectory(t *testing.T, d recovery.Directory) {
	t.Helper()
	s, err := recovery.NewService(recovery.Ports{
		Transactions: b.outside, Directory: d, Passes: b.outside, Audit: b.outside, Issuings: b.outside, Attempts: b.outside, Clock: b.clock, Random: rand.Reader,
	}, b.policy)
	if err != nil {
		t.Fatal(err)
	}
	b.Service = s
}

// start opens a transaction for an account and asks the wallet.
func (b *bench) start(t *testing.T, account recovery.RequestedAccount) (recovery.Transaction, string) {
	t.Helper()
	tx, secret, err := b.Start(t.Context(), recovery.StartParams{Client: "main-idp", Account: account, Network: "192.0.2.1", Authorization: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	if tx, err = b.Ask(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	return tx, secret
}

// present fetches and answers the request of a flow with good evidence.
func (b *bench) present(t *testing.T, tx recovery.Transaction, flow recovery.Flow, change func(*recovery.Evidence)) recovery.PresentResult {
	t.Helper()
	handle := tx.Handle(flow)
	if _, err := b.Retrieve(t.Context(), handle, buildRequest); err != nil {
		t.Fatal(err)
	}
	receipt, err := b.Present(t.Context(), handle, b.evidence(change))
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func (b *bench) evidence(change func(*recovery.Evidence)) recovery.Evidence {
	e := goodQuestion().Evidence
	e.FaceCheck.At = b.clock()
	if change != nil {
		change(&e)
	}
	return e
}

// makeRequest builds a presentation request.
type makeRequest func() []byte

func buildRequest() []byte { return []byte(`{"nonce":"n"}`) }

// Retrieve is a wallet that fetches its request; Prepare is a page that shows a link with the request in it.
func (b *bench) Retrieve(ctx context.Context, h recovery.Handle, build makeRequest) (recovery.OpenRequest, error) {
	return b.attach(ctx, h, build, recovery.WalletFetched)
}

func (b *bench) Prepare(ctx context.Context, h recovery.Handle, build makeRequest) (recovery.OpenRequest, error) {
	return b.attach(ctx, h, build, recovery.LinkShown)
}

func (b *bench) attach(ctx context.Context, h recovery.Handle, build makeRequest, occasion recovery.Occasion) (recovery.OpenRequest, error) {
	return recovery.RetryOnConflict(func() (recovery.OpenRequest, error) {
		open, err := b.Find(ctx, h)
		if err != nil || !open.Answered() && open.Request() != nil {
			return open, err
		}
		return b.Attach(ctx, open, build(), occasion)
	})
}

// conclude answers the request with good evidence and has the browser come back.
func (b *bench) conclude(t *testing.T, tx recovery.Transaction, secret string) recovery.Transaction {
	t.Helper()
	receipt := b.present(t, tx, recovery.FlowSameDevice, nil)
	tx, err := b.Open(t.Context(), tx.ID, secret)
	if err != nil {
		t.Fatal(err)
	}
	if tx, err = b.Return(t.Context(), tx, receipt.ResponseCode); err != nil {
		t.Fatal(err)
	}
	return tx
}

// finish asks, and concludes.
func (b *bench) finish(t *testing.T, tx recovery.Transaction, secret string) recovery.Transaction {
	t.Helper()
	tx, err := b.Ask(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	return b.conclude(t, tx, secret)
}

// approved walks an account to its approval and out to the client.
func (b *bench) approved(t *testing.T, account recovery.RequestedAccount) recovery.Transaction {
	t.Helper()
	tx, secret := b.start(t, account)
	tx = b.conclude(t, tx, secret)
	if tx.State != recovery.StateApproved {
		return tx
	}
	var err error
	if tx, err = b.MarkReturned(t.Context(), tx, "code"); err != nil {
		t.Fatal(err)
	}
	return tx
}

// claim is what the client that started redeems with.
func claim(tx recovery.Transaction) recovery.Claim {
	return recovery.Claim{Transaction: tx.ID, Client: "main-idp", Code: tx.Code}
}

func (b *bench) state(id recovery.TransactionID) recovery.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.transactions[id].State
}

func (b *bench) last() recovery.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.events[len(b.events)-1]
}

func wantErr(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("got %v, want %v", err, target)
	}
}

func TestRecoveryOnOneDevice(t *testing.T) {
	b := setUp(t, nil)
	tx := b.approved(t, "ada@example.org")
	got, err := b.Redeem(t.Context(), claim(tx))
	if err != nil {
		t.Fatal(err)
	}
	if got.Pass.Value.Reveal() == "" || got.Transaction.State != recovery.StateRedeemed || got.Profile.Name != "employees" || got.Transaction.Flow != recovery.FlowSameDevice {
		t.Errorf("redeemed %s under %s by %s", got.Transaction.State, got.Profile.Name, got.Transaction.Flow)
	}
	if b.writes > 8 {
		t.Errorf("%d transaction writes for one recovery, want at most 8", b.writes)
	}
	if stored := b.transactions[tx.ID]; stored.Presentation != nil {
		t.Error("the request's keys outlived the decision")
	}
}

func TestRecoveryOnTwoDevices(t *testing.T) {
	b := setUp(t, nil)
	tx, secret := b.start(t, "ada@example.org")
	receipt := b.present(t, tx, recovery.FlowCrossDevice, nil)
	shown, err := b.Confirmation(t.Context(), tx.ID, receipt.ResponseCode, "192.0.2.1")
	if err != nil || len(shown.Presentation.Answer.Confirmation) != 6 {
		t.Fatalf("digits: %v", err)
	}
	digits := shown.Presentation.Answer.Confirmation
	tx, _ = b.Open(t.Context(), tx.ID, secret)
	// The response code of the phone is worth nothing in the starting browser's return.
	_, err = b.Return(t.Context(), tx, receipt.ResponseCode)
	wantErr(t, err, recovery.ErrWrongCode)
	if tx, err = b.Confirm(t.Context(), tx, digits); err != nil || tx.State != recovery.StateApproved || tx.Flow != recovery.FlowCrossDevice {
		t.Errorf("after the digits: %s by %s, %v", tx.State, tx.Flow, err)
	}
}

// Promise 1: one pass at most.
func TestOneOfManyRedeemers(t *testing.T) {
	b := setUp(t, nil)
	tx := b.approved(t, "ada@example.org")
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if _, err := b.Redeem(t.Context(), claim(tx)); err != nil && !errors.Is(err, recovery.ErrRedeemed) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if b.issued != 1 {
		t.Errorf("%d passes", b.issued)
	}
}

// A crash at any moment of redeeming costs the person another recovery, and never gives a second pass.
func TestACrashWhileRedeemingGivesNoSecondPass(t *testing.T) {
	crash := errors.New("crash")
	for name, breakIt := range map[string]func(*bench){
		"issuer fails":          func(b *bench) { b.failIssue = crash },
		"cannot store the end":  func(b *bench) { b.failStore = at(recovery.StateRedeemed, crash) },
		"cannot record the end": func(b *bench) { b.failAudit = on(recovery.EventPassIssued, crash) },
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t, nil)
			tx := b.approved(t, "ada@example.org")
			breakIt(b)
			if _, err := b.Redeem(t.Context(), claim(tx)); !errors.Is(err, crash) {
				t.Fatalf("got %v", err)
			}
			if len(b.passes) != 0 {
				t.Error("a pass is good that nobody was given")
			}
			b.failIssue, b.failStore, b.failAudit = nil, nil, nil
			_, err := b.Redeem(t.Context(), claim(tx))
			wantErr(t, err, recovery.ErrRedeemed)
			if len(b.passes) != 0 {
				t.Error("a second try gave a pass")
			}
		})
	}
}

func at(state recovery.State, err error) func(recovery.Transaction) error {
	return func(t recovery.Transaction) error {
		if t.State == state {
			return err
		}
		return nil
	}
}

func on(kind recovery.EventType, err error) func(recovery.Event) error {
	return func(e recovery.Event) error {
		if e.Type == kind {
			return err
		}
		return nil
	}
}

// Promise 2: no record, no pass.
func TestNoRecordNoPass(t *testing.T) {
	b := setUp(t, nil)
	tx := b.approved(t, "ada@example.org")
	full := errors.New("disk is full")
	b.failAudit = on(recovery.EventPassIssuing, full)
	if _, err := b.Redeem(t.Context(), claim(tx)); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if b.issued != 0 {
		t.Error("a pass was issued that is in no record")
	}
}

// Only an approval, in production, by the client that started, leads to a pass.
func TestWhoGetsNoPass(t *testing.T) {
	b := setUp(t, nil)
	approved := b.approved(t, "ada@example.org")
	_, err := b.Redeem(t.Context(), recovery.Claim{Transaction: approved.ID, Client: "another-client", Code: approved.Code})
	wantErr(t, err, recovery.ErrNoTransaction)
	_, err = b.Redeem(t.Context(), recovery.Claim{Transaction: "no such transaction", Client: "main-idp"})
	wantErr(t, err, recovery.ErrNoTransaction)
	evaluated := b.approved(t, "tom@example.org")
	if evaluated.State != recovery.StateEvaluated {
		t.Fatalf("the pilot ended %s", evaluated.State)
	}
	if _, err = b.Redeem(t.Context(), claim(evaluated)); err == nil {
		t.Error("an evaluation was redeemed")
	}
	waiting, _ := b.start(t, "ada@example.org")
	b.present(t, waiting, recovery.FlowSameDevice, nil) // genuine, but its browser has not come back
	_, err = b.Redeem(t.Context(), claim(waiting))
	wantErr(t, err, recovery.ErrIllegalStep)
	b.now = b.now.Add(16 * time.Minute)
	_, err = b.Redeem(t.Context(), claim(approved))
	wantErr(t, err, recovery.ErrExpired)
	if b.issued != 0 {
		t.Errorf("%d passes", b.issued)
	}
}

// What the directory says counts when the pass is made, not only when the recovery began.
func TestAnAccountThatChangedGetsNoPass(t *testing.T) {
	for name, change := range map[string]func(*recovery.Account){
		"disabled":        func(a *recovery.Account) { a.Enabled = false },
		"excluded":        func(a *recovery.Account) { a.Groups = []recovery.GroupName{"executives"} },
		"another profile": func(a *recovery.Account) { a.Groups = []recovery.GroupName{"pilot"} },
	} {
		b := setUp(t, nil)
		tx := b.approved(t, "ada@example.org")
		a := b.accounts["ada@example.org"]
		change(&a)
		b.accounts["ada@example.org"] = a
		if _, err := b.Redeem(t.Context(), claim(tx)); err == nil || b.issued != 0 {
			t.Errorf("%s: %d passes, %v", name, b.issued, err)
		}
	}
}

// Promise 3: fail closed.
func TestADirectoryThatDoesNotAnswer(t *testing.T) {
	down := errors.New("directory is down")
	b := setUp(t, nil)
	b.failDirectory = down
	_, _, err := b.Start(t.Context(), recovery.StartParams{Client: "main-idp", Account: "ada@example.org"})
	wantErr(t, err, down)
	if len(b.transactions) != 0 {
		t.Error("a transaction was opened")
	}
	b.failDirectory = nil
	tx, secret := b.start(t, "ada@example.org")
	b.failDirectory = down
	receipt := b.present(t, tx, recovery.FlowSameDevice, nil)
	tx, _ = b.Open(t.Context(), tx.ID, secret)
	if tx, err = b.Return(t.Context(), tx, receipt.ResponseCode); err != nil || tx.Decision.Reason != recovery.ReasonDirectoryUnavailable {
		t.Errorf("%s %v, %v", tx.State, tx.Decision, err)
	}
	b.failDirectory = nil
	ready := b.approved(t, "ada@example.org")
	b.failDirectory = down
	_, err = b.Redeem(t.Context(), claim(ready))
	wantErr(t, err, down)
	b.failDirectory = nil
	if _, err := b.Redeem(t.Context(), claim(ready)); err != nil || b.issued != 1 {
		t.Errorf("nothing was spent by the outage, yet: %d passes, %v", b.issued, err)
	}
}

// Promise 6: an account that does not exist goes the same way as one that does not match.
func TestUnknownGoesTheWayOfAMismatch(t *testing.T) {
	trace := func(account recovery.RequestedAccount, change func(*recovery.Evidence)) string {
		b := setUp(t, nil)
		tx, secret := b.start(t, account)
		receipt := b.present(t, tx, recovery.FlowSameDevice, change)
		tx, _ = b.Open(t.Context(), tx.ID, secret)
		tx, err := b.Return(t.Context(), tx, receipt.ResponseCode)
		if err != nil {
			t.Fatal(err)
		}
		seen := fmt.Sprint(tx.State, tx.Decision.Reason.Public(), tx.Profile, tx.Mode, b.writes, len(tx.Decision.Results))
		for _, e := range b.events {
			seen += " " + string(e.Type)
		}
		return seen
	}
	mismatch := trace("ada@example.org", func(e *recovery.Evidence) { e.Claims["family_name"] = "Stone" })
	for _, account := range []recovery.RequestedAccount{"nobody@example.org", "grace@example.org"} {
		if got := trace(account, nil); got != mismatch {
			t.Errorf("%s:\n%s\na mismatch:\n%s", account, got, mismatch)
		}
	}
}

func TestTooManyAttempts(t *testing.T) {
	b := setUp(t, func(p *recovery.Policy) {
		p.Limits = recovery.Limits{{Name: "account", Per: recovery.PerAccountNetwork, Max: 2, Window: time.Hour}}
	})
	open := recovery.StartParams{Client: "main-idp", Account: "ada@example.org", Network: "192.0.2.1"}
	for i := range 3 {
		tx, _, err := b.Start(t.Context(), open)
		if err != nil {
			t.Fatal(err)
		}
		if denied := tx.State == recovery.StateDenied; denied != (i == 2) {
			t.Errorf("attempt %d: %s", i+1, tx.State)
		}
	}
	// Another way to name the account is no way round the limit; that it is one is not shown, but denied at the end.
	byID := open
	byID.Account = "id of ada@example.org"
	tx, secret, err := b.Start(t.Context(), byID)
	if err != nil || tx.State != recovery.StateStarted || tx.Ineligible != recovery.ReasonAccountBarred {
		t.Fatalf("by the account's id: %s %s %v", tx.State, tx.Ineligible, err)
	}
	if tx = b.finish(t, tx, secret); tx.State != recovery.StateDenied || tx.Decision.Reason != recovery.ReasonAccountBarred || tx.Decision.Reason.Public() != recovery.PublicNotVerified {
		t.Errorf("by the account's id it ends %s: %v", tx.State, tx.Decision)
	}
	open.Network = "198.51.100.7"
	if tx, _, _ := b.Start(t.Context(), open); tx.State != recovery.StateStarted {
		t.Errorf("the victim elsewhere is locked out: %s", tx.State)
	}
}
