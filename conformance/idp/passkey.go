package idp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

const (
	ceremonyCookie = "__Host-idp-ceremony"
	maxCredential  = 64 << 10 // bytes of JSON
)

var (
	errPasskey = errors.New("passkey refused")
	errJSON    = errors.New("not a JSON request of ours")
)

// member is an account as WebAuthn knows it.
type member struct {
	account     Account
	handle      []byte // random: it is stored in authenticators and must say nothing about the person
	credentials []webauthn.Credential
}

func (m member) WebAuthnID() []byte                         { return m.handle }
func (m member) WebAuthnName() string                       { return m.account.Name }
func (m member) WebAuthnDisplayName() string                { return m.account.DisplayName }
func (m member) WebAuthnCredentials() []webauthn.Credential { return m.credentials }

func newMembers(accounts []Account, random *dice) (map[string]*member, error) {
	members := make(map[string]*member, len(accounts))
	for _, a := range accounts {
		if name, err := accountName(a.Name); err != nil || name != a.Name || members[name] != nil {
			return nil, fmt.Errorf("idp: account %q is twice there, or not a name in small letters", a.Name)
		}
		handle := make([]byte, 32)
		if _, err := io.ReadFull(random, handle); err != nil {
			return nil, fmt.Errorf("draw user handle: %w", err)
		}
		members[a.Name] = &member{account: a, handle: handle}
	}
	return members, nil
}

// ceremony is a sign-in that was begun: the challenge, and whom the person says to be, if they do.
type ceremony struct {
	data    webauthn.SessionData
	account string
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

// member returns a copy, since the original changes under the lock; an empty one for an unknown account.
func (s *Server) member(account string) member {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, found := s.members[account]
	if !found {
		return member{}
	}
	held := *m
	held.credentials = slices.Clone(m.credentials)
	return held
}

// serveRegisterBegin offers to make a passkey, to a person who signed in with a pass.
func (s *Server) serveRegisterBegin(w http.ResponseWriter, r *http.Request) error {
	v, key, err := s.session(r, rightCreatePasskey)
	if err != nil {
		return err
	}
	m := s.member(v.account)
	options, data, err := s.passkeys.BeginRegistration(m)
	if err != nil {
		return fmt.Errorf("begin registration: %w", err)
	}
	if !s.sessions.change(key, func(v *session) { v.pending = data }) {
		return errNoSession
	}
	return writeJSON(w, http.StatusOK, options)
}

// serveRegisterFinish takes the new passkey. It replaces the old ones, which are lost or somebody else's, and ends
// every session of the account, this one with them.
func (s *Server) serveRegisterFinish(w http.ResponseWriter, r *http.Request) error {
	v, key, err := s.session(r, rightCreatePasskey)
	if err != nil {
		return err
	}
	body, err := readJSON(r)
	if err != nil {
		return err
	}
	s.sessions.change(key, func(kept *session) { v.pending, kept.pending = kept.pending, nil }) // a challenge works once
	credential, err := s.verifyRegistration(v, body)
	if err != nil {
		return err
	}
	if _, found := s.sessions.take(key); !found {
		return errNoSession // another registration of this account was faster
	}
	s.mu.Lock()
	s.members[v.account].credentials = []webauthn.Credential{*credential}
	s.mu.Unlock()
	s.sessions.drop(func(other session) bool { return other.account == v.account })
	if err := s.startSession(w, r, session{right: rightSeeCreated, account: v.account}, passLives); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, next{"/passkey/created"})
}

func (s *Server) verifyRegistration(v session, body []byte) (*webauthn.Credential, error) {
	if v.pending == nil {
		return nil, fmt.Errorf("%w: no registration was begun", errPasskey)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(body)
	if err != nil {
		return nil, fmt.Errorf("%w: parse: %w", errPasskey, err)
	}
	m := s.member(v.account)
	credential, err := s.passkeys.CreateCredential(m, *v.pending, parsed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPasskey, err)
	}
	if s.owner(credential.ID, v.account) {
		return nil, fmt.Errorf("%w: the credential id is another account's", errPasskey)
	}
	return credential, nil
}

// owner reports whether a credential id belongs to another account (WebAuthn §7.1 step 26).
func (s *Server) owner(id []byte, except string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, m := range s.members {
		for _, c := range m.credentials {
			if name != except && bytes.Equal(c.ID, id) {
				return true
			}
		}
	}
	return false
}

// serveLoginBegin asks for any passkey of this site. Which ones an account has is not said.
func (s *Server) serveLoginBegin(w http.ResponseWriter, r *http.Request) error {
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
	options, data, err := s.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return fmt.Errorf("begin sign-in: %w", err)
	}
	id, err := s.random.token()
	if err != nil {
		return err
	}
	if !s.ceremonies.put(digest(id), ceremony{*data, asked.Account}, s.cfg.Clock().Add(ceremonyLives)) {
		return errFull
	}
	setCookie(w, ceremonyCookie, id, ceremonyLives)
	return writeJSON(w, http.StatusOK, options)
}

// serveLoginFinish signs the owner of a passkey in.
func (s *Server) serveLoginFinish(w http.ResponseWriter, r *http.Request) error {
	body, err := readJSON(r)
	if err != nil {
		return err
	}
	cookie, err := r.Cookie(ceremonyCookie)
	if err != nil {
		return fmt.Errorf("%w: no sign-in was begun", errPasskey)
	}
	begun, found := s.ceremonies.take(digest(cookie.Value))
	clearCookie(w, ceremonyCookie)
	if !found {
		return fmt.Errorf("%w: the sign-in was finished before or took too long", errPasskey)
	}
	account, err := s.verifyLogin(begun, body)
	if err != nil {
		return err
	}
	if err := s.startSession(w, r, session{right: rightHome, account: account}, homeLives); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, next{"/home"})
}

// verifyLogin returns the account whose passkey signed the challenge.
func (s *Server) verifyLogin(begun ceremony, body []byte) (string, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(body)
	if err != nil {
		return "", fmt.Errorf("%w: parse: %w", errPasskey, err)
	}
	s.mu.Lock() // from the lookup to the counter: a copied authenticator must not win a race
	defer s.mu.Unlock()
	var owner *member
	_, credential, err := s.passkeys.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		for _, m := range s.members {
			if bytes.Equal(m.handle, handle) {
				owner = m
				return *m, nil
			}
		}
		return nil, errors.New("no account has this user handle")
	}, begun.data, parsed)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", errPasskey, err)
	case begun.account != "" && begun.account != owner.account.Name:
		return "", fmt.Errorf("%w: the passkey is another account's than the one named", errPasskey)
	case credential.Authenticator.CloneWarning:
		return "", fmt.Errorf("%w: the signature counter went back", errPasskey)
	}
	for i := range owner.credentials {
		if bytes.Equal(owner.credentials[i].ID, credential.ID) {
			owner.credentials[i] = *credential
		}
	}
	return owner.account.Name, nil
}

// next tells the script of the page where to go.
type next struct {
	Next string `json:"next"`
}

// readJSON reads the body of a script's request. Forms of other sites cannot send this content type.
func readJSON(r *http.Request) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, errJSON
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxCredential+1))
	if err != nil || len(body) > maxCredential {
		return nil, errJSON
	}
	return body, nil
}

func writeJSON(w http.ResponseWriter, status int, value any) error {
	encoded, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encoded)
	return nil
}
