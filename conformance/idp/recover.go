package idp

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"regain/conformance/idp/recovery"
)

// attemptCookie names the attempt of this browser. SameSite is Lax: the way back from Regain crosses sites.
const attemptCookie = "__Host-idp-attempt"

// recoveries are a client's side of the recovery of an account at Regain.
type recoveries struct {
	regain   *recovery.Client
	attempts *cache[recovery.Request] // by digest of the cookie
	sessions sessions
	pages    *pages
	random   *dice
	clock    func() time.Time
}

func (c *recoveries) mount(on routes) {
	on.page("POST /recover", c.serveRecover)
	on.page("GET /callback", c.serveCallback)
	on.page("GET /recovered", c.serveRecovered)
}

// serveRecover pushes the request and sends the browser to Regain. It does not look whether the account exists.
func (c *recoveries) serveRecover(w http.ResponseWriter, r *http.Request) error {
	account, err := accountName(r.PostFormValue("account"))
	if err != nil {
		return err
	}
	id, err := c.random.token()
	if err != nil {
		return err
	}
	a, target, err := c.regain.Begin(r.Context(), account)
	if err != nil {
		return recoveryError(err)
	}
	if old, err := r.Cookie(attemptCookie); err == nil {
		c.attempts.take(digest(old.Value)) // one recovery at a time: two tabs are one person who started again
	}
	if !c.attempts.put(digest(id), a, c.clock().Add(attemptLives)) {
		return errFull
	}
	setCookie(w, attemptCookie, id, attemptLives)
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// serveCallback takes the answer of Regain (RFC 6749 §4.1.2, RFC 9207).
func (c *recoveries) serveCallback(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	a, found := c.takeAttempt(r, query.Get("state"))
	clearCookie(w, attemptCookie)
	if !found {
		return recoveryError(fmt.Errorf("%w: this browser has no open recovery", recovery.ErrAnswer))
	}
	code, err := c.regain.ReadAnswer(query, a)
	if err != nil {
		return recoveryError(err)
	}
	proof, err := c.regain.Redeem(r.Context(), code, a)
	if err != nil {
		return recoveryError(err)
	}
	note(r, "txn", proof.Transaction)
	if err := c.sessions.start(w, r, session{right: rightSeePass, account: proof.Account, proof: proof}, passLives); err != nil {
		return err
	}
	// A page of its own: the code leaves the address bar, and a reload does not lose the only copy of the pass.
	http.Redirect(w, r, "/recovered", http.StatusSeeOther)
	return nil
}

// serveRecovered shows the pass to the browser that recovered the account, until it is used.
func (c *recoveries) serveRecovered(w http.ResponseWriter, r *http.Request) error {
	held, _, err := c.sessions.of(r, rightSeePass)
	if err != nil {
		return err
	}
	return c.pages.show(w, http.StatusOK, view{Page: "recovered", Account: held.account, Pass: held.proof.Pass, Expires: held.proof.Expires, Once: held.proof.UsableOnce})
}

// takeAttempt uses up the attempt of this browser, and that of any other browser with the same state: an answer that
// was carried elsewhere has been seen by the one who carried it.
func (c *recoveries) takeAttempt(r *http.Request, state string) (recovery.Request, bool) {
	var a recovery.Request
	var found bool
	if cookie, err := r.Cookie(attemptCookie); err == nil {
		a, found = c.attempts.take(digest(cookie.Value))
	}
	if state != "" {
		c.attempts.drop(func(other recovery.Request) bool { return other.State.Is(state) })
	}
	return a, found
}

// recoveryFailure is a recovery that ended without a pass.
type recoveryFailure struct {
	code  string // for the page: Regain's error code, or invalid_response
	cause error
}

func (f *recoveryFailure) Error() string { return f.cause.Error() }
func (f *recoveryFailure) Unwrap() error { return f.cause }

// recoveryError says which page a failed step of a recovery leads to.
func recoveryError(err error) error {
	refused := new(recovery.Refusal)
	switch {
	case errors.Is(err, recovery.ErrAnswer), errors.Is(err, recovery.ErrToken):
		return &recoveryFailure{code: "invalid_response", cause: err}
	case errors.As(err, &refused):
		return &recoveryFailure{code: refused.Code, cause: err}
	}
	return err
}
