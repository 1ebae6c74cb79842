package phone

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"regain/conformance/wallet"
)

// task is one thing that the phone was asked to do, from the link that asked to its end.
type task struct {
	id       string
	offer    *wallet.Offer   // to add a credential
	request  *wallet.Request // to share
	older    *older          // who answers it, when it is of the profile of 2022
	back     string          // where the person came from, when that is known and the issuer's own
	checked  bool            // the Face Check was taken
	selfie   []byte
	outcome  outcome
	redirect string   // where the verifier wants the browser
	problem  *problem // shown above the task, or instead of it when the outcome is failed
}

type outcome string

const (
	pending  outcome = ""
	added    outcome = "added"
	shared   outcome = "shared"
	declined outcome = "declined"
	failed   outcome = "failed"
)

// arrivals turn links and codes into tasks.
type arrivals struct {
	screen *screen
	random io.Reader
}

func (a *arrivals) mount(mux *http.ServeMux, by *switchboard) {
	mux.HandleFunc("GET /offer", by.page(a.offer))
	mux.HandleFunc("GET /authorize", by.page(a.request))
	mux.HandleFunc("POST /scan", by.action(a.scan))
}

// offer takes an issuer's link (OpenID4VCI 1.0 §4.1).
func (a *arrivals) offer(v visit) { a.takeOffer(v, "?"+v.r.URL.RawQuery) }

// request takes a verifier's link (OpenID4VP 1.0 §5, or of the profile of 2022).
func (a *arrivals) request(v visit) {
	t, err := review(v, a.screen.baseURL+"/authorize?"+v.r.URL.RawQuery, v.r.URL.Query(), wallet.SameDevice)
	a.takeRequest(v, t, err)
}

// scan takes what a code said, and finds out which of the two it is.
func (a *arrivals) scan(v visit) {
	code := strings.TrimSpace(v.r.PostFormValue("url"))
	u, err := url.Parse(code)
	if err != nil || code == "" {
		a.screen.fail(v, http.StatusBadRequest, notACode())
		return
	}
	query := u.Query()
	switch {
	case query.Has("credential_offer") || query.Has("credential_offer_uri"):
		a.takeOffer(v, code)
	case query.Has("client_id") || query.Has("request_uri"):
		t, err := review(v, code, query, wallet.CrossDevice)
		a.takeRequest(v, t, err)
	default:
		a.screen.fail(v, http.StatusBadRequest, notACode())
	}
}

func (a *arrivals) takeOffer(v visit, link string) {
	offer, err := v.h.wallet.ReadOffer(v.r.Context(), link)
	if err != nil {
		a.screen.failWith(v, err, "the issuer")
		return
	}
	a.begin(v, &task{offer: offer, back: wayBack(v.r, offer.Issuer)})
}

func (a *arrivals) takeRequest(v visit, t *task, err error) {
	if err != nil {
		a.report(v, err)
		return
	}
	a.begin(v, t)
}

// report tells the site what is wrong with its request, where it may be told, and goes where the
// site wants the browser (OpenID4VP 1.0 §8.2). Otherwise the person is told, here.
func (a *arrivals) report(v visit, err error) {
	redirect, told := v.h.wallet.Report(v.r.Context(), err)
	if told == nil && redirect != "" {
		a.screen.log(v, err)
		v.seeOther(redirect)
		return
	}
	a.screen.failWith(v, err, "the site")
}

func (a *arrivals) begin(v visit, t *task) {
	id, err := text(a.random)
	if err != nil {
		a.screen.failWith(v, err, "this phone")
		return
	}
	t.id = id
	v.h.start(t)
	v.seeOther("/tasks/" + id)
}

// wayBack returns the page that the person came from, if the issuer itself is who sent them: a
// link to anywhere else would lend the wallet's word to a stranger.
func wayBack(r *http.Request, issuer string) string {
	from, err := url.Parse(r.Referer())
	if err != nil {
		return ""
	}
	home, err := url.Parse(issuer)
	if err != nil || from.Scheme != home.Scheme || from.Host != home.Host {
		return ""
	}
	return from.String()
}
