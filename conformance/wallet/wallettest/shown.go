package wallettest

import (
	"crypto/ecdsa"
	"encoding/json"
	"strings"
	"testing"

	"regain/conformance/jose"
)

// Shown is a presentation, taken apart by hand.
type Shown struct {
	Text      string // everything before the Key Binding JWT
	JWT       string
	Header    map[string]any
	Claims    map[string]any
	Disclosed map[string]any
	Encoded   map[string]string
	KB        string
	KBHeader  map[string]any
	Binding   map[string]any
}

// ReadPresentation takes SD-JWT+KB apart (RFC 9901 §4), or an SD-JWT without a holder.
func ReadPresentation(t testing.TB, raw string) Shown {
	t.Helper()
	cut := strings.LastIndexByte(raw, '~') + 1
	s := ReadSDJWT(t, raw[:cut])
	s.KB = raw[cut:]
	if s.KB != "" {
		s.KBHeader, s.Binding = ReadJWT(t, s.KB)
	}
	return s
}

// ReadSDJWT takes an SD-JWT without a Key Binding JWT apart.
func ReadSDJWT(t testing.TB, raw string) Shown {
	t.Helper()
	s := Shown{Text: raw, Disclosed: map[string]any{}, Encoded: map[string]string{}}
	parts := strings.Split(strings.TrimSuffix(s.Text, "~"), "~")
	s.JWT = parts[0]
	s.Header, s.Claims = ReadJWT(t, s.JWT)
	for _, part := range parts[1:] {
		var disclosure []any
		FromJSON(t, Decode(t, part), &disclosure)
		name, _ := disclosure[1].(string)
		s.Disclosed[name], s.Encoded[name] = disclosure[2], part
	}
	return s
}

// Holder returns the key in cnf.
func (s Shown) Holder() *ecdsa.PublicKey {
	var key jose.JWK
	cnf, _ := s.Claims["cnf"].(map[string]any)
	raw, err := json.Marshal(cnf["jwk"])
	if err != nil || key.UnmarshalJSON(raw) != nil {
		return nil
	}
	public, _ := key.Key.(*ecdsa.PublicKey)
	return public
}

// Sound reports whether the Key Binding JWT is signed by the holder over what is shown.
func (s Shown) Sound() bool {
	return s.KBHeader["typ"] == "kb+jwt" && jose.IsSignedBy(s.KB, s.Holder()) && s.Binding["sd_hash"] == Digest(s.Text)
}
