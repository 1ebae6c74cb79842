package pushed

import (
	"context"
	"net/http"

	lru "github.com/hashicorp/golang-lru/v2"

	"regain/provider/problem"
	"regain/provider/requests"
	"regain/storage"
)

const (
	kindVisits = storage.Kind("visits")
	// maxVisits is how many recoveries one request URI opens: a person reloads, goes back, or opens the link in another
	// browser. Whoever goes on fills the store and the audit log.
	maxVisits = 8
	// maxVisited is how many request URIs a node remembers to have seen.
	maxVisited = 4096
)

// visits counts the recoveries that each pushed request opened. The first one, which mostly stays the only one, is
// remembered by the node and costs no change of the store.
type visits struct {
	counts storage.Store
	seen   *lru.Cache[string, struct{}]
}

func newVisits(store storage.Store) (visits, error) {
	seen, err := lru.New[string, struct{}](maxVisited)
	return visits{store, seen}, err
}

// CountVisit counts a recovery that is about to be opened by a pushed request, and refuses it if that opened too many. The
// URI stays good for the ones that are open (FAPI 2.0 Security Profile §5.3.2.2 Note 3).
func (v visits) CountVisit(ctx context.Context, a requests.Authorization) *problem.Error {
	if a.Pushed == "" || !storage.MayChange(ctx) { // who may only look opens nothing
		return nil
	}
	id := storage.Digest(a.Pushed)
	if again, _ := v.seen.ContainsOrAdd(id, struct{}{}); !again {
		return nil
	}
	n, err := v.counts.Increment(ctx, kindVisits, id, heldLifetime+Lifetime)
	if err != nil {
		return problem.Unavailable(err)
	}
	if n >= maxVisits {
		return problem.New(http.StatusBadRequest, CodeUnknown, "The request_uri was opened too often. Start again at your organisation's sign-in page.")
	}
	return nil
}
