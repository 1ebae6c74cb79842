package idp

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// attemptCookie names the attempt of this browser. SameSite is Lax: the way back from Regain crosses sites.
const attemptCookie = "__Host-idp-attempt"

// attempt is one recovery that a browser started: what was asked, for whom, and what must come back.
type attempt struct {
	state, nonce, verifier secret
	account                string
}

// serveRecover pushes the request and sends the browser to Regain. It does not look whether the account exists.
func (s *Server) serveRecover(w http.ResponseWriter, r *http.Request) error {
	account, err := accountName(r.PostFormValue("account"))
	if err != nil {
		return err
	}
	var drawn [4]string
	for i := range drawn {
		if drawn[i], err = s.random.token(); err != nil {
			return err
		}
	}
	id, a := drawn[0], attempt{state: newSecret(drawn[1]), nonce: newSecret(drawn[2]), verifier: newSecret(drawn[3]), account: account}
	target, err := s.regain.push(r.Context(), s.RedirectURI(), a)
	if err != nil {
		return recoveryError(err)
	}
	if old, err := r.Cookie(attemptCookie); err == nil {
		s.attempts.take(digest(old.Value)) // one recovery at a time: two tabs are one person who started again
	}
	if !s.attempts.put(digest(id), a, s.cfg.Clock().Add(attemptLives)) {
		return errFull
	}
	setCookie(w, attemptCookie, id, attemptLives)
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// serveCallback takes the answer of Regain (RFC 6749 §4.1.2, RFC 9207).
func (s *Server) serveCallback(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	a, found := s.takeAttempt(r, query.Get("state"))
	clearCookie(w, attemptCookie)
	code, err := s.readAnswer(query, a, found)
	if err != nil {
		return recoveryError(err)
	}
	answer, err := s.regain.redeem(r.Context(), code, s.RedirectURI(), a.verifier)
	if err != nil {
		return recoveryError(err)
	}
	proof, err := s.check(r.Context(), a, answer)
	if err != nil {
		return recoveryError(err)
	}
	note(r, "txn", proof.transaction)
	if err := s.startSession(w, r, session{right: rightSeePass, account: proof.account, proof: proof}, passLives); err != nil {
		return err
	}
	// A page of its own: the code leaves the address bar, and a reload does not lose the only copy of the pass.
	http.Redirect(w, r, "/recovered", http.StatusSeeOther)
	return nil
}

// serveRecovered shows the pass to the browser that recovered the account, until it is used.
func (s *Server) serveRecovered(w http.ResponseWriter, r *http.Request) error {
	v, _, err := s.session(r, rightSeePass)
	if err != nil {
		return err
	}
	return s.show(w, http.StatusOK, view{Page: "recovered", Account: v.account, Pass: v.proof.pass, Expires: v.proof.expires, Once: v.proof.usableOnce})
}

// takeAttempt uses up the attempt of this browser, and that of any other browser with the same state: an answer that
// was carried elsewhere has been seen by the one who carried it.
func (s *Server) takeAttempt(r *http.Request, state string) (attempt, bool) {
	var a attempt
	var found bool
	if cookie, err := r.Cookie(attemptCookie); err == nil {
		a, found = s.attempts.take(digest(cookie.Value))
	}
	if state != "" {
		s.attempts.drop(func(other attempt) bool { return same(state, other.state.Reveal()) })
	}
	return a, found
}

// readAnswer returns the code of an answer that belongs to this browser and comes from Regain.
func (s *Server) readAnswer(query url.Values, a attempt, found bool) (secret, error) {
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
	case query.Get("iss") != s.cfg.RegainIssuer:
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
