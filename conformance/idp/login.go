package idp

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

const ceremonyCookie = "__Host-idp-ceremony"

// ceremony is a sign-in that was begun: the challenge, and whom the person says to be, if they do.
type ceremony struct {
	data    webauthn.SessionData
	account string
}

// serveLoginBegin asks for any passkey of this site. Which ones an account has is not said.
func (p *passkeys) serveLoginBegin(w http.ResponseWriter, r *http.Request) error {
	body, err := readJSON(r)
	if err != nil {
		return err
	}
	var asked struct {
		Account string `json:"account"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		return errJSON
	}
	if asked.Account != "" {
		if asked.Account, err = accountName(asked.Account); err != nil {
			return errJSON
		}
	}
	options, data, err := p.rp.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return fmt.Errorf("begin sign-in: %w", err)
	}
	id, err := p.random.token()
	if err != nil {
		return err
	}
	if !p.ceremonies.put(digest(id), ceremony{*data, asked.Account}, p.clock().Add(ceremonyLives)) {
		return errFull
	}
	setCookie(w, ceremonyCookie, id, ceremonyLives)
	return writeJSON(w, http.StatusOK, options)
}

// serveLoginFinish signs the owner of a passkey in.
func (p *passkeys) serveLoginFinish(w http.ResponseWriter, r *http.Request) error {
	body, err := readJSON(r)
	if err != nil {
		return err
	}
	cookie, err := r.Cookie(ceremonyCookie)
	if err != nil {
		return fmt.Errorf("%w: no sign-in was begun", errPasskey)
	}
	begun, found := p.ceremonies.take(digest(cookie.Value))
	clearCookie(w, ceremonyCookie)
	if !found {
		return fmt.Errorf("%w: the sign-in was finished before or took too long", errPasskey)
	}
	account, err := p.verifyLogin(begun, body)
	if err != nil {
		return err
	}
	if err := p.sessions.start(w, r, session{right: rightHome, account: account}, homeLives); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, next{"/home"})
}

// verifyLogin returns the account whose passkey signed the challenge.
func (p *passkeys) verifyLogin(begun ceremony, body []byte) (string, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(body)
	if err != nil {
		return "", fmt.Errorf("%w: parse: %w", errPasskey, err)
	}
	return p.members.signIn(func(find webauthn.DiscoverableUserHandler) (*webauthn.Credential, error) {
		_, credential, err := p.rp.ValidatePasskeyLogin(find, begun.data, parsed)
		return credential, err
	}, begun.account)
}
