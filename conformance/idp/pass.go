package idp

import (
	"errors"
	"fmt"
	"net/http"

	"regain/conformance/idp/recovery"
)

// errPass is every kind of no: wrong, used, expired, for another account, no such account, too many tries.
var errPass = errors.New("pass refused")

// passes signs people in with temporary access passes.
type passes struct {
	regain   *recovery.Client
	members  *members
	sessions sessions
	guesses  *guesses
	pages    *pages
}

func (p *passes) mount(on routes) {
	on.page("GET /pass", p.serveForm)
	on.page("POST /pass", p.serve)
}

// serveForm shows the form for a pass that somebody holds already.
func (p *passes) serveForm(w http.ResponseWriter, r *http.Request) error {
	account, _ := accountName(r.URL.Query().Get("account")) // a prefilled field, no more
	return p.pages.show(w, http.StatusOK, view{Page: "pass", Account: account})
}

// serve has Regain verify a pass. The session that it opens has one right: to create a passkey.
func (p *passes) serve(w http.ResponseWriter, r *http.Request) error {
	account, err := accountName(r.PostFormValue("account"))
	pass := recovery.NewSecret(r.PostFormValue("pass"))
	if err != nil || pass.Reveal() == "" || len(pass.Reveal()) > 256 {
		return fmt.Errorf("%w: not a form of ours", errPass)
	}
	exists := p.members.exists(account)
	if !p.guesses.begin(account, exists) {
		return fmt.Errorf("%w: too many wrong passes", errPass)
	}
	answer, err := p.regain.VerifyPass(r.Context(), account, pass)
	if err != nil {
		if refused := new(recovery.Refusal); errors.As(err, &refused) {
			return fmt.Errorf("%w: %w", errPass, err) // Regain does not take this client or this form
		}
		p.guesses.forgive(account, exists) // the pass was not looked at
		return err
	}
	if !answer.Active || !exists {
		return fmt.Errorf("%w: not active for this account", errPass)
	}
	p.guesses.forgive(account, exists)
	note(r, "txn", answer.Transaction)
	if err := p.sessions.start(w, r, session{right: rightCreatePasskey, account: account}, passLives); err != nil {
		return err
	}
	http.Redirect(w, r, "/passkey/new", http.StatusSeeOther)
	return nil
}
