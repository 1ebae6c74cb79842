package phone

import (
	"net/http"
	"strings"
)

// find returns the task of the address, or says that it is gone.
func (s *Server) find(v visit) *task {
	t := v.h.task(v.r.PathValue("task"))
	if t == nil {
		s.fail(v, http.StatusNotFound, problem{
			"This page is gone", "The phone no longer knows what it was about.",
			"Go back to where you started and open the link again. If that does not help, allow cookies for this site.",
		})
	}
	return t
}

// open returns a task of the wanted kind that is still to be done. A task that is done is shown
// again, never done twice: the way back in the browser leads here.
func (s *Server) open(v visit, wanted func(*task) bool) *task {
	t := s.find(v)
	if t == nil {
		return nil
	}
	if t.outcome != pending || !wanted(t) {
		v.seeOther("/tasks/" + t.id)
		return nil
	}
	t.problem = nil
	return t
}

func isOffer(t *task) bool   { return t.offer != nil }
func isRequest(t *task) bool { return t.request != nil }

func (s *Server) add(v visit) {
	t := s.open(v, isOffer)
	if t == nil {
		return
	}
	code := "" // a field that was not asked for is not sent on
	if t.offer.TxCode != nil {
		code = strings.TrimSpace(v.r.PostFormValue("code"))
	}
	if _, err := v.h.wallet.AddWithCode(v.r.Context(), t.offer, code); err != nil {
		s.end(v, t, err, t.offer.IssuerName)
		return
	}
	t.outcome = added
	v.seeOther("/tasks/" + t.id)
}

func (s *Server) faceCheck(v visit) {
	t := s.open(v, isRequest)
	if t == nil {
		return
	}
	id := t.request.FaceCheckFor()
	if id == "" || len(t.request.Missing) > 0 {
		v.seeOther("/tasks/" + t.id)
		return
	}
	if err := t.takeFaceCheck(v.r.Context(), v.h, id); err != nil {
		p := explain(err, "the Face Check service")
		t.problem = &p // the task stays open: another try is fine
		s.log(v, err)
	} else {
		t.checked, t.selfie = true, v.h.photo
	}
	v.seeOther("/tasks/" + t.id)
}

func (s *Server) share(v visit) {
	t := s.open(v, isRequest)
	if t == nil {
		return
	}
	redirect, err := t.share(v.r.Context(), v.h)
	if err != nil {
		s.end(v, t, err, t.request.Verifier)
		return
	}
	t.outcome, t.redirect = shared, redirect
	s.leave(v, t)
}

func (s *Server) decline(v visit) {
	t := s.find(v)
	if t == nil {
		return
	}
	if t.offer != nil || t.outcome != pending {
		if t.outcome == pending {
			t.outcome = declined // an issuer is not told: OpenID4VCI 1.0 §4.2 has no answer to an offer
		}
		v.seeOther("/tasks/" + t.id)
		return
	}
	redirect, err := t.decline(v.r.Context(), v.h)
	t.outcome, t.redirect = declined, redirect
	if err != nil {
		s.log(v, err) // nothing was shared, which is what the person wanted
	}
	s.leave(v, t)
}

// leave sends the browser where the verifier wants it (OpenID4VP 1.0 §8.2).
func (s *Server) leave(v visit, t *task) {
	if t.redirect == "" {
		v.seeOther("/tasks/" + t.id)
		return
	}
	v.seeOther(t.redirect)
}

func (s *Server) end(v visit, t *task, err error, other string) {
	s.log(v, err)
	p := explain(err, other)
	t.problem = &p
	if !p.again() {
		t.outcome = failed
	}
	v.seeOther("/tasks/" + t.id)
}

func (s *Server) choosePerson(v visit) {
	for _, p := range s.cfg.People {
		if p.ID == v.r.PostFormValue("person") {
			v.h.owner = &p
			if t := v.h.task(v.r.PostFormValue("task")); t != nil {
				t.problem = nil
				v.seeOther("/tasks/" + t.id)
				return
			}
			v.seeOther("/")
			return
		}
	}
	s.fail(v, http.StatusBadRequest, problem{"Nobody by that name", "This phone knows no such person.", "Go back and choose one of the people shown."})
}
