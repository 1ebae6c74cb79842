package proofing

import (
	"errors"
	"net/http"
	"net/url"

	"regain/conformance/people"
)

var (
	errForm      = errors.New("the form is not one of ours")
	errNoJourney = errors.New("no journey in this browser")
)

// serveHome offers a Verified ID to somebody whom nobody sent.
func (s *Server) serveHome(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, http.StatusOK, view{Stage: "home"})
}

// serveStart takes a hand-off. The token leaves the address bar at once.
func (s *Server) serveStart(w http.ResponseWriter, r *http.Request) {
	given, err := s.readHandoff(r.Context(), r.URL.Query().Get("token"))
	if err == nil {
		mine := false
		s.travel(r, func(j *journey) { mine = j.from != nil && j.from.ID == given.ID })
		if mine { // the same browser opened the link again
			http.Redirect(w, r, "/journey", http.StatusSeeOther)
			return
		}
		err = s.open(w, &given)
	}
	if err != nil {
		s.problem(w, r, err)
		return
	}
	http.Redirect(w, r, "/journey", http.StatusSeeOther)
}

// serveBegin starts a journey without a hand-off.
func (s *Server) serveBegin(w http.ResponseWriter, r *http.Request) {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		s.problem(w, r, errForm)
		return
	}
	if err := s.open(w, nil); err != nil {
		s.problem(w, r, err)
		return
	}
	http.Redirect(w, r, "/journey", http.StatusSeeOther)
}

// serveStep takes a form of the journey and shows what comes next.
func (s *Server) serveStep(w http.ResponseWriter, r *http.Request) {
	err := http.NewCrossOriginProtection().Check(r)
	if err == nil {
		err = r.ParseForm()
	}
	if err != nil {
		s.problem(w, r, errForm)
		return
	}
	next, err := s.advance(r, r.PathValue("step"))
	if err != nil {
		s.problem(w, r, err)
		return
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// serveJourney shows the page of the stage that the journey has reached: the one place that decides.
func (s *Server) serveJourney(w http.ResponseWriter, r *http.Request) {
	var v view
	if !s.travel(r, func(j *journey) { v = s.viewOf(j) }) {
		s.problem(w, r, errNoJourney)
		return
	}
	s.render(w, r, http.StatusOK, v)
}

// serveState tells the page's script where the journey stands.
func (s *Server) serveState(w http.ResponseWriter, r *http.Request) {
	var at stage
	if !s.travel(r, func(j *journey) { at = j.now(s.config.Clock()) }) {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "no_journey"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]stage{"stage": at})
}

// serveSelfie shows people the picture that was taken of them, in their own browser only.
func (s *Server) serveSelfie(w http.ResponseWriter, r *http.Request) {
	var picture []byte
	if !s.travel(r, func(j *journey) { picture = j.selfie }) || picture == nil {
		http.NotFound(w, r)
		return
	}
	writeImage(w, "image/jpeg", picture)
}

// servePortrait shows the photo of a sample document. Nobody real is on it.
func (s *Server) servePortrait(w http.ResponseWriter, r *http.Request) {
	person, found := people.Find(r.PathValue("id"))
	if !found {
		http.NotFound(w, r)
		return
	}
	portrait, err := s.config.Studio.Portrait(person)
	if err != nil {
		s.fault(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "max-age=3600")
	writeImage(w, "image/jpeg", portrait)
}

func writeImage(w http.ResponseWriter, mediaType string, data []byte) {
	w.Header().Set("Content-Type", mediaType)
	_, _ = w.Write(data)
}

// problem is the page for what went wrong. It says what to do, and nothing that a forger could learn from.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, err error) {
	status, v := http.StatusInternalServerError, view{Stage: "problem", Problem: "fault"}
	switch {
	case errors.Is(err, ErrHandoff):
		status, v.Problem = http.StatusBadRequest, "handoff"
	case errors.Is(err, errForm):
		status, v.Problem = http.StatusForbidden, "form"
	case errors.Is(err, errNoJourney):
		status, v.Problem = http.StatusNotFound, "journey"
	case errors.Is(err, ErrFull):
		status, v.Problem = http.StatusServiceUnavailable, "full"
	case isFetch(err):
		status, v.Problem = http.StatusBadGateway, "fetch"
	}
	s.config.Logger.WarnContext(r.Context(), "page refused", "path", r.URL.Path, "problem", v.Problem, "error", err)
	s.render(w, r, status, v)
}

// isFetch reports whether the other side's server could not be reached.
func isFetch(err error) bool {
	unreachable := new(url.Error)
	return errors.As(err, &unreachable)
}
