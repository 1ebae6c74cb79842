package pages

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"regain/conformance/proofing/handoff"
	"regain/conformance/proofing/random"
	"regain/conformance/proofing/web"
)

// journeyLife is how long a person may take.
const journeyLife = 30 * time.Minute

// journeys are the journeys of all browsers, and the hand-offs that began them.
type journeys struct {
	capacity int
	secure   bool // the pages are reached over https
	random   *random.Source
	clock    func() time.Time

	mu   sync.Mutex
	open map[string]*journey  // by digest of the cookie
	seen map[string]time.Time // hand-off jti → forget at
}

// start starts a journey and gives the browser its cookie.
func (s *journeys) start(w http.ResponseWriter, from *handoff.Handoff) error {
	cookie, err := s.random.Token(32)
	if err != nil {
		return err
	}
	csrf, err := s.random.Token(16)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	s.sweep(now)
	if len(s.open) >= s.capacity || len(s.seen) >= s.capacity {
		return fmt.Errorf("starting a journey: %w", web.ErrFull)
	}
	if from != nil {
		if _, again := s.seen[from.ID]; again {
			return fmt.Errorf("%w: used before", handoff.Err)
		}
		s.seen[from.ID] = time.Unix(from.Expires, 0).Add(time.Minute)
	}
	s.open[random.Digest(cookie)] = &journey{csrf: csrf, from: from, stage: stageWelcome, expires: now.Add(journeyLife)}
	http.SetCookie(w, s.cookie(cookie))
	return nil
}

// sweep forgets what has expired. The caller holds the lock.
func (s *journeys) sweep(now time.Time) {
	for id, j := range s.open {
		if now.After(j.expires) {
			delete(s.open, id)
		}
	}
	for id, forget := range s.seen {
		if now.After(forget) {
			delete(s.seen, id)
		}
	}
}

// travel finds the browser's journey and calls do with it under the lock. It reports false if there is none.
func (s *journeys) travel(r *http.Request, do func(*journey)) bool {
	cookie, err := r.Cookie(s.cookieName())
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j, found := s.open[random.Digest(cookie.Value)]
	if !found || s.clock().After(j.expires) {
		return false
	}
	do(j)
	return true
}

// cookie binds the journey to the browser. The __Host- prefix needs https (RFC 6265bis §4.1.3.2).
func (s *journeys) cookie(value string) *http.Cookie {
	return &http.Cookie{
		Name: s.cookieName(), Value: value, Path: "/", HttpOnly: true, Secure: s.secure,
		SameSite: http.SameSiteLaxMode, MaxAge: int(journeyLife.Seconds()),
	}
}

func (s *journeys) cookieName() string {
	if s.secure {
		return "__Host-proofing"
	}
	return "proofing"
}
