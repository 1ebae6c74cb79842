//go:build !pkcs11 || !cgo

package keys

import "errors"

// openToken refuses: PKCS#11 modules are C libraries, and this program has no C in it.
func openToken(tokenURI) (openedToken, error) {
	return nil, errors.New("this regain was built without PKCS#11: build it with `CGO_ENABLED=1 go build -tags pkcs11`, or put the private key into the ring")
}
