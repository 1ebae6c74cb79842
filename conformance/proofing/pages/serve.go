package pages

import (
	"errors"
	"net/http"
	"net/url"

	"regain/conformance/proofing/handoff"
	"regain/conformance/proofing/web"
)

var (
	errForm      = errors.New("the form is not one of ours")
	errNoJourney = errors.New("no journey in this browser")
)

// serveHome offers a Verified ID to a person who comes by themselves.
func (p *Pages) serveHome(w http.ResponseWriter, r *http.Request) {
	p.render(w, r, http.StatusOK, view{Stage: "home"})
}

// serveStart takes a hand-off. The token leaves the address bar at once.
func (p *Pages) serveStart(w http.ResponseWriter, r *http.Request) {
	given, err := p.handoffs.Read(r.Context(), r.URL.Query().Get("token"))
	if err == nil {
		mine := false
		p.journeys.travel(r, func(j *journey) { mine = j.from != nil && j.from.ID == given.ID })
		if mine { // the same browser opened the link again
			http.Redirect(w, r, "/journey", http.StatusSeeOther)
			return
		}
		err = p.journeys.start(w, &given)
	}
	if err != nil {
		p.problem(w, r, err)
		return
	}
	http.Redirect(w, r, "/journey", http.StatusSeeOther)
}

// serveBegin starts a journey without a hand-off.
func (p *Pages) serveBegin(w http.ResponseWriter, r *http.Request) {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		p.problem(w, r, errForm)
		return
	}
	if err := p.journeys.start(w, nil); err != nil {
		p.problem(w, r, err)
		return
	}
	http.Redirect(w, r, "/journey", http.StatusSeeOther)
}

// serveStep takes a form of the journey and shows what comes next.
func (p *Pages) serveStep(w http.ResponseWriter, r *http.Request) {
	err := http.NewCrossOriginProtection().Check(r)
	if err == nil {
		err = r.ParseForm()
	}
	if err != nil {
		p.problem(w, r, errForm)
		return
	}
	next, err := p.advance(r, r.PathValue("step"))
	if err != nil {
		p.problem(w, r, err)
		return
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// serveJourney shows the page of the stage that the journey has reached: the one place that decides.
func (p *Pages) serveJourney(w http.ResponseWriter, r *http.Request) {
	var v view
	if !p.journeys.travel(r, func(j *journey) { v = p.viewOf(j) }) {
		p.problem(w, r, errNoJourney)
		return
	}
	p.render(w, r, http.StatusOK, v)
}

// serveState tells the page's script where the journey stands.
func (p *Pages) serveState(w http.ResponseWriter, r *http.Request) {
	var at stage
	if !p.journeys.travel(r, func(j *journey) { at = j.now(p.clock()) }) {
		web.WriteJSON(w, http.StatusNotFound, map[string]string{"error": "no_journey"})
		return
	}
	web.WriteJSON(w, http.StatusOK, map[string]stage{"stage": at})
}

// problem is the page for what went wrong. It says what to do, and nothing that a forger could learn from.
func (p *Pages) problem(w http.ResponseWriter, r *http.Request, err error) {
	status, v := http.StatusInternalServerError, view{Stage: "problem", Problem: "fault"}
	switch {
	case errors.Is(err, handoff.Err):
		status, v.Problem = http.StatusBadRequest, "handoff"
	case errors.Is(err, errForm):
		status, v.Problem = http.StatusForbidden, "form"
	case errors.Is(err, errNoJourney):
		status, v.Problem = http.StatusNotFound, "journey"
	case errors.Is(err, web.ErrFull):
		status, v.Problem = http.StatusServiceUnavailable, "full"
	case isFetch(err):
		status, v.Problem = http.StatusBadGateway, "fetch"
	}
	p.errors.Logger.WarnContext(r.Context(), "page refused", "path", r.URL.Path, "problem", v.Problem, "error", err)
	p.render(w, r, status, v)
}

// isFetch reports whether the other side's server could not be reached.
func isFetch(err error) bool {
	unreachable := new(url.Error)
	return errors.As(err, &unreachable)
}
