package idp

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

var errNotAllowed = errors.New("not allowed in this session")

// passkeyPage asks for a passkey. It is all that a session after a pass may do.
func (s *Server) passkeyPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	open := s.session(w, r)
	who, may := s.users[open.account], open.right
	s.mu.Unlock()
	if who == nil || may != rightCreatePasskey {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.render(w, http.StatusOK, "passkey", view{Title: "Create a passkey", Account: who.Name})
}

func (s *Server) beginRegistration(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := s.session(w, r)
	who := s.users[open.account]
	if who == nil || open.right != rightCreatePasskey {
		s.refuse(w, r, errNotAllowed)
		return
	}
	options, challenge, err := s.passkeys.BeginRegistration(who, webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
		ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
		UserVerification: protocol.VerificationRequired,
	}))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	open.challenge = challenge
	s.answer(w, options)
}

// finishRegistration keeps the new passkey in place of the lost ones, and ends the right that the pass gave.
func (s *Server) finishRegistration(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := s.session(w, r)
	who, challenge := s.users[open.account], open.challenge
	open.challenge = nil
	if who == nil || challenge == nil || open.right != rightCreatePasskey {
		s.refuse(w, r, errNotAllowed)
		return
	}
	credential, err := s.passkeys.FinishRegistration(who, *challenge, r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	who.credentials = []webauthn.Credential{*credential}
	open.right = rightNone
	s.answer(w, map[string]string{"next": "/passkey/created"})
}

func (s *Server) passkeyCreated(w http.ResponseWriter, _ *http.Request) {
	s.render(w, http.StatusOK, "created", view{Title: "Your passkey is ready"})
}

// beginSignIn asks for any passkey of this site: who it is shows in the answer, so nothing here tells who exists.
func (s *Server) beginSignIn(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	options, challenge, err := s.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.session(w, r).challenge = challenge
	s.answer(w, options)
}

func (s *Server) finishSignIn(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	open := s.session(w, r)
	challenge := open.challenge
	open.challenge = nil
	if challenge == nil {
		s.refuse(w, r, errNotAllowed)
		return
	}
	found, credential, err := s.passkeys.FinishPasskeyLogin(s.byHandle, *challenge, r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	who, ok := found.(*user)
	if !ok {
		s.refuse(w, r, errNotAllowed)
		return
	}
	who.credentials = []webauthn.Credential{*credential} // with its new counter
	s.renew(w, r, key(who.Name), rightHome)
	s.answer(w, map[string]string{"next": "/home"})
}

func (s *Server) byHandle(_, handle []byte) (webauthn.User, error) {
	for _, u := range s.users {
		if string(u.handle) == string(handle) && len(u.credentials) > 0 {
			return u, nil
		}
	}
	return nil, errors.New("no such passkey")
}

func (s *Server) home(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	open := s.session(w, r)
	who, may := s.users[open.account], open.right
	s.mu.Unlock()
	if who == nil || may != rightHome {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.render(w, http.StatusOK, "home", view{Title: "Hello, " + who.DisplayName, Account: who.Name})
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if cookie, err := r.Cookie(cookieName); err == nil {
		delete(s.sessions, cookie.Value)
	}
	s.mu.Unlock()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Server) answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // a client that went away
}

// refuse is the one answer for every failed ceremony.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	s.note(r.Context(), "passkey refused", err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": "That did not work. Try again."})
}
