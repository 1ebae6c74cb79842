package visitor

import (
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/descope/virtualwebauthn"
)

// authenticator holds passkeys, and does the browser's part of WebAuthn: it tells the authenticator the origin of the
// page, and refuses a relying party id that is not of the page's host.
type authenticator struct {
	virtual virtualwebauthn.Authenticator
	held    []passkey
}

// passkey is a discoverable credential: it knows which site it is for and whose it is.
type passkey struct {
	site       string
	handle     []byte
	credential virtualwebauthn.Credential
}

func newAuthenticator() *authenticator {
	return &authenticator{virtual: virtualwebauthn.NewAuthenticator()}
}

// create makes a passkey for the page (WebAuthn §5.1.3). It is held only once keep is called: a passkey that the site
// refused is not one.
func (a *authenticator) create(page *url.URL, options string) (response string, keep func(), err error) {
	asked, err := virtualwebauthn.ParseAttestationOptions(options)
	if err != nil {
		return "", nil, fmt.Errorf("read creation options: %w", err)
	}
	rp, err := relyingParty(page, asked.RelyingPartyID)
	if err != nil {
		return "", nil, err
	}
	credential, err := newCredential()
	if err != nil {
		return "", nil, err
	}
	made := passkey{site: rp.ID, handle: []byte(asked.UserID), credential: credential}
	response = virtualwebauthn.CreateAttestationResponse(rp, a.virtual, credential, *asked)
	return response, func() { a.held = append(a.held, made) }, nil
}

// get signs with the newest passkey for the page (WebAuthn §5.1.4).
func (a *authenticator) get(page *url.URL, options string) (string, error) {
	asked, err := virtualwebauthn.ParseAssertionOptions(options)
	if err != nil {
		return "", fmt.Errorf("read request options: %w", err)
	}
	rp, err := relyingParty(page, asked.RelyingPartyID)
	if err != nil {
		return "", err
	}
	for i := len(a.held) - 1; i >= 0; i-- {
		held := &a.held[i]
		if held.site != rp.ID || len(asked.AllowCredentials) > 0 && !held.credential.IsAllowedForAssertion(*asked) {
			continue
		}
		held.credential.Counter++
		signing := a.virtual
		signing.Options.UserHandle = held.handle
		return virtualwebauthn.CreateAssertionResponse(rp, signing, held.credential, *asked), nil
	}
	return "", errors.New("the authenticator has no passkey for this site")
}

// relyingParty is the site as the browser tells it to the authenticator (WebAuthn §5.1.3 step 8): the id must be the
// page's host or a domain above it.
func relyingParty(page *url.URL, id string) (virtualwebauthn.RelyingParty, error) {
	host := page.Hostname()
	if id == "" {
		id = host
	}
	if id != host && !strings.HasSuffix(host, "."+id) {
		return virtualwebauthn.RelyingParty{}, fmt.Errorf("relying party id %q is not of the page's host %q", id, host)
	}
	return virtualwebauthn.RelyingParty{ID: id, Origin: page.Scheme + "://" + page.Host}, nil
}

// newCredential makes a P-256 key whose coordinates fill 32 bytes each: virtualwebauthn drops leading zeros, which one
// key in 128 has and COSE does not allow (RFC 9053 §7.1.1).
func newCredential() (virtualwebauthn.Credential, error) {
	for {
		made := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
		parsed, err := x509.ParsePKCS8PrivateKey(made.Key.Data)
		if err != nil {
			return made, fmt.Errorf("read the new key: %w", err)
		}
		key, ok := parsed.(*ecdsa.PrivateKey)
		if !ok {
			return made, errors.New("the new key is not on a curve")
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			return made, fmt.Errorf("encode the new key: %w", err)
		}
		if point[1] != 0 && point[33] != 0 { // 4 || X || Y
			return made, nil
		}
	}
}
