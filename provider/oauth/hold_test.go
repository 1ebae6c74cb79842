package oauth_test

import (
	"net/url"
	"testing"
	"time"

	"regain/provider/contract"
	"regain/provider/problem"
	"regain/provider/problem/problemtest"
	"regain/provider/requests"
	"regain/storage/storagetest"
)

// How long a client has to send the browser is one thing, and how long a person has to type the name of their account
// another.
func TestHold(t *testing.T) {
	b := setUp(t)
	visit := func(uri string) (requests.Authorization, error) {
		return b.Authorize(t.Context(), url.Values{"client_id": {"main-idp"}, "request_uri": {uri}})
	}
	pushed, err := b.push(b.authenticated("main-idp", request()))
	b.must(err)
	byValue := b.authorized(request())
	for name, held := range map[string]func() (requests.Authorization, error){
		"pushed":   func() (requests.Authorization, error) { return visit(pushed.RequestURI) },
		"by value": func() (requests.Authorization, error) { return byValue, nil },
	} {
		a, err := held()
		b.must(err)
		uri, err := b.Hold(t.Context(), a)
		b.must(err)
		if a.Pushed != "" && uri != a.Pushed {
			t.Errorf("%s: held under another request URI", name)
		}
		start := b.now
		b.now = start.Add(15*time.Minute - time.Second)
		a, err = visit(uri)
		if err != nil || a.State != "s" {
			t.Errorf("%s: while the person may type: %v", name, err)
		}
		if again, err := b.Hold(t.Context(), a); err != nil || again != uri { // the page was loaded again: that is no more time
			t.Errorf("%s: held again as %s, %v", name, again, err)
		}
		b.now = start.Add(15 * time.Minute)
		_, err = visit(uri)
		problemtest.WantRefusal(t, err, "invalid_request_uri", "unknown, expired or was used already")
		b.now = start
	}
	a, err := visit(pushed.RequestURI)
	b.must(err)
	_, err = b.Reject(t.Context(), a, problem.AccessDenied("no"))
	b.must(err)
	_, err = b.Hold(t.Context(), a)
	problemtest.WantRefusal(t, err, "invalid_request_uri", "unknown, expired or was used already") // what is over is not held again
}

// How often a pushed request opened a recovery is counted where it is kept, and a request by value has nothing to count.
func TestVisitsAreCounted(t *testing.T) {
	b := setUp(t)
	pushed, err := b.push(b.authenticated("main-idp", request()))
	b.must(err)
	a, err := b.Authorize(t.Context(), url.Values{"client_id": {"main-idp"}, "request_uri": {pushed.RequestURI}})
	b.must(err)
	for visit := 1; visit <= 8; visit++ {
		if refusal := b.CountVisit(t.Context(), a); refusal != nil {
			t.Fatalf("visit %d: %v", visit, refusal)
		}
	}
	problemtest.WantRefusal(t, b.CountVisit(t.Context(), a), "invalid_request_uri", "was opened too often")
	if refusal := b.CountVisit(t.Context(), b.authorized(request())); refusal != nil {
		t.Errorf("by value: %v", refusal)
	}
}

// What a node of a newer version added to a code is still there when this one has claimed it.
func TestACodeOfANewerVersion(t *testing.T) {
	p := assemble(t, contract.Tenant{}, nil)
	id := p.grant(stock()).CodeID
	kept := storagetest.Newer(t, p.store, "code", id)
	if p.must(p.Withdraw(t.Context(), id)); !kept() {
		t.Error("it is lost")
	}
}
