//go:build pkcs11 && cgo

package keys

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ThalesGroup/crypto11"
)

// tokenWait bounds how long a signature waits for a session of the token.
const tokenWait = 5 * time.Second

// moduleKey is a key of a token, with the sessions that it signs in.
type moduleKey struct {
	crypto.Signer
	io.Closer
}

// openToken opens a token through its module and finds the key. The errors are those of the module (PKCS #11 v2.40 §11.1), which
// quote no PIN.
func openToken(u tokenURI) (openedToken, error) {
	pin, err := u.readPIN()
	if err != nil {
		return nil, err
	}
	sessions, err := crypto11.Configure(&crypto11.Config{
		Path: u.module, TokenLabel: u.label, TokenSerial: u.serial, SlotNumber: u.slot, Pin: pin, PoolWaitTimeout: tokenWait,
	})
	if err != nil {
		return nil, fmt.Errorf("open the token: %w: check module-path, the token's name and the PIN", err)
	}
	found, err := sessions.FindKeyPairs(bytesOf(u.id), bytesOf(u.object))
	switch {
	case err != nil:
		err = fmt.Errorf("look for the key: %w", err)
	case len(found) == 0:
		err = errors.New("the token has no pair of a private and a public key of that name: make one there")
	case len(found) > 1:
		err = fmt.Errorf("the token has %d keys of that name: name one by its id too", len(found))
	}
	if err != nil {
		return nil, errors.Join(err, sessions.Close())
	}
	return moduleKey{found[0], sessions}, nil
}

// bytesOf is nil for no name: an empty one would be looked for.
func bytesOf(text string) []byte {
	if text == "" {
		return nil
	}
	return []byte(text)
}
