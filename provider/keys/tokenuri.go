package keys

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// tokenURI names a key in a PKCS#11 token (RFC 7512): the module that speaks to it, the token, the key, and where the PIN is.
//
//	pkcs11:token=regain;object=signing-2026?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/etc/regain/token.pin
//
// The attributes that it knows are those that name one key: token, serial or slot-id; object or id, or both; type, which is
// private; module-path and pin-source. Others of the RFC are refused rather than passed over.
type tokenURI struct {
	text       string
	module     string // an absolute path
	label      string // of the token
	serial     string
	slot       *int
	object, id string // label and CKA_ID of the key
	pin        string // of pin-source: file:PATH or env:VARIABLE
}

// maxTokenURI is far above what names a key.
const maxTokenURI = 4096

// parseTokenURI parses a pkcs11 URI. Its errors quote no value: one may be a PIN.
func parseTokenURI(text string) (u tokenURI, err error) {
	u.text = text
	rest, ok := strings.CutPrefix(text, "pkcs11:")
	if !ok || len(text) > maxTokenURI {
		return u, errors.New("is no pkcs11 URI (RFC 7512), such as pkcs11:token=NAME;object=KEY?module-path=/PATH.so&pin-source=file:/PATH")
	}
	path, query, _ := strings.Cut(rest, "?")
	seen := map[string]bool{}
	for _, list := range []struct {
		text, between string
		set           func(name, value string) error
	}{{path, ";", u.setPath}, {query, "&", u.setQuery}} {
		if list.text == "" {
			continue
		}
		for _, attribute := range strings.Split(list.text, list.between) {
			name, encoded, _ := strings.Cut(attribute, "=")
			value, err := url.PathUnescape(encoded)
			switch {
			case err != nil || value == "" || name != "id" && strings.ContainsRune(value, 0): // an id is any octets
				return u, fmt.Errorf("attribute %.20q of the pkcs11 URI: has no value, or one that is not percent-encoded (RFC 7512 §2.3)", name)
			case seen[name]:
				return u, fmt.Errorf("attribute %.20q of the pkcs11 URI: is there twice", name)
			}
			seen[name] = true
			if err := list.set(name, value); err != nil {
				return u, err
			}
		}
	}
	return u, u.check()
}

func (u *tokenURI) setPath(name, value string) error {
	switch name {
	case "token":
		u.label = value
	case "serial":
		u.serial = value
	case "slot-id":
		slot, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return errors.New("attribute slot-id of the pkcs11 URI: is no number")
		}
		n := int(slot)
		u.slot = &n
	case "object":
		u.object = value
	case "id":
		u.id = value
	case "type":
		if value != "private" {
			return errors.New("attribute type of the pkcs11 URI: a private key is needed: write type=private, or leave it out")
		}
	default:
		return fmt.Errorf("attribute %.20q of the pkcs11 URI is not known: name the token by token, serial or slot-id, and the key by object or id", name)
	}
	return nil
}

func (u *tokenURI) setQuery(name, value string) error {
	switch name {
	case "module-path":
		u.module = value
	case "pin-source":
		u.pin = value
	case "pin-value":
		return errors.New("attribute pin-value of the pkcs11 URI is the PIN itself: put it into a file that only the service can read and write pin-source=file:/PATH; then change it, since key rings get copied")
	default:
		return fmt.Errorf("attribute %.20q of the pkcs11 URI is not known: write module-path and pin-source", name)
	}
	return nil
}

func (u *tokenURI) check() error {
	tokens := 0
	for _, named := range []bool{u.label != "", u.serial != "", u.slot != nil} {
		if named {
			tokens++
		}
	}
	switch {
	case !filepath.IsAbs(u.module):
		return errors.New("the pkcs11 URI: name the token's module by its whole path, such as module-path=/usr/lib/softhsm/libsofthsm2.so")
	case tokens != 1:
		return errors.New("the pkcs11 URI: name the token by one of token, serial and slot-id")
	case u.object == "" && u.id == "":
		return errors.New("the pkcs11 URI: name the key by object, its label, or by id")
	case u.pinFile() == "" && u.pinVariable() == "":
		return errors.New("the pkcs11 URI: say where the PIN is: pin-source=file:/PATH or pin-source=env:VARIABLE")
	}
	return nil
}

// pinFile is the absolute path of the PIN's file, "" if it is in none.
func (u tokenURI) pinFile() string {
	path := strings.TrimPrefix(strings.TrimPrefix(u.pin, "file:"), "//")
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return ""
}

func (u tokenURI) pinVariable() string {
	name, is := strings.CutPrefix(u.pin, "env:")
	if !is {
		return ""
	}
	return name
}

// readPIN reads the PIN. Its errors do not quote it.
func (u tokenURI) readPIN() (string, error) {
	if name := u.pinVariable(); name != "" {
		if pin := strings.TrimSpace(os.Getenv(name)); pin != "" {
			return pin, nil
		}
		return "", errors.New("pin-source: the variable is empty or not set")
	}
	path := u.pinFile()
	data, err := os.ReadFile(path) //nolint:gosec // the ring names it
	if err != nil {
		return "", fmt.Errorf("pin-source: %w: name a file that holds the PIN, and nothing else", err)
	}
	const othersWrite = 0o022
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&othersWrite != 0 {
		return "", fmt.Errorf("pin-source: others than its owner can write %s (mode %04o): chmod go-w it", path, info.Mode().Perm())
	}
	if pin := strings.TrimSpace(string(data)); pin != "" {
		return pin, nil
	}
	return "", fmt.Errorf("pin-source: %s is empty: put the PIN into it", path)
}
