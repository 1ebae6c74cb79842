package provider_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"regain/conformance/wallet"
	"regain/storage/mongo/mongotest"
)

// refusal has the database answer every change with one of its codes.
func refusal(code int, name string) func(p *mongotest.Proxy) {
	return func(p *mongotest.Proxy) {
		answer := bson.D{{Key: "ok", Value: 0.0}, {Key: "code", Value: code}, {Key: "codeName", Value: name}, {Key: "errmsg", Value: name + " at db7.internal"}}
		for _, command := range []string{"insert", "update", "findAndModify"} {
			p.Inject(mongotest.Fault{Command: command, Do: mongotest.Answered, Answer: answer, Times: 1 << 20})
		}
	}
}

// stalls has the database take every command, and answer none.
func stalls(p *mongotest.Proxy) {
	for _, command := range []string{"find", "insert", "update", "findAndModify"} {
		p.Inject(mongotest.Fault{Command: command, Do: mongotest.Stalled, Times: 1 << 20})
	}
}

// The database goes in the middle of a recovery, in whatever way: each step fails closed within the time of a call or a few, in
// words that offer to try again and name no host; the node is not ready meanwhile; when the database is back the same step
// succeeds, and the recovery ends with one pass.
func TestTheDatabaseGoesInTheMiddle(t *testing.T) {
	f := setUpMongo(t, time.Second)
	passes := 0
	const person, answer, code = "the person's step", "the wallet's answer", "the code"
	for name, row := range map[string]struct {
		breakIt func(p *mongotest.Proxy)
		at      []string // each costs a few seconds: every way once, and every step
	}{
		"away":             {func(p *mongotest.Proxy) { p.Away(true) }, []string{person, answer, code}},
		"silent":           {stalls, []string{code}},
		"an election":      {refusal(10107, "NotWritablePrimary"), []string{answer}},
		"no space":         {refusal(14031, "OutOfDiskSpace"), []string{person}},
		"a read-only user": {refusal(13, "Unauthorized"), []string{code}},
	} {
		f.browser = newBrowser(f.Env)
		// during runs a step while the database is gone.
		during := func(step string, do func() (status int, said string)) {
			t.Helper()
			if !slices.Contains(row.at, step) {
				return
			}
			row.breakIt(f.proxy)
			began := time.Now()
			status, said := do()
			if status < http.StatusInternalServerError || strings.Contains(said, "db7") || strings.Contains(said, "127.0.0.1:") || strings.Contains(said, "OutOf") {
				t.Errorf("%s, %s: %d %s", name, step, status, said)
			}
			if took := time.Since(began); took > 4*time.Second {
				t.Errorf("%s, %s: it took %s", name, step, took)
			}
			if status, said := f.ready(t); status != http.StatusServiceUnavailable || !strings.Contains(said, `"store":"cannot be written"`) {
				t.Errorf("%s, %s: readiness says %d %s", name, step, status, said)
			}
			f.proxy.Forget()
			f.proxy.Away(false)
			for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
				if status, _ := f.ready(t); status == http.StatusOK {
					return
				}
			}
			t.Fatalf("%s, %s: never ready again", name, step)
		}
		page := f.start(t, "ada.lindqvist@example.org")
		during(person, func() (int, string) {
			failed := f.press(t, page, "have-verified-id")
			if _, ok := failed.Link("back"); !ok {
				t.Errorf("%s: no way back: %s", name, failed.Text())
			}
			return failed.Status, failed.Text()
		})
		if back, ok := f.browser.Current().Link("back"); ok {
			page, _ = f.browser.Follow(t.Context(), back)
		}
		if page.Has("have-verified-id") {
			page = f.press(t, page, "have-verified-id")
		}
		request := f.review(t, page)
		during(answer, func() (int, string) {
			_, err := f.wallet.Share(t.Context(), request, wallet.ShareOptions{})
			if err == nil {
				t.Fatalf("%s: the answer was taken", name)
			}
			return http.StatusInternalServerError, err.Error()
		})
		done, err := f.browser.Open(t.Context(), f.share(t, request))
		granted, err := f.RP.Code(f.attempt, f.press(t, f.must(t, done, err), "finish").URL.String())
		if err != nil {
			t.Fatal(err)
		}
		during(code, func() (int, string) {
			_, err := f.RP.Redeem(t.Context(), f.attempt, granted)
			if err == nil {
				t.Fatalf("%s: redeemed", name)
			}
			return http.StatusInternalServerError, err.Error()
		})
		if issuedPasses(t, f.audit.File) == passes { // nothing was begun
			if _, err := f.RP.Redeem(t.Context(), f.attempt, granted); err != nil {
				t.Errorf("%s: the code is lost: %v", name, err)
			}
		}
		if _, err := f.RP.Redeem(t.Context(), f.attempt, granted); err == nil || !strings.Contains(err.Error(), "invalid_grant") {
			t.Errorf("%s: redeemed again: %v", name, err)
		}
		if passes++; issuedPasses(t, f.audit.File) != passes {
			t.Errorf("%s: %d passes, want %d", name, issuedPasses(t, f.audit.File), passes)
		}
	}
}
