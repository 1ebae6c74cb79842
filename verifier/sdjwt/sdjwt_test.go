package sdjwt_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/verifier/sdjwt"
	"regain/verifier/verifiertest"
)

// scene is a presentation in order.
type scene struct {
	clock  *verifiertest.Clock
	issuer *verifiertest.Issuer
	holder *verifiertest.Holder
	draft  *verifiertest.Draft
	bind   verifiertest.Binding
}

func newScene(t testing.TB) *scene {
	t.Helper()
	s := &scene{clock: verifiertest.NewClock(), holder: verifiertest.NewHolder(t)}
	s.issuer = verifiertest.New(t, s.clock.Now)
	s.draft = s.issuer.VerifiedID(s.holder)
	s.bind = verifiertest.Bind(s.clock.Now())
	return s
}

func (s *scene) present(t testing.TB) string {
	t.Helper()
	return s.holder.Present(t, s.draft, s.bind)
}

func (s *scene) parse(t testing.TB) (*sdjwt.Parsed, error) {
	t.Helper()
	return sdjwt.ParseInsecure(s.present(t))
}

func (s *scene) binding() sdjwt.Binding {
	return sdjwt.Binding{Nonce: verifiertest.Nonce, Audience: verifiertest.Audience, Now: s.clock.Now()}
}

func TestParse(t *testing.T) {
	s := newScene(t)
	parsed, err := s.parse(t)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"birthdate", "cnf", "document_number", "document_type", "exp", "family_name", "given_name", "iat", "iss", "jti", "status", "vct"}
	if got := slices.Sorted(maps.Keys(parsed.Claims())); !slices.Equal(got, want) {
		t.Errorf("claims are %v", got)
	}
	if !slices.Contains(parsed.Digests(), s.draft.Portrait) || len(parsed.Digests()) != 7 {
		t.Errorf("digests are %v", parsed.Digests())
	}
	if len(parsed.Certificates()) != 1 {
		t.Errorf("%d certificates", len(parsed.Certificates()))
	}
	if err := parsed.VerifyIssuer(&s.issuer.Signs.Key.PublicKey); err != nil {
		t.Error(err)
	}
	if err := parsed.VerifyIssuer(&s.holder.Key.PublicKey); !errors.Is(err, sdjwt.ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	if err := parsed.VerifyIssuer(nil); !errors.Is(err, sdjwt.ErrSignature) {
		t.Errorf("no key: %v", err)
	}
}

// TestParseDigs opens Disclosures within Disclosures, elements of arrays, and leaves decoys.
func TestParseDigs(t *testing.T) {
	s := newScene(t)
	street := verifiertest.Disclose(t, "street", "Elm")
	hidden := verifiertest.Disclose(t, "", "hidden")
	shown := verifiertest.Disclose(t, "", map[string]any{"_sd": []string{street.Digest()}, "no": 7})
	s.draft.Conceal(t, "places", []any{"open", map[string]any{"...": hidden.Digest()}, map[string]any{"...": shown.Digest()}})
	s.draft.Disclosures = append(s.draft.Disclosures, shown, street)
	parsed, err := s.parse(t)
	if err != nil {
		t.Fatal(err)
	}
	want := []any{"open", map[string]any{"street": "Elm", "no": json.Number("7")}}
	if got := parsed.Claims()["places"]; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestVerifyHolder(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(t *testing.T, s *scene, want *sdjwt.Binding)
		why    string // "" where it is in order
	}{
		"in order":         {func(*testing.T, *scene, *sdjwt.Binding) {}, ""},
		"five minutes old": {func(_ *testing.T, _ *scene, w *sdjwt.Binding) { w.Now = w.Now.Add(5 * time.Minute) }, ""},
		"a second older":   {func(_ *testing.T, _ *scene, w *sdjwt.Binding) { w.Now = w.Now.Add(5*time.Minute + time.Second) }, "iat is too old or in the future"},
		"a minute ahead":   {func(_ *testing.T, _ *scene, w *sdjwt.Binding) { w.Now = w.Now.Add(-time.Minute) }, ""},
		"a second more":    {func(_ *testing.T, _ *scene, w *sdjwt.Binding) { w.Now = w.Now.Add(-time.Minute - time.Second) }, "iat is too old or in the future"},
		"a year ago": {func(_ *testing.T, s *scene, _ *sdjwt.Binding) {
			s.bind.Claims["iat"] = s.clock.Now().AddDate(-1, 0, 0).Unix()
		}, "iat is too old or in the future"},
		"time in quotes":       {func(_ *testing.T, s *scene, _ *sdjwt.Binding) { s.bind.Claims["iat"] = "1" }, "iat is missing"},
		"another nonce":        {func(_ *testing.T, _ *scene, w *sdjwt.Binding) { w.Nonce = "other" }, "nonce is not the one asked for"},
		"nothing expected":     {func(_ *testing.T, s *scene, w *sdjwt.Binding) { w.Nonce = ""; s.bind.Claims["nonce"] = "" }, "nonce is not the one asked for"},
		"nonce absent as none": {func(_ *testing.T, s *scene, w *sdjwt.Binding) { w.Nonce = ""; s.bind.Claims["nonce"] = nil }, "nonce is not the one asked for"},
		"bare client id": {func(_ *testing.T, s *scene, _ *sdjwt.Binding) {
			s.bind.Claims["aud"] = strings.TrimPrefix(verifiertest.Audience, "x509_hash:")
		}, "aud is not the one asked for"},
		"audience in a list": {func(_ *testing.T, s *scene, _ *sdjwt.Binding) { s.bind.Claims["aud"] = []string{verifiertest.Audience} }, "aud is not the one asked for"},
		"no hash":            {func(_ *testing.T, s *scene, _ *sdjwt.Binding) { s.bind.Claims["sd_hash"] = nil }, "sd_hash is not the one asked for"},
		"typ":                {func(_ *testing.T, s *scene, _ *sdjwt.Binding) { s.bind.Header["typ"] = "dc+sd-jwt" }, "typ is not accepted"},
		"alg":                {func(_ *testing.T, s *scene, _ *sdjwt.Binding) { s.bind.Header["alg"] = "ES384" }, "alg is not accepted"},
		"certificates":       {func(_ *testing.T, s *scene, _ *sdjwt.Binding) { s.bind.Header["x5c"] = s.draft.Header["x5c"] }, "key binding JWT has certificates, but its key is in cnf"},
		"another key":        {func(t *testing.T, s *scene, _ *sdjwt.Binding) { s.holder = verifiertest.NewHolder(t) }, "signature does not verify"},
		"the issuer's key": {func(_ *testing.T, s *scene, _ *sdjwt.Binding) {
			s.holder = &verifiertest.Holder{Key: s.issuer.Signs.Key}
		}, "signature does not verify"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			want := s.binding()
			tt.change(t, s, &want)
			parsed, err := s.parse(t)
			if err != nil {
				t.Fatal(err)
			}
			key, err := parsed.VerifyHolder(want)
			if tt.why == "" && (err != nil || !key.Equal(s.holder.Key.Public())) {
				t.Errorf("got %v", err)
			}
			if tt.why != "" && (!errors.Is(err, sdjwt.ErrHolder) || !strings.Contains(err.Error(), tt.why)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestHolder(t *testing.T) {
	for name, row := range map[string]struct {
		change func(jwk map[string]any)
		why    string
	}{
		"private key":                      {func(jwk map[string]any) { jwk["d"] = jwk["x"] }, "a private key: it has the member d"},
		"another curve":                    {func(jwk map[string]any) { jwk["crv"] = "P-384" }, "a kind of key that is not used here"},
		"is missing or has the wrong type": {func(jwk map[string]any) { jwk["kty"] = "OKP" }, "a kind of key that is not used here"},
		"no y":                             {func(jwk map[string]any) { delete(jwk, "y") }, "x or y is not 32 bytes of base64url"},
		"x too short":                      {func(jwk map[string]any) { jwk["x"] = verifiertest.Encode(make([]byte, 31)) }, "x or y is not 32 bytes of base64url"},
		"x too long":                       {func(jwk map[string]any) { jwk["x"] = verifiertest.Encode(make([]byte, 33)) }, "x or y is not 32 bytes of base64url"},
		"x with padding":                   {func(jwk map[string]any) { jwk["x"] = jwk["x"].(string) + "=" }, "x or y is not 32 bytes of base64url"},
		"off the curve":                    {func(jwk map[string]any) { jwk["x"], jwk["y"] = jwk["y"], jwk["x"] }, "it is not on its curve"},
		"infinity": {func(jwk map[string]any) {
			jwk["x"], jwk["y"] = verifiertest.Encode(make([]byte, 32)), verifiertest.Encode(make([]byte, 32))
		}, "it is not on its curve"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			row.change(s.draft.Claims["cnf"].(map[string]any)["jwk"].(map[string]any))
			parsed, err := s.parse(t)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parsed.Holder(); !errors.Is(err, sdjwt.ErrMalformed) || !strings.Contains(err.Error(), row.why) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestParsedRedactsItself(t *testing.T) {
	parsed, err := newScene(t).parse(t)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(parsed)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%v %+v %#v %s %q", parsed, parsed, parsed, parsed, parsed) + string(encoded) + parsed.LogValue().String()
	if strings.Contains(text, "Lovelace") || strings.Contains(text, "urn:uuid") || !strings.Contains(text, "redacted") {
		t.Errorf("got %s", text)
	}
}
