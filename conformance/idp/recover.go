package idp

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// attemptCookie names the attempt of this browser. SameSite is Lax: the way back from Regain crosses sites.
const attemptCookie = "__Host-idp-attempt"

// attempt is one recovery that a browser started: what was asked, for whom, and what must come back.
type attempt struct {
	state, nonce, verifier secret
	account                string
}

// recoveries are a client's side of the recovery of an account at Regain.
type recoveries struct {
	regain      *regain
	redirectURI string
	tokens      *tokenCheck
	attempts    *cache[attempt]
	sessions    sessions
	pages       *pages
	random      *dice
	clock       func() time.Time
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
	var drawn [4]string
	for i := range drawn {
		if drawn[i], err = c.random.token(); err != nil {
			return err
		}
	}
	id, a := drawn[0], attempt{state: newSecret(drawn[1]), nonce: newSecret(drawn[2]), verifier: newSecret(drawn[3]), account: account}
	target, err := c.regain.push(r.Context(), c.redirectURI, a)
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
	code, err := c.readAnswer(query, a, found)
	if err != nil {
		return recoveryError(err)
	}
	answer, err := c.regain.redeem(r.Context(), code, c.redirectURI, a.verifier)
	if err != nil {
		return recoveryError(err)
	}
	proof, err := c.tokens.check(r.Context(), a, answer)
	if err != nil {
		return recoveryError(err)
	}
	note(r, "txn", proof.transaction)
	if err := c.sessions.start(w, r, session{right: rightSeePass, account: proof.account, proof: proof}, passLives); err != nil {
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
	return c.pages.show(w, http.StatusOK, view{Page: "recovered", Account: held.account, Pass: held.proof.pass, Expires: held.proof.expires, Once: held.proof.usableOnce})
}

// takeAttempt uses up the attempt of this browser, and that of any other browser with the same state: an answer that
// was carried elsewhere has been seen by the one who carried it.
func (c *recoveries) takeAttempt(r *http.Request, state string) (attempt, bool) {
	var a attempt
	var found bool
	if cookie, err := r.Cookie(attemptCookie); err == nil {
		a, found = c.attempts.take(digest(cookie.Value))
	}
	if state != "" {
		c.attempts.drop(func(other attempt) bool { return same(state, other.state.Reveal()) })
	}
	return a, found
}

// readAnswer returns the code of an answer that belongs to this browser and comes from Regain.
func (c *recoveries) readAnswer(query url.Values, a attempt, found bool) (secret, error) {
	for _, name := range []string{"state", "iss", "code", "error"} {
		if len(query[name]) > 1 {
			return secret{}, fmt.Errorf("%w: %s is repeated", errAnswer, name)
		}
	}
	code, problem := query.Get("code"), query.Get("error")
	switch {
	case !found:
		return secret{}, fmt.Errorf("%w: this browser has no open recovery", errAnswer)
	case !same(query.Get("state"), a.state.Reveal()):
		return secret{}, fmt.Errorf("%w: state is not the one that was sent", errAnswer)
	case query.Get("iss") != c.regain.issuer:
		return secret{}, fmt.Errorf("%w: iss is another issuer", errAnswer)
	case problem != "" && code != "":
		return secret{}, fmt.Errorf("%w: both a code and an error", errAnswer)
	case problem != "":
		return secret{}, &oauthError{status: http.StatusSeeOther, code: errorCode(problem)}
	case code == "":
		return secret{}, fmt.Errorf("%w: neither a code nor an error", errAnswer)
	}
	return newSecret(code), nil
}

// errAnswer reports an answer at the callback that is not the one to this browser's request.
var errAnswer = errors.New("authorization response refused")

// recoveryFailure is a recovery that ended without a pass.
type recoveryFailure struct {
	code  string // for the page: Regain's error code, or invalid_response
	cause error
}

func (f *recoveryFailure) Error() string { return f.cause.Error() }
func (f *recoveryFailure) Unwrap() error { return f.cause }

// recoveryError says which page a failed step of a recovery leads to.
func recoveryError(err error) error {
	refused := new(oauthError)
	switch {
	case errors.Is(err, errAnswer), errors.Is(err, errToken):
		return &recoveryFailure{code: "invalid_response", cause: err}
	case errors.As(err, &refused):
		return &recoveryFailure{code: refused.code, cause: err}
	}
	return err
}
