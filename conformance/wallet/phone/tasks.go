package phone

import (
	"net/http"
	"strings"
)

// tasks are the pages of what the phone was asked to do.
type tasks struct{ screen *screen }

func (a *tasks) mount(mux *http.ServeMux, by *switchboard) {
	mux.HandleFunc("GET /tasks/{task}", by.page(a.show))
	mux.HandleFunc("GET /tasks/{task}/selfie.jpg", by.page(a.selfie))
	mux.HandleFunc("POST /tasks/{task}/add", by.action(a.add))
	mux.HandleFunc("POST /tasks/{task}/face-check", by.action(a.faceCheck))
	mux.HandleFunc("POST /tasks/{task}/share", by.action(a.share))
	mux.HandleFunc("POST /tasks/{task}/decline", by.action(a.decline))
}

// find returns the task of the address, or says that it is gone.
func (a *tasks) find(v visit) *task {
	t := v.h.task(v.r.PathValue("task"))
	if t == nil {
		a.screen.fail(v, http.StatusNotFound, problem{
			"This page is gone", "The phone no longer knows what it was about.",
			"Go back to where you started and open the link again. If that does not help, allow cookies for this site.",
		})
	}
	return t
}

// open returns a task of the wanted kind that is still to be done. A task that is done is shown
// again, never done twice: the way back in the browser leads here.
func (a *tasks) open(v visit, wanted func(*task) bool) *task {
	t := a.find(v)
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

func (a *tasks) add(v visit) {
	t := a.open(v, isOffer)
	if t == nil {
		return
	}
	code := "" // a field that was not asked for is not sent on
	if t.offer.TxCode != nil {
		code = strings.TrimSpace(v.r.PostFormValue("code"))
	}
	if _, err := v.h.wallet.AddWithCode(v.r.Context(), t.offer, code); err != nil {
		a.end(v, t, err, t.offer.IssuerName)
		return
	}
	t.outcome = added
	v.seeOther("/tasks/" + t.id)
}

func (a *tasks) faceCheck(v visit) {
	t := a.open(v, isRequest)
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
		a.screen.log(v, err)
	} else {
		t.checked, t.selfie = true, v.h.photo
	}
	v.seeOther("/tasks/" + t.id)
}

func (a *tasks) share(v visit) {
	t := a.open(v, isRequest)
	if t == nil {
		return
	}
	redirect, err := t.share(v.r.Context(), v.h)
	if err != nil {
		a.end(v, t, err, t.request.Verifier)
		return
	}
	t.outcome, t.redirect = shared, redirect
	a.leave(v, t)
}

func (a *tasks) decline(v visit) {
	t := a.find(v)
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
		a.screen.log(v, err) // nothing was shared, which is what the person wanted
	}
	a.leave(v, t)
}

// leave sends the browser where the verifier wants it (OpenID4VP 1.0 §8.2).
func (a *tasks) leave(v visit, t *task) {
	if t.redirect == "" {
		v.seeOther("/tasks/" + t.id)
		return
	}
	v.seeOther(t.redirect)
}

func (a *tasks) end(v visit, t *task, err error, other string) {
	a.screen.log(v, err)
	p := explain(err, other)
	t.problem = &p
	if !p.again() {
		t.outcome = failed
	}
	v.seeOther("/tasks/" + t.id)
}

// show shows the task as it stands.
func (a *tasks) show(v visit) {
	t := a.find(v)
	if t == nil {
		return
	}
	shown := view{Task: t.view(), Problem: t.problem}
	name := "offer.html"
	shown.Title = "Add a Verified ID"
	if t.request != nil {
		name, shown.Title = "request.html", "Share with "+t.request.Verifier
		v.w.Header().Set("Content-Security-Policy", sharePolicy)
	}
	a.screen.render(v, http.StatusOK, name, shown)
}

func (a *tasks) selfie(v visit) {
	t := v.h.task(v.r.PathValue("task"))
	if t == nil || len(t.selfie) == 0 {
		http.NotFound(v.w, v.r)
		return
	}
	picture(v, t.selfie)
}
