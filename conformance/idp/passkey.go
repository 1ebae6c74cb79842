package idp

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

var errPasskey = errors.New("passkey refused")

// passkeys makes and verifies passkeys, for the scripts of the pages.
type passkeys struct {
	rp         *webauthn.WebAuthn
	members    *members
	sessions   sessions
	ceremonies *cache[ceremony]
	random     *dice
	clock      func() time.Time
}

func (p *passkeys) mount(on routes) {
	on.script("POST /passkey/register/begin", p.serveRegisterBegin)
	on.script("POST /passkey/register/finish", p.serveRegisterFinish)
	on.script("POST /passkey/login/begin", p.serveLoginBegin)
	on.script("POST /passkey/login/finish", p.serveLoginFinish)
}

// newRelyingParty is the IdP as authenticators know it: the host name, at this origin alone.
func newRelyingParty(name string, base *url.URL) (*webauthn.WebAuthn, error) {
	rp, err := webauthn.New(&webauthn.Config{
		RPID: base.Hostname(), RPDisplayName: name, RPOrigins: []string{base.Scheme + "://" + base.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("set up passkeys: %w", err)
	}
	return rp, nil
}

// serveRegisterBegin offers to make a passkey, to a person who signed in with a pass.
func (p *passkeys) serveRegisterBegin(w http.ResponseWriter, r *http.Request) error {
	v, key, err := p.sessions.of(r, rightCreatePasskey)
	if err != nil {
		return err
	}
	m := p.members.get(v.account)
	options, data, err := p.rp.BeginRegistration(m)
	if err != nil {
		return fmt.Errorf("begin registration: %w", err)
	}
	if !p.sessions.change(key, func(v *session) { v.pending = data }) {
		return errNoSession
	}
	return writeJSON(w, http.StatusOK, options)
}

// serveRegisterFinish takes the new passkey. It replaces the old ones, which are lost or somebody else's, and ends
// every session of the account, this one with them.
func (p *passkeys) serveRegisterFinish(w http.ResponseWriter, r *http.Request) error {
	v, key, err := p.sessions.of(r, rightCreatePasskey)
	if err != nil {
		return err
	}
	body, err := readJSON(r)
	if err != nil {
		return err
	}
	p.sessions.change(key, func(kept *session) { v.pending, kept.pending = kept.pending, nil }) // a challenge works once
	credential, err := p.verifyRegistration(v, body)
	if err != nil {
		return err
	}
	if _, found := p.sessions.take(key); !found {
		return errNoSession // another registration of this account was faster
	}
	p.members.replace(v.account, *credential)
	p.sessions.drop(func(other session) bool { return other.account == v.account })
	if err := p.sessions.start(w, r, session{right: rightSeeCreated, account: v.account}, passLives); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, next{"/passkey/created"})
}

func (p *passkeys) verifyRegistration(v session, body []byte) (*webauthn.Credential, error) {
	if v.pending == nil {
		return nil, fmt.Errorf("%w: no registration was begun", errPasskey)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(body)
	if err != nil {
		return nil, fmt.Errorf("%w: parse: %w", errPasskey, err)
	}
	m := p.members.get(v.account)
	credential, err := p.rp.CreateCredential(m, *v.pending, parsed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPasskey, err)
	}
	if p.members.ownedByOther(credential.ID, v.account) {
		return nil, fmt.Errorf("%w: the credential id is another account's", errPasskey)
	}
	return credential, nil
}
