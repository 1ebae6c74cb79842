//go:build !pkcs11 || !cgo

package keys

import (
	"strings"
	"testing"
	"time"
)

// A program without PKCS#11 says how to build one with it.
func TestWithoutPKCS11(t *testing.T) {
	key, err := NewTokenKey(goodURI)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewRing([]Key{{Private: key}}, time.Now); err == nil || !strings.Contains(err.Error(), "this regain was built without PKCS#11: build it with `CGO_ENABLED=1 go build -tags pkcs11`") {
		t.Errorf("got %v", err)
	}
}
