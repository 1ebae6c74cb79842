package idp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/go-webauthn/webauthn/webauthn"
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

// members are all accounts. Who they are never changes; their passkeys do.
type members struct {
	mu  sync.Mutex // guards the passkeys
	all map[string]*member
}

func newMembers(accounts []Account, random *dice) (*members, error) {
	all := make(map[string]*member, len(accounts))
	for _, a := range accounts {
		if name, err := accountName(a.Name); err != nil || name != a.Name || all[name] != nil {
			return nil, fmt.Errorf("idp: account %q is twice there, or not a name in small letters", a.Name)
		}
		handle := make([]byte, 32)
		if _, err := io.ReadFull(random, handle); err != nil {
			return nil, fmt.Errorf("draw user handle: %w", err)
		}
		all[a.Name] = &member{account: a, handle: handle}
	}
	return &members{all: all}, nil
}

// exists reports whether there is an account of that name.
func (m *members) exists(account string) bool { return m.all[account] != nil }

// displayName is what to call the owner of an account, "" if there is none.
func (m *members) displayName(account string) string {
	if held, found := m.all[account]; found {
		return held.account.DisplayName
	}
	return ""
}

// get returns a copy, since the original changes under the lock; an empty one for an unknown account.
func (m *members) get(account string) member {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept, found := m.all[account]
	if !found {
		return member{}
	}
	held := *kept
	held.credentials = slices.Clone(kept.credentials)
	return held
}

// replace gives an account one passkey instead of all it had.
func (m *members) replace(account string, with webauthn.Credential) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all[account].credentials = []webauthn.Credential{with}
}

// ownedByOther reports whether a credential id belongs to another account (WebAuthn §7.1 step 26).
func (m *members) ownedByOther(id []byte, except string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, other := range m.all {
		for _, c := range other.credentials {
			if name != except && bytes.Equal(c.ID, id) {
				return true
			}
		}
	}
	return false
}

// signIn returns the account whose passkey signed a challenge, which validate finds out. named is the account that the
// person says to be, "" if they don't.
func (m *members) signIn(validate func(webauthn.DiscoverableUserHandler) (*webauthn.Credential, error), named string) (string, error) {
	m.mu.Lock() // from the lookup to the counter: a copied authenticator must not win a race
	defer m.mu.Unlock()
	var owner *member
	credential, err := validate(func(_, handle []byte) (webauthn.User, error) {
		for _, held := range m.all {
			if bytes.Equal(held.handle, handle) {
				owner = held
				return *held, nil
			}
		}
		return nil, errors.New("no account has this user handle")
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", errPasskey, err)
	case named != "" && named != owner.account.Name:
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
