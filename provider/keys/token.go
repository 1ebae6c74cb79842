package keys

import (
	"crypto"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"sync"
)

// blockToken is the PEM block of a ring that names a key in a PKCS#11 token, with the dates of any other.
const blockToken = "PKCS11 URI" //nolint:gosec // a name

// TokenKey is a private key that stays in a PKCS#11 token, which signs with it. It is opened when it is first needed, and
// again after the token failed: one that was taken out and put back, or whose server was restarted, signs again.
type TokenKey struct {
	uri    tokenURI
	open   func(tokenURI) (openedToken, error)
	public crypto.PublicKey // since it was first opened

	mu     sync.Mutex
	opened openedToken // nil: not yet, or no more
}

// openedToken is a key of a token with a session.
type openedToken interface {
	crypto.Signer
	io.Closer
}

// NewTokenKey returns the key that a pkcs11 URI names (RFC 7512; the package comment has an example). It is not opened.
func NewTokenKey(text string) (*TokenKey, error) {
	uri, err := parseTokenURI(text)
	if err != nil {
		return nil, err
	}
	return &TokenKey{uri: uri, open: openToken}, nil
}

// String returns the URI, in which there is no PIN.
func (k *TokenKey) String() string { return k.uri.text }

// PINFile is the file that the PIN is in, "" if it is in a variable.
func (k *TokenKey) PINFile() string { return k.uri.pinFile() }

// prepare opens the token, unless it was, so that there is a public key.
func (k *TokenKey) prepare() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, err := k.signer()
	return err
}

// signer returns the key of the token, opened. k.mu is held.
func (k *TokenKey) signer() (openedToken, error) {
	if k.opened != nil {
		return k.opened, nil
	}
	opened, err := k.open(k.uri)
	if err != nil {
		return nil, fmt.Errorf("token of the signing key %s: %w", k.uri.name(), err)
	}
	public := opened.Public()
	if k.public == nil {
		k.public = public
	}
	// Whoever replaces the key under its name would have tokens that fit no published key.
	if same, ok := k.public.(interface{ Equal(crypto.PublicKey) bool }); !ok || !same.Equal(public) {
		return nil, errors.Join(fmt.Errorf("token of the signing key %s: holds another key of that name now: give a new key a new name, and rotate", k.uri.name()), opened.Close())
	}
	k.opened = opened
	return opened, nil
}

// Public implements crypto.Signer; nil before it was opened.
func (k *TokenKey) Public() crypto.PublicKey {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.public
}

// Sign implements crypto.Signer. Where the token fails it is opened again and asked once more: whoever waits for a pass would
// have to recover anew because of a session that ended.
func (k *TokenKey) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signature, err := k.sign(random, digest, opts)
	if err != nil {
		signature, err = k.sign(random, digest, opts)
	}
	return signature, err
}

func (k *TokenKey) sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.mu.Lock()
	signer, err := k.signer()
	k.mu.Unlock()
	if err != nil {
		return nil, err
	}
	signature, err := signer.Sign(random, digest, opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("token of the signing key %s: %w", k.uri.name(), err), k.drop(signer))
	}
	return signature, nil
}

// drop has the next signature open the token again.
func (k *TokenKey) drop(failed openedToken) error {
	k.mu.Lock()
	if k.opened != failed {
		k.mu.Unlock()
		return nil
	}
	k.opened = nil
	k.mu.Unlock()
	return failed.Close()
}

// Close ends the sessions. The key can be used again, which opens others.
func (k *TokenKey) Close() error {
	k.mu.Lock()
	opened := k.opened
	k.mu.Unlock()
	if opened == nil {
		return nil
	}
	return k.drop(opened)
}

// name is what the key is called in messages.
func (u tokenURI) name() string {
	if u.object != "" {
		return fmt.Sprintf("%.64q", u.object)
	}
	return fmt.Sprintf("of id %x", u.id)
}

// parseToken parses a block of a ring that names a key in a token.
func parseToken(block *pem.Block) (crypto.Signer, error) {
	key, err := NewTokenKey(string(block.Bytes))
	if err != nil {
		return nil, err
	}
	return key, nil
}

// sameToken returns the key of a list that a URI names, so that a ring that is read again goes on with its sessions.
func sameToken(list []Key, uri string) *TokenKey {
	for _, k := range list {
		if token, ok := k.Private.(*TokenKey); ok && token.uri.text == uri {
			return token
		}
	}
	return nil
}
