package mdoc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/verifier/mdoc"
	"regain/verifier/verifiertest"
)

// scene is a presentation in order.
type scene struct {
	clock  *verifiertest.Clock
	issuer *verifiertest.Issuer
	holder *verifiertest.Holder
	draft  *verifiertest.MDoc
	device *verifiertest.Device
	want   mdoc.Session
}

func newScene(t testing.TB) *scene {
	t.Helper()
	s := &scene{clock: verifiertest.NewClock(), holder: verifiertest.NewHolder(t), device: verifiertest.NewDevice()}
	s.issuer = verifiertest.New(t, s.clock.Now)
	s.draft = s.issuer.MDoc(s.holder)
	s.want = mdoc.Session{
		ClientID: verifiertest.Audience, Nonce: verifiertest.Nonce, ResponseURI: verifiertest.ResponseURI, Thumbprint: s.device.Thumbprint,
	}
	return s
}

func (s *scene) present(t testing.TB) string {
	t.Helper()
	return s.holder.PresentMDoc(t, s.draft, s.device)
}

func (s *scene) parse(t testing.TB) *mdoc.Parsed {
	t.Helper()
	p, err := mdoc.ParseInsecure(s.present(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// elements returns what was disclosed.
func elements(p *mdoc.Parsed) map[string]any {
	found, _ := p.Claims()[verifiertest.MDocNamespace].(map[string]any)
	return found
}

func TestParse(t *testing.T) {
	s := newScene(t)
	p := s.parse(t)
	want := []string{"birth_date", "document_number", "driving_privileges", "expiry_date", "family_name", "given_name",
		"issue_date", "issuing_authority", "issuing_country", "un_distinguishing_sign"}
	if got := slices.Sorted(maps.Keys(elements(p))); !slices.Equal(got, want) || len(p.Claims()) != 1 {
		t.Errorf("elements are %v", got)
	}
	if p.DocType() != verifiertest.MDocType || elements(p)["birth_date"] != "1990-12-10" {
		t.Errorf("%s, born %v", p.DocType(), elements(p)["birth_date"])
	}
	if chain := p.Certificates(); len(chain) != 1 || !slices.Equal(chain[0], s.issuer.SignsDocuments.Chain[0]) {
		t.Errorf("%d certificates", len(chain))
	}
	signed, from, until := p.Validity()
	if now := s.clock.Now(); !signed.Equal(now) || !from.Equal(now) || !until.Equal(now.AddDate(1, 0, 0)) {
		t.Errorf("signed %v, valid from %v until %v", signed, from, until)
	}
	portrait := verifiertest.Encode(s.draft.Digest(t, s.draft.Element("portrait")))
	if p.ID() != s.draft.ID(t) || !slices.Contains(p.Digests(), portrait) || len(p.Digests()) != 11 {
		t.Errorf("%s has digests %v", p.ID(), p.Digests())
	}
}

func TestVerifyIssuer(t *testing.T) {
	s := newScene(t)
	p := s.parse(t)
	if err := p.VerifyIssuer(&s.issuer.SignsDocuments.Key.PublicKey); err != nil {
		t.Error(err)
	}
	if err := p.VerifyIssuer(&s.issuer.Signs.Key.PublicKey); !errors.Is(err, mdoc.ErrSignature) {
		t.Errorf("another key: %v", err)
	}
	if err := p.VerifyIssuer(nil); !errors.Is(err, mdoc.ErrSignature) {
		t.Errorf("no key: %v", err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.VerifyIssuer(&p384.PublicKey); !errors.Is(err, mdoc.ErrSignature) || !strings.Contains(err.Error(), "the key is not on P-256") {
		t.Errorf("a key on P-384: %v", err)
	}
	other := s.issuer.MDoc(s.holder).IssuerSigned(t).Get("issuerAuth").([]any)
	for i, name := range []string{"protected", "", "payload", "signature"} {
		if name == "" {
			continue // the unprotected header is what nobody signs
		}
		d := s.issuer.MDoc(s.holder)
		response := s.holder.Respond(t, d, s.device)
		auth := document(response).At("issuerSigned").Get("issuerAuth").([]any)
		auth[i] = other[i]
		if i == 0 {
			auth[i] = verifiertest.CBOR(t, verifiertest.NewMap(1, -9))
		}
		if i == 2 { // with the digests as they were
			d.MSO.Set("status", nil)
			auth[i] = d.Payload(t)
		}
		p, err := mdoc.ParseInsecure(write(t, response))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.VerifyIssuer(&s.issuer.SignsDocuments.Key.PublicKey); !errors.Is(err, mdoc.ErrSignature) {
			t.Errorf("another %s: %v", name, err)
		}
	}
}

// TestParseAccepts changes what may be otherwise.
func TestParseAccepts(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, s *scene){
		"SHA-384":                   func(_ *testing.T, s *scene) { s.draft.MSO.Set("digestAlgorithm", "SHA-384") },
		"SHA-512":                   func(_ *testing.T, s *scene) { s.draft.MSO.Set("digestAlgorithm", "SHA-512") },
		"fully specified algorithm": func(_ *testing.T, s *scene) { s.draft.Protected.Set(1, -9); s.device.Protected.Set(1, -9) },
		"two certificates": func(t *testing.T, s *scene) {
			middle := s.issuer.Authority.Intermediate(t, "Middle")
			s.issuer.SignsDocuments = middle.Leaf(t, verifiertest.DocumentSigner, middle)
			s.draft.SignedBy(s.issuer.SignsDocuments)
		},
		"four certificates": func(t *testing.T, s *scene) {
			middle := s.issuer.Authority.Intermediate(t, "Middle")
			s.issuer.SignsDocuments = middle.Leaf(t, verifiertest.DocumentSigner, middle, middle, middle)
			s.draft.SignedBy(s.issuer.SignsDocuments)
		},
		"a list of one certificate": func(_ *testing.T, s *scene) { s.draft.SignedBy(s.draft.Signer) },
		"no certificate":            func(_ *testing.T, s *scene) { s.draft.Unprotected.Delete(33) },
		"other headers": func(_ *testing.T, s *scene) {
			s.draft.Unprotected.Set(4, []byte("kid"))
			s.draft.Unprotected.Set("x", 1)
		},
		"a date with a fraction": func(_ *testing.T, s *scene) {
			s.draft.MSO.At("validityInfo").Set("signed", tagged(0, "2031-05-04T12:00:00.5Z"))
		},
		"expectedUpdate": func(_ *testing.T, s *scene) {
			s.draft.MSO.At("validityInfo").Set("expectedUpdate", tagged(0, "2031-08-04T12:00:00Z"))
		},
		"members of another version": func(_ *testing.T, s *scene) { s.draft.MSO.Set("x", []any{1}); s.draft.Items[0].Set("x", 1) },
		"an alg in the key":          func(_ *testing.T, s *scene) { s.deviceKey().Set(3, -7) },
		"the same digestID in another namespace": func(_ *testing.T, s *scene) {
			s.draft.Add("org.iso.18013.5.1.UT", "given_name", "Augusta").Set("digestID", 0)
		},
		"nothing disclosed": func(_ *testing.T, s *scene) {
			for _, one := range s.draft.Items {
				one.Withheld = true
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			change(t, s)
			p := s.parse(t)
			if err := p.VerifyIssuer(&s.issuer.SignsDocuments.Key.PublicKey); err != nil {
				t.Error(err)
			}
			if _, err := p.VerifyHolder(s.want); err != nil {
				t.Error(err)
			}
		})
	}
}

func (s *scene) deviceKey() *verifiertest.Map { return s.draft.MSO.At("deviceKeyInfo").At("deviceKey") }

func TestStatus(t *testing.T) {
	s := newScene(t)
	if uri, index, there, err := s.parse(t).Status(); uri != s.issuer.Status.URI || index != int64(s.draft.Index) || !there || err != nil {
		t.Errorf("got %s, %d, %v, %v", uri, index, there, err)
	}
	for name, row := range map[string]struct {
		change func(list *verifiertest.Map)
		why    string
	}{
		"no list": {func(*verifiertest.Map) {
			s.draft.MSO.Set("status", verifiertest.NewMap("identifier_list", verifiertest.NewMap()))
		}, "status_list is missing, has no uri or no valid idx"},
		"no map":         {func(*verifiertest.Map) { s.draft.MSO.Set("status", "revoked") }, "status is missing or has the wrong type"},
		"null":           {func(*verifiertest.Map) { s.draft.MSO.Set("status", nil) }, "status is missing or has the wrong type"},
		"no uri":         {func(list *verifiertest.Map) { list.Delete("uri") }, "status_list is missing, has no uri or no valid idx"},
		"uri no text":    {func(list *verifiertest.Map) { list.Set("uri", []byte("https://a.example")) }, "status: a value has the wrong type"},
		"no idx":         {func(list *verifiertest.Map) { list.Delete("idx") }, "status_list is missing, has no uri or no valid idx"},
		"idx below zero": {func(list *verifiertest.Map) { list.Set("idx", -1) }, "status_list is missing, has no uri or no valid idx"},
		"idx in quotes":  {func(list *verifiertest.Map) { list.Set("idx", "1") }, "status: a value has the wrong type"},
		"idx out of range": {func(list *verifiertest.Map) {
			list.Set("idx", verifiertest.Raw("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"))
		}, "status: a value has the wrong type"},
		"idx twice": {func(list *verifiertest.Map) { list.Add("idx", 2) }, "status: duplicate key in a map"},
	} {
		s.draft = s.issuer.MDoc(s.holder)
		row.change(s.draft.MSO.At("status").At("status_list"))
		if _, _, there, err := s.parse(t).Status(); !there || !errors.Is(err, mdoc.ErrMalformed) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v, %v", name, there, err)
		}
	}
	s.draft.MSO.Delete("status")
	if _, _, there, err := s.parse(t).Status(); there || err != nil {
		t.Errorf("no status: %v, %v", there, err)
	}
}

// TestClaims converts what CBOR has to what JSON has (RFC 8949 §6.1).
func TestClaims(t *testing.T) {
	raw := func(text string) verifiertest.Raw { return verifiertest.Raw(text) }
	for name, tt := range map[string]struct{ value, want any }{
		"text":                       {"Ada", "Ada"},
		"whole number":               {7, json.Number("7")},
		"below zero":                 {-7, json.Number("-7")},
		"largest":                    {raw("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"), json.Number("18446744073709551615")},
		"smallest":                   {raw("\x3b\xff\xff\xff\xff\xff\xff\xff\xff"), json.Number("-18446744073709551616")},
		"number with a longer head":  {raw("\x18\x07"), json.Number("7")},
		"bytes":                      {[]byte{0xfb, 0xff}, "-_8"},
		"float":                      {1.5, json.Number("1.5")},
		"half float":                 {raw("\xf9\x3e\x00"), json.Number("1.5")},
		"infinity":                   {raw("\xf9\x7c\x00"), nil},
		"no number":                  {raw("\xf9\x7e\x00"), nil},
		"yes":                        {true, true},
		"no":                         {false, false},
		"null":                       {nil, nil},
		"undefined":                  {raw("\xf7"), nil},
		"another simple value":       {raw("\xf0"), nil},
		"tdate":                      {tagged(0, "2031-05-04T12:00:00+02:00"), "2031-05-04T12:00:00+02:00"},
		"full-date":                  {tagged(1004, "1990-12-10"), "1990-12-10"},
		"seconds":                    {tagged(1, 1), json.Number("1")},
		"unknown tag":                {tagged(55555, []any{tagged(55556, 1)}), []any{json.Number("1")}},
		"bignum":                     {tagged(2, []byte{1, 0}), "AQA"},
		"bignum below zero":          {tagged(3, []byte{1, 0}), "~AQA"},
		"array":                      {[]any{1, []any{}, "x"}, []any{json.Number("1"), []any{}, "x"}},
		"map":                        {verifiertest.NewMap("a", verifiertest.NewMap("b", nil)), map[string]any{"a": map[string]any{"b": nil}}},
		"a map in a list in a map":   {verifiertest.NewMap("a", []any{verifiertest.NewMap("b", 1)}), map[string]any{"a": []any{map[string]any{"b": json.Number("1")}}}},
		"the longest that is inside": {strings.Repeat("x", 1<<10), strings.Repeat("x", 1<<10)},
	} {
		s := newScene(t)
		s.draft.Element("given_name").Set("elementValue", tt.value)
		if got := elements(s.parse(t))["given_name"]; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %#v", name, got)
		}
	}
}

// TestIDIsTheIssuers holds that a holder cannot give a credential another ID, and with it another life: what nobody
// signed does not count.
func TestIDIsTheIssuers(t *testing.T) {
	s := newScene(t)
	id := s.parse(t).ID()
	s.draft.Unprotected.Set(4, []byte("kid"))
	s.draft.Element("given_name").Withheld = true
	s.device.Nonce = "another"
	if s.parse(t).ID() != id {
		t.Error("the ID changed with what the holder may choose")
	}
	s.draft.MSO.At("validityInfo").Set("validUntil", tagged(0, s.clock.Now().Add(time.Hour).Format(time.RFC3339)))
	if s.parse(t).ID() == id {
		t.Error("two credentials have one ID")
	}
}

func TestParsedRedactsItself(t *testing.T) {
	p := newScene(t).parse(t)
	encoded, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if said := fmt.Sprint(p); said != "mdoc[redacted]" {
		t.Errorf("printed as %s", said)
	}
	if digests := p.Digests(); len(digests) < 2 || !slices.IsSorted(digests) {
		t.Errorf("digests are %v", digests)
	}
	text := fmt.Sprintf("%v %+v %#v %s %q", p, p, p, p, p) + string(encoded) + p.LogValue().String()
	if strings.Contains(text, "Lovelace") || strings.Contains(text, "ni:") || !strings.Contains(text, "redacted") {
		t.Errorf("got %s", text)
	}
}
