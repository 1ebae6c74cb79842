package vci

import (
	"sync"
	"time"

	"regain/conformance/proofing/offer"
	"regain/conformance/proofing/random"
	"regain/conformance/proofing/web"
)

// grant is an access token: it is good for the credentials of one offer.
type grant struct {
	offer          *offer.Offer
	client         string // client_id; empty for a wallet that came anonymously
	thumbprint     string // of the DPoP key that the token is bound to; empty for a bearer token
	configurations []string
	identifiers    map[string]string // credential_identifier → configuration; nil if the wallet did not ask for any
	expires        time.Time

	busy bool // a credential request is under way; guarded by grants.mu
}

// notice is what a wallet may still tell about the credentials of one response.
type notice struct {
	grant       *grant
	credentials []string
	expires     time.Time
}

// grants are the access tokens that were given out, and the notifications that are still to come.
type grants struct {
	clock func() time.Time

	mu      sync.Mutex
	held    map[string]*grant  // by digest of the access token
	notices map[string]*notice // by notification_id
}

func newGrants(clock func() time.Time) *grants {
	return &grants{clock: clock, held: map[string]*grant{}, notices: map[string]*notice{}}
}

// give lets an access token be good for five minutes, and forgets those that were.
func (g *grants) give(token string, made *grant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.clock()
	for id, old := range g.held {
		if now.After(old.expires) {
			delete(g.held, id)
		}
	}
	for id, old := range g.notices {
		if now.After(old.expires) {
			delete(g.notices, id)
		}
	}
	made.expires = now.Add(offer.Life)
	g.held[random.Digest(token)] = made
}

func (g *grants) find(token string) (*grant, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	held, found := g.held[random.Digest(token)]
	return held, found && !g.clock().After(held.expires)
}

// claim takes a grant for the time of the request, so that two requests at once cannot both stay below the limit of the
// batch.
func (g *grants) claim(held *grant) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if held.busy {
		return web.Refuse("credential_request_denied", "another request with this access token is under way")
	}
	held.busy = true
	return nil
}

func (g *grants) release(held *grant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	held.busy = false
}

// expect opens a notification about credentials that were fetched with the grant.
func (g *grants) expect(id string, held *grant, credentials []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.notices[id] = &notice{grant: held, credentials: credentials, expires: held.expires}
}

// noticed returns the credentials that a notification is about, if it came with the grant's access token.
func (g *grants) noticed(id string, held *grant) ([]string, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	about, found := g.notices[id]
	if !found || about.grant != held {
		return nil, false
	}
	return about.credentials, true
}
