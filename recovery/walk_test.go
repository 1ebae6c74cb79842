package recovery_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"regain/recovery"
)

// fragile is everything around a service, of which one call fails: the one after left others.
type fragile struct {
	*outside
	left int
}

func (f *fragile) call() error {
	f.left--
	if f.left == -1 {
		return errDisk
	}
	return nil
}

func (f *fragile) Create(ctx context.Context, t recovery.Transaction) error {
	if err := f.call(); err != nil {
		return err
	}
	return f.outside.Create(ctx, t)
}

func (f *fragile) Get(ctx context.Context, id recovery.TransactionID) (recovery.Transaction, error) {
	if err := f.call(); err != nil {
		return recovery.Transaction{}, err
	}
	return f.outside.Get(ctx, id)
}

func (f *fragile) Update(ctx context.Context, t recovery.Transaction) (int64, error) {
	if err := f.call(); err != nil {
		return 0, err
	}
	return f.outside.Update(ctx, t)
}

func (f *fragile) Find(ctx context.Context, requested recovery.RequestedAccount) (recovery.Account, error) {
	if err := f.call(); err != nil {
		return recovery.Account{}, err
	}
	return f.outside.Find(ctx, requested)
}

func (f *fragile) FindByID(ctx context.Context, id recovery.AccountID) (recovery.Account, error) {
	if err := f.call(); err != nil {
		return recovery.Account{}, err
	}
	return f.outside.FindByID(ctx, id)
}

func (f *fragile) Issue(ctx context.Context, order recovery.PassOrder) (recovery.Pass, error) {
	if err := f.call(); err != nil {
		return recovery.Pass{}, err
	}
	return f.outside.Issue(ctx, order)
}

func (f *fragile) Revoke(ctx context.Context, account recovery.AccountID, id string) error {
	return errors.Join(f.call(), f.outside.Revoke(ctx, account, id))
}

func (f *fragile) Append(ctx context.Context, e recovery.Event) error {
	if err := f.call(); err != nil {
		return err
	}
	return f.outside.Append(ctx, e)
}

func (f *fragile) Issued(ctx context.Context, id recovery.TransactionID, started time.Time) (bool, error) {
	if err := f.call(); err != nil {
		return false, err
	}
	return f.outside.Issued(ctx, id, started)
}

func (f *fragile) Increment(ctx context.Context, key string, window time.Duration) (int64, error) {
	if err := f.call(); err != nil {
		return 0, err
	}
	return f.outside.Increment(ctx, key, window)
}

func (f *fragile) Count(ctx context.Context, first, then []recovery.Hit) ([]int64, error) {
	return countEach(ctx, f.Increment, first, then)
}

func (f *fragile) Read(p []byte) (int, error) {
	if err := f.call(); err != nil {
		return 0, err
	}
	return rand.Read(p)
}

// walker goes through steps until one fails.
type walker struct {
	*bench
	ctx    context.Context
	tx     recovery.Transaction
	secret string
	result recovery.PresentResult
	err    error
}

func (w *walker) do(step func() error) {
	if w.err == nil {
		w.err = step()
	}
}

func (w *walker) set(step func() (recovery.Transaction, error)) {
	w.do(func() error {
		tx, err := step()
		if err == nil {
			w.tx = tx
		}
		return err
	})
}

func (w *walker) start(account recovery.RequestedAccount) {
	w.do(func() (err error) {
		w.tx, w.secret, err = w.Start(w.ctx, recovery.StartParams{Client: "main-idp", Account: account, Network: "192.0.2.1", Authorization: []byte("{}")})
		return err
	})
}

func (w *walker) ask() { w.set(func() (recovery.Transaction, error) { return w.Ask(w.ctx, w.tx) }) }

func (w *walker) attach(flow recovery.Flow) {
	w.do(func() error {
		open, err := w.Service.Find(w.ctx, w.tx.Handle(flow))
		if err != nil {
			return err
		}
		_, err = w.Attach(w.ctx, open, buildRequest(), recovery.WalletFetched)
		return err
	})
}

func (w *walker) present(flow recovery.Flow) {
	w.attach(flow)
	w.do(func() (err error) {
		w.result, err = w.Present(w.ctx, w.tx.Handle(flow), w.evidence(nil))
		return err
	})
	w.open()
}

func (w *walker) open() {
	w.set(func() (recovery.Transaction, error) { return w.Open(w.ctx, w.tx.ID, w.secret) })
}

func (w *walker) back() {
	w.set(func() (recovery.Transaction, error) { return w.Return(w.ctx, w.tx, w.result.ResponseCode) })
}

// wrongly takes an error that a step has to end with.
func (w *walker) wrongly(want error, step func() error) {
	w.do(func() error {
		if err := step(); !errors.Is(err, want) || errors.Is(err, errDisk) {
			return errors.Join(err, errors.New("the wrong step was not refused for its own reason"))
		}
		return nil
	})
}

func (w *walker) redeem() {
	w.set(func() (recovery.Transaction, error) { return w.MarkReturned(w.ctx, w.tx, "code") })
	w.do(func() error {
		got, err := w.Redeem(w.ctx, claim(w.tx))
		if err != nil {
			return err
		}
		return w.RevokePass(w.ctx, got)
	})
}

// walks are journeys through every step; none of them fails by itself.
func walks() map[string]func(w *walker) {
	return map[string]func(w *walker){
		"two devices": func(w *walker) {
			w.start("ada@example.org")
			w.set(func() (recovery.Transaction, error) { return w.LeaveForProofing(w.ctx, w.tx) })
			w.set(func() (recovery.Transaction, error) { return w.ComeBack(w.ctx, w.tx, true) })
			w.ask()
			w.now = w.now.Add(70 * time.Second)
			w.set(func() (recovery.Transaction, error) { return w.Rotate(w.ctx, w.tx) })
			w.attach(recovery.FlowSameDevice)
			w.open()
			w.do(func() error { return w.Reject(w.ctx, w.tx, nil) })
			w.do(func() error {
				_, err := w.Report(w.ctx, w.tx.Handle(recovery.FlowSameDevice), "access_denied")
				return err
			})
			w.open()
			w.present(recovery.FlowCrossDevice)
			w.set(func() (recovery.Transaction, error) {
				return w.Confirmation(w.ctx, w.tx.ID, w.result.ResponseCode, "192.0.2.1")
			})
			w.wrongly(recovery.ErrWrongCode, func() error { _, err := w.Confirm(w.ctx, w.tx, "wrong"); return err })
			w.open()
			w.set(func() (recovery.Transaction, error) {
				return w.Confirm(w.ctx, w.tx, w.tx.Presentation.Answer.Confirmation)
			})
			w.redeem()
		},
		"three wrong codes": func(w *walker) {
			w.start("ada@example.org")
			w.ask()
			w.present(recovery.FlowCrossDevice)
			for range 3 {
				w.wrongly(recovery.ErrWrongCode, func() error { _, err := w.Confirm(w.ctx, w.tx, "wrong"); return err })
				w.open()
			}
		},
		"an evaluation": func(w *walker) {
			w.start("tom@example.org")
			w.ask()
			w.present(recovery.FlowSameDevice)
			w.back()
		},
		"nobody": func(w *walker) {
			w.start("nobody@example.org")
			w.ask()
			w.present(recovery.FlowSameDevice)
			w.back()
		},
		"no redirect back": func(w *walker) {
			w.start("ada@example.org")
			w.ask()
			w.present(recovery.FlowBrowser)
			w.set(func() (recovery.Transaction, error) {
				t := w.tx
				answer := *t.Presentation.Answer
				answer.NoRedirectBack = true
				t.Presentation = &recovery.PresentationAttempt{Requests: t.Presentation.Requests, Answer: &answer}
				return w.Proceed(w.ctx, t)
			})
			w.set(func() (recovery.Transaction, error) { return w.MarkReturned(w.ctx, w.tx, "code") })
			w.do(func() error { return w.RedeemCode(w.ctx, claim(w.tx)) })
		},
		"another browser": func(w *walker) {
			w.start("ada@example.org")
			w.ask()
			w.present(recovery.FlowSameDevice)
			w.do(func() error { return w.ReturnElsewhere(w.ctx, w.tx.ID, w.result.ResponseCode) })
		},
		"cancelled": func(w *walker) {
			w.start("ada@example.org")
			w.wrongly(recovery.ErrIllegalStep, func() error { _, err := w.ComeBack(w.ctx, w.redeemed(), false); return err })
			w.set(func() (recovery.Transaction, error) { return w.Cancel(w.ctx, w.tx) })
		},
		"expired": func(w *walker) {
			w.start("ada@example.org")
			w.now = w.now.Add(2 * time.Hour)
			w.open()
		},
		"a channel that is closed": func(w *walker) {
			w.start("ada@example.org")
			w.ask()
			w.attach(recovery.FlowCrossDevice)
			var open recovery.OpenRequest
			w.do(func() (err error) {
				open, err = w.Service.Find(w.ctx, w.tx.Handle(recovery.FlowCrossDevice))
				return err
			})
			for range 100 {
				w.do(func() error { return w.CountInvalidResponse(w.ctx, open) })
			}
		},
		"too many": func(w *walker) {
			for range 3 {
				w.start("ada@example.org")
			}
			if w.err == nil && w.tx.State != recovery.StateDenied {
				w.err = errors.New("no limit held")
			}
		},
	}
}

// redeemed is the transaction as one that takes no more steps.
func (w *walker) redeemed() recovery.Transaction {
	t := w.tx
	t.State = recovery.StateRedeemed
	return t
}

// walk goes one journey with one call to the outside failing, and reports whether it got as far as that call.
func walk(t *testing.T, name string, journey func(*walker), left int) bool {
	t.Helper()
	b := setUp(t, limited(recovery.Limit{Name: "l", Per: recovery.PerNetwork, Max: 2, Window: time.Hour}))
	f := &fragile{b.outside, left}
	s, err := recovery.NewService(recovery.Ports{
		Transactions: f, Directory: f, Passes: f, Audit: f, Issuings: f, Attempts: f, Clock: b.clock, Random: f,
	}, b.policy)
	if err != nil {
		t.Fatal(err)
	}
	b.Service = s
	w := &walker{bench: b, ctx: t.Context()}
	journey(w)
	if f.left >= 0 {
		if w.err != nil {
			t.Fatalf("%s, as it should be: %v", name, w.err)
		}
		return false
	}
	// When the evidence is weighed an outage is a denial without any rule's result: the wallet has answered by then.
	denied := w.result.ResponseCode != "" && w.result.Results == nil && b.issued == 0
	if denied && w.tx.Decision != nil && w.tx.Decision.Reason != recovery.ReasonDirectoryUnavailable {
		t.Errorf("%s, with call %d failing: denied because of %s", name, left+1, w.tx.Decision.Reason)
	}
	if !errors.Is(w.err, errDisk) && !denied {
		t.Errorf("%s, with call %d failing: %v", name, left+1, w.err)
	}
	if b.issued > 1 {
		t.Errorf("%s, with call %d failing: %d passes", name, left+1, b.issued)
	}
	return true
}

// Whichever call to the outside fails, at whichever step: the step says so, with the cause, or denies because of it. None
// goes on as if nothing had happened.
func TestEveryOutageIsTold(t *testing.T) {
	for name, journey := range walks() {
		calls := 0
		for walk(t, name, journey, calls) {
			if calls++; calls > 1000 {
				t.Fatalf("%s has no end", name)
			}
		}
		if calls < 3 {
			t.Errorf("%s makes %d calls", name, calls)
		}
	}
}
