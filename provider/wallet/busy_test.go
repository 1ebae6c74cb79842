package wallet_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regain/internal/admission"
	"regain/internal/fetch"
	"regain/provider/evidence"
	"regain/provider/facetest"
	"regain/provider/wallet"
	"regain/recovery"
	"regain/verifier"
	"regain/verifier/status"
)

// slow is a verifier that is told when it may work, and counts how much it does at a time.
type slow struct {
	evidence.Verifier
	begun       chan struct{} // one for each verification that began
	work        chan struct{} // one, or its end, for each that may go on
	now, mostly atomic.Int64
}

func (s *slow) Verify(ctx context.Context, p verifier.Presentation, e verifier.Expect) (verifier.Verified, error) {
	if n := s.now.Add(1); n > s.mostly.Load() {
		s.mostly.Store(n)
	}
	s.begun <- struct{}{}
	<-s.work
	time.Sleep(time.Millisecond) // long enough for others to come, if they may
	s.now.Add(-1)                // whoever waits for a status list from here on holds no place
	return s.Verifier.Verify(ctx, p, e)
}

// asked is a recovery whose wallet has fetched its request.
func (s *scene) asked(t *testing.T) (*facetest.Started, request) {
	t.Helper()
	tx := s.Start(t).Ask(t)
	r, _ := s.fetch(t, tx, recovery.FlowSameDevice)
	return tx, r
}

// later answers in the background.
func (s *scene) later(t *testing.T, r request) <-chan *httptest.ResponseRecorder {
	form := s.answer(t, r, nil)
	answered := make(chan *httptest.ResponseRecorder, 1)
	go func() { answered <- s.respond(r, form) }()
	return answered
}

// While every processor verifies, and nobody's patience is enough, a wallet is told to come again. That is no refusal:
// the recovery is as it was, and the same answer is good later.
func TestTooManyAnswers(t *testing.T) {
	v := &slow{begun: make(chan struct{}, 8), work: make(chan struct{})}
	s := newSceneWith(t, nil, func(cfg *wallet.Config, _ *status.Fetcher) func(evidence.Verifier) evidence.Verifier {
		cfg.Verifying = admission.Config{Running: 1, Waiting: 4, Patience: 50 * time.Millisecond}
		return func(real evidence.Verifier) evidence.Verifier {
			v.Verifier = real
			return v
		}
	})
	_, first := s.asked(t)
	tx, second := s.asked(t)
	working := s.later(t, first)
	<-v.begun
	before := tx.Reload(t)
	got := <-s.later(t, second)
	if got.Code != http.StatusServiceUnavailable || got.Header().Get("Retry-After") != "5" || !strings.Contains(got.Body.String(), `"error":"temporarily_unavailable"`) ||
		!strings.Contains(got.Body.String(), `"correlation_id":"`+got.Header().Get("Correlation-Id")+`"`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if after := tx.Reload(t); after.Version != before.Version || after.State != recovery.StateRetrieved {
		t.Errorf("the recovery changed: %s, version %d, was %d", after.State, after.Version, before.Version)
	}
	close(v.work)
	if got := <-working; got.Code != http.StatusOK {
		t.Errorf("the first: %d %s", got.Code, got.Body)
	}
	if got := <-s.later(t, second); got.Code != http.StatusOK {
		t.Errorf("the second, later: %d %s", got.Code, got.Body)
	}
}

// However many answer at once, no more are verified at a time than there are places, and everybody is answered.
func TestAnswersTakeTurns(t *testing.T) {
	const places, people = 2, 12
	v := &slow{begun: make(chan struct{}, people), work: make(chan struct{})}
	close(v.work)
	s := newSceneWith(t, nil, func(cfg *wallet.Config, _ *status.Fetcher) func(evidence.Verifier) evidence.Verifier {
		cfg.Verifying = admission.Config{Running: places, Waiting: 4 * people, Patience: time.Minute}
		return func(real evidence.Verifier) evidence.Verifier {
			v.Verifier = real
			return v
		}
	})
	var answers []<-chan *httptest.ResponseRecorder
	for range people {
		_, r := s.asked(t)
		answers = append(answers, s.later(t, r))
	}
	for _, answered := range answers {
		if got := <-answered; got.Code != http.StatusOK {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	}
	if most := v.mostly.Load(); most > places {
		t.Errorf("%d were verified at a time", most)
	}
}

// Where nothing is configured, as many answers are verified at a time as there are processors, and no more.
func TestAsManyAreVerifiedAsThereAreProcessors(t *testing.T) {
	processors := runtime.GOMAXPROCS(0)
	people := processors + 4
	v := &slow{begun: make(chan struct{}, people), work: make(chan struct{})}
	s := newSceneWith(t, nil, func(*wallet.Config, *status.Fetcher) func(evidence.Verifier) evidence.Verifier {
		return func(real evidence.Verifier) evidence.Verifier {
			v.Verifier = real
			return v
		}
	})
	var answers []<-chan *httptest.ResponseRecorder
	for range people {
		_, r := s.asked(t)
		answers = append(answers, s.later(t, r))
	}
	for range processors {
		<-v.begun
	}
	select {
	case <-v.begun:
		t.Errorf("%d are verified at a time, of %d processors", processors+1, processors)
	case <-time.After(200 * time.Millisecond):
	}
	close(v.work)
	for _, answered := range answers {
		if got := <-answered; got.Code != http.StatusOK {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	}
}

// held is a fetcher of status lists that takes its time with the first.
type held struct {
	status.Fetcher
	asked, serve chan struct{}
	n            atomic.Int64
}

func (h *held) Get(ctx context.Context, address, accept string) (fetch.Response, error) {
	if h.n.Add(1) == 1 {
		close(h.asked)
		<-h.serve
	}
	return h.Fetcher.Get(ctx, address, accept)
}

// A status list that does not come keeps no processor from the answers of others.
func TestASlowServerHoldsNoPlace(t *testing.T) {
	h := &held{asked: make(chan struct{}), serve: make(chan struct{})}
	v := &slow{begun: make(chan struct{}, 8), work: make(chan struct{})}
	close(v.work)
	s := newSceneWith(t, nil, func(cfg *wallet.Config, fetcher *status.Fetcher) func(evidence.Verifier) evidence.Verifier {
		cfg.Verifying = admission.Config{Running: 1, Waiting: 4, Patience: 10 * time.Second}
		h.Fetcher, *fetcher = *fetcher, h
		return func(real evidence.Verifier) evidence.Verifier {
			v.Verifier = real
			return v
		}
	})
	_, first := s.asked(t)
	_, second := s.asked(t)
	waiting := s.later(t, first)
	<-v.begun
	<-h.asked
	other := s.later(t, second)
	select {
	case <-v.begun:
	case <-time.After(10 * time.Second):
		t.Error("the place is held by one who waits for another server")
	}
	close(h.serve)
	for _, answered := range []<-chan *httptest.ResponseRecorder{waiting, other} {
		if got := <-answered; got.Code != http.StatusOK {
			t.Errorf("%d %s", got.Code, got.Body)
		}
	}
}
