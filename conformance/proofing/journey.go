package proofing

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
	"time"

	"regain/conformance/people"
)

// stage is where a journey stands.
type stage string

// The stages. Taken, done and lapsed follow from what the wallet does with the offer.
const (
	stageWelcome  stage = "welcome"  // who verifies, and on what terms
	stageDocument stage = "document" // choose a document
	stageCheck    stage = "check"    // the document was read
	stageFace     stage = "face"     // take a selfie
	stageOffer    stage = "offer"    // the Verified ID waits for the wallet
	stageTaken    stage = "taken"    // the wallet came for it
	stageDone     stage = "done"     // the wallet has it
	stageLapsed   stage = "lapsed"   // nobody came for it in time, or with too many wrong codes
	stageFailed   stage = "failed"   // the face did not match, too often
)

// maxSelfies is how often somebody may try before the journey fails.
const maxSelfies = 5

// journey is one person's way through the pages. Its fields are guarded by Server.mu.
type journey struct {
	csrf    string
	from    *handoff // nil if nobody sent them
	stage   stage
	expires time.Time

	file    dossier
	selfie  []byte // the last one, while it may be looked at
	selfies int
	score   float64
	offer   *offer
}

// now is the stage with what the wallet did.
func (j *journey) now(at time.Time) stage {
	switch {
	case j.stage != stageOffer:
		return j.stage
	case len(j.offer.issued) > 0:
		return stageDone
	case j.offer.redeemed:
		if at.After(j.offer.expires.Add(shortLife)) {
			return stageLapsed
		}
		return stageTaken
	case at.After(j.offer.expires), j.offer.misses >= maxMisses:
		return stageLapsed
	}
	return stageOffer
}

// open starts a journey and gives the browser its cookie.
func (s *Server) open(w http.ResponseWriter, from *handoff) error {
	cookie, err := s.token(32)
	if err != nil {
		return err
	}
	csrf, err := s.token(16)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Clock()
	s.sweep(now)
	if len(s.journeys) >= s.limits.open || len(s.seenTokens) >= s.limits.open {
		return fmt.Errorf("starting a journey: %w", ErrFull)
	}
	if from != nil {
		if _, again := s.seenTokens[from.ID]; again {
			return fmt.Errorf("%w: used before", ErrHandoff)
		}
		s.seenTokens[from.ID] = time.Unix(from.Expires, 0).Add(time.Minute)
	}
	s.journeys[digest(cookie)] = &journey{csrf: csrf, from: from, stage: stageWelcome, expires: now.Add(journeyLife)}
	http.SetCookie(w, s.cookie(cookie))
	return nil
}

// cookie binds the journey to the browser. The __Host- prefix needs https (RFC 6265bis §4.1.3.2).
func (s *Server) cookie(value string) *http.Cookie {
	secure := strings.HasPrefix(s.config.BaseURL, "https:")
	return &http.Cookie{
		Name: s.cookieName(), Value: value, Path: "/", HttpOnly: true, Secure: secure,
		SameSite: http.SameSiteLaxMode, MaxAge: int(journeyLife.Seconds()),
	}
}

func (s *Server) cookieName() string {
	if strings.HasPrefix(s.config.BaseURL, "https:") {
		return "__Host-proofing"
	}
	return "proofing"
}

// travel finds the browser's journey and calls do with it under the lock. It reports false if there is none.
func (s *Server) travel(r *http.Request, do func(*journey)) bool {
	cookie, err := r.Cookie(s.cookieName())
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j, found := s.journeys[digest(cookie.Value)]
	if !found || s.config.Clock().After(j.expires) {
		return false
	}
	do(j)
	return true
}

// advance takes one step of a form and says where the browser goes next.
func (s *Server) advance(r *http.Request, step string) (string, error) {
	next, genuine := "", false
	found := s.travel(r, func(j *journey) {
		genuine = subtle.ConstantTimeCompare([]byte(j.csrf), []byte(r.PostForm.Get("csrf"))) == 1
		if genuine {
			next = j.step(step, s.config.Clock())
		}
	})
	switch {
	case !found:
		return "", errNoJourney
	case !genuine:
		return "", errForm
	case step == "document":
		return next, s.readDocument(r)
	case step == "face":
		return next, s.takeSelfie(r)
	case step == "renew":
		return next, s.renew(r)
	}
	return next, nil
}

// step makes the changes that need nothing but the journey. One that does not fit the stage changes nothing: the
// browser went back, or sent the form twice, and is shown where it stands.
func (j *journey) step(step string, now time.Time) (next string) {
	at := j.now(now)
	switch {
	case step == "agree" && at == stageWelcome:
		j.stage = stageDocument
	case step == "again" && at == stageCheck:
		j.stage = stageDocument
	case step == "confirm" && at == stageCheck:
		j.stage = stageFace
	case step == "cancel" && at != stageDone && at != stageFailed:
		j.expires = time.Time{}
		return j.leave("cancelled")
	case step == "return" && at == stageDone:
		j.selfie = nil
		return j.leave("completed")
	case step == "return" && at == stageFailed:
		j.selfie = nil
		return j.leave("failed")
	}
	return "/journey"
}

// leave is where a person goes who is through here.
func (j *journey) leave(status string) string {
	if j.from == nil {
		return "/"
	}
	return j.from.returnURL(status)
}

// readDocument reads the document of the sample person that the form names.
func (s *Server) readDocument(r *http.Request) error {
	person, found := people.Find(r.PostForm.Get("person"))
	if !found {
		return errForm
	}
	file, err := s.newDossier(person)
	if err != nil {
		return err
	}
	s.travel(r, func(j *journey) {
		if j.stage == stageDocument || j.stage == stageCheck {
			j.file, j.stage, j.selfie = file, stageCheck, nil
		}
	})
	return nil
}
