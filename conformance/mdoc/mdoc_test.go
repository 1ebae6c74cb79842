package mdoc_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	gojson "github.com/go-jose/go-jose/v4/json"
	"github.com/veraison/go-cose"

	"regain/conformance/mdoc"
	"regain/conformance/wallet/wallettest"
)

// annexD is the IssuerSigned in the DeviceResponse that ISO/IEC 18013-5 Annex D.4.1.2 prints.
func annexD(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/iso-18013-5-annex-d-device-response.hex")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	var response struct {
		Documents []struct {
			IssuerSigned cbor.RawMessage `cbor:"issuerSigned"`
		} `cbor:"documents"`
	}
	wallettest.FromCBOR(t, raw, &response)
	return response.Documents[0].IssuerSigned
}

func TestParseReadsTheStandardsExample(t *testing.T) {
	d, err := mdoc.Parse(annexD(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Verify(nil, time.Date(2020, 10, 2, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Error(err)
	}
	claims, _ := d.Claims()["org.iso.18013.5.1"].(map[string]any)
	if claims["family_name"] != "Doe" || claims["issue_date"] != "2019-10-20" || claims["document_number"] != "123456789" {
		t.Errorf("claims are %v", claims)
	}
	if portrait, _ := claims["portrait"].(string); !strings.HasPrefix(portrait, "_9j_") {
		t.Errorf("the portrait is %.10s", portrait)
	}
	x, err := d.DeviceKey().ECDH()
	if err != nil || hex.EncodeToString(x.Bytes()[1:33]) != "96313d6c63e24e3372742bfdb1a33ba2c897dcd68ab8c753e4fbd48dca6b7f9a" {
		t.Error("another device key")
	}
	if d.DocType() != "org.iso.18013.5.1.mDL" || d.Chain().Name() == "" || d.Algorithm() != int64(cose.AlgorithmES256) {
		t.Errorf("%s by %s, %d", d, d.Chain().Name(), d.Algorithm())
	}
}

// The vectors of OpenID4VP 1.0 Appendix B.2.6.1 and B.2.6.2.
func TestTranscriptsAreTheSpecifications(t *testing.T) {
	thumbprint, err := hex.DecodeString("4283ec927ae0f208daaa2d026a814f2b22dca52cf85ffa8f3f8626c6bd669047")
	if err != nil {
		t.Fatal(err)
	}
	const nonce = "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA"
	redirect, err := mdoc.Redirect("x509_san_dns:example.com", nonce, thumbprint, "https://example.com/response")
	if err != nil {
		t.Fatal(err)
	}
	same(t, redirect, "83f6f682714f70656e494434565048616e646f7665725820048bc053c00442af9b8eed494cefdd9d95240d254b046b11b68013722aad38ac")
	digital, err := mdoc.DigitalCredentials("https://example.com", nonce, thumbprint)
	if err != nil {
		t.Fatal(err)
	}
	same(t, digital, "83f6f682764f70656e4944345650444341504948616e646f7665725820fbece366f4212f9762c74cfdbf83b8c69e371d5d68cea09cb4c48ca6daab761a")
}

func same(t *testing.T, got []byte, want string) {
	t.Helper()
	if hex.EncodeToString(got) != want {
		t.Errorf("got %x, not %s", got, want)
	}
}

// bench is a licence and who made it.
type bench struct {
	authority wallettest.Authority
	issuer    wallettest.Party
	key       *ecdsa.PrivateKey
	licence   *wallettest.Licence
}

func setUp(t testing.TB) bench {
	t.Helper()
	b := bench{authority: wallettest.NewAuthority(t, "IACA"), key: wallettest.NewKey(t)}
	b.issuer = b.authority.Party(t, "Licence Office")
	b.licence = wallettest.NewLicence(&b.key.PublicKey)
	return b
}

func (b bench) document(t testing.TB) mdoc.Document {
	t.Helper()
	d, err := mdoc.Parse(b.licence.Issue(t, b.issuer))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestParseAndVerify(t *testing.T) {
	b := setUp(t)
	d := b.document(t)
	if err := d.Verify(b.authority.Pool(), wallettest.Noon()); err != nil {
		t.Fatal(err)
	}
	claims, _ := d.Claims()[wallettest.LicenceSpace].(map[string]any)
	for name, want := range map[string]any{
		"given_name": "Ada", "birth_date": "1990-12-10", "issue_date": "2026-11-01T00:00:00Z", "sex": gojson.Number("2"),
		"age_over_18": true, "portrait": wallettest.Encode([]byte("a picture of Ada")), "height": gojson.Number("1.75"),
	} {
		if claims[name] != want {
			t.Errorf("%s is %#v", name, claims[name])
		}
	}
	if !d.DeviceKey().Equal(&b.key.PublicKey) || !d.Until().Equal(b.licence.Until) || !d.Signed().Equal(b.licence.From) {
		t.Error("the MSO was misread")
	}
	raw, err := d.IssuerSigned()
	if err != nil {
		t.Fatal(err)
	}
	again, err := mdoc.Parse(raw)
	if err != nil || again.ID() != d.ID() || !strings.HasPrefix(d.ID(), "ni:///sha-256;") {
		t.Errorf("it does not survive being written: %v", err)
	}
	if _, digest, ok := d.Find("portrait"); !ok || len(digest) != 43 {
		t.Errorf("digest %q", digest)
	}
	if _, _, ok := d.Find("iban"); ok {
		t.Error("found what is not there")
	}
}

func TestParseRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*wallettest.Licence){
		"no issuerAuth":     func(l *wallettest.Licence) { l.Whole = func(m map[string]any) { delete(m, "issuerAuth") } },
		"issuerAuth a map":  func(l *wallettest.Licence) { l.Whole = func(m map[string]any) { m["issuerAuth"] = map[string]any{} } },
		"no alg":            func(l *wallettest.Licence) { l.Protected = map[int]any{} },
		"no x5chain":        func(l *wallettest.Licence) { l.Chain = 1 },
		"x5chain empty":     func(l *wallettest.Licence) { l.Chain = []any{} },
		"x5chain nonsense":  func(l *wallettest.Licence) { l.Chain = []byte("x") },
		"no docType":        func(l *wallettest.Licence) { l.DocType = "" },
		"another version":   mso("version", "2.0"),
		"another digest":    mso("digestAlgorithm", "MD5"),
		"no device key":     mso("deviceKeyInfo", map[string]any{}),
		"key off the curve": mso("deviceKeyInfo", map[string]any{"deviceKey": map[int]any{1: 2, -1: 1, -2: make([]byte, 32), -3: make([]byte, 32)}}),
		"key on P-384":      mso("deviceKeyInfo", map[string]any{"deviceKey": map[int]any{1: 2, -1: 2, -2: make([]byte, 48), -3: make([]byte, 48)}}),
		"no validity":       mso("validityInfo", map[string]any{}),
		"validity no date":  mso("validityInfo", map[string]any{"signed": "soon", "validFrom": "soon", "validUntil": "later"}),
		"no digests":        mso("valueDigests", map[string]any{}),
		"digests of others": mso("valueDigests", map[string]any{wallettest.LicenceSpace: map[int]any{0: make([]byte, 32)}}),
		"MSO no map":        func(l *wallettest.Licence) { l.MSO = func(m map[string]any) { clear(m) } },
		"short salt":        func(l *wallettest.Licence) { l.Item = func(i map[string]any) { i["random"] = []byte("short") } },
		"item without name": func(l *wallettest.Licence) { l.Item = func(i map[string]any) { delete(i, "elementIdentifier") } },
		"no value":          func(l *wallettest.Licence) { l.Item = func(i map[string]any) { delete(i, "elementValue") } },
		"two of one name":   func(l *wallettest.Licence) { l.Item = func(i map[string]any) { i["elementIdentifier"] = "x" } },
		"two of one id":     func(l *wallettest.Licence) { l.Item = func(i map[string]any) { i["digestID"] = 0 } },
		"item twice":        func(l *wallettest.Licence) { l.AfterItems = func(i []any) []any { return append(i, i[0]) } },
		"item not wrapped":  func(l *wallettest.Licence) { l.AfterItems = func([]any) []any { return []any{map[string]any{}} } },
		"item of another tag": func(l *wallettest.Licence) {
			l.AfterItems = func([]any) []any { return []any{cbor.Tag{Number: 23, Content: []byte{0xa0}}} }
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			spoil(b.licence)
			if _, err := mdoc.Parse(b.licence.Issue(t, b.issuer)); !errors.Is(err, mdoc.ErrMalformed) {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, raw := range [][]byte{nil, []byte("x"), {0xa0}, {0xa2, 0x61, 'a', 1, 0x61, 'a', 2}, make([]byte, 2<<20)} {
		if _, err := mdoc.Parse(raw); !errors.Is(err, mdoc.ErrMalformed) {
			t.Errorf("%.20x: got %v", raw, err)
		}
	}
}

func mso(name string, value any) func(*wallettest.Licence) {
	return func(l *wallettest.Licence) { l.MSO = func(m map[string]any) { m[name] = value } }
}

func TestVerifyRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*testing.T, *bench)
		says  string
	}{
		"another root":  {func(t *testing.T, b *bench) { b.issuer = wallettest.NewAuthority(t, "X").Party(t, "Office") }, "not trusted"},
		"self-signed":   {func(t *testing.T, b *bench) { b.issuer = wallettest.SelfSigned(t, "Office") }, "self-signed"},
		"root in chain": {func(_ *testing.T, b *bench) { b.licence.Chain = [][]byte{b.issuer.DER[0], b.authority.Certificate.Raw} }, "self-signed"},
		"another key":   {func(t *testing.T, b *bench) { b.issuer.Key = wallettest.NewKey(t) }, "not by the key"},
		"signature cut": {func(_ *testing.T, b *bench) { b.licence.Signature = func(s []byte) []byte { return s[1:] } }, "not by the key"},
		"another alg":   {func(_ *testing.T, b *bench) { b.licence.Protected = map[int]any{1: -35} }, "not by the key"},
		"unknown alg":   {func(_ *testing.T, b *bench) { b.licence.Protected = map[int]any{1: -7000} }, "not by the key"},
		"not yet valid": {func(_ *testing.T, b *bench) { b.licence.From = wallettest.Noon().Add(time.Second) }, "not valid yet"},
		"expired":       {func(_ *testing.T, b *bench) { b.licence.Until = wallettest.Noon() }, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			test.spoil(t, &b)
			if err := b.document(t).Verify(b.authority.Pool(), wallettest.Noon()); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, not %s", err, test.says)
			}
		})
	}
}

// present shows elements to a verifier, who reads them.
func (b bench) present(t testing.TB, p mdoc.Presentation) (mdoc.Response, error) {
	t.Helper()
	p.Key, p.Random = b.key, rand.Reader
	raw, err := b.document(t).Present(p)
	if err != nil {
		t.Fatal(err)
	}
	return mdoc.ReadResponse(raw)
}

func transcript(t testing.TB, nonce string) mdoc.Transcript {
	t.Helper()
	made, err := mdoc.Redirect("https://proofing.example", nonce, nil, "https://proofing.example/face-check")
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestPresentShowsWhatIsAskedForAndNoMore(t *testing.T) {
	b := setUp(t)
	const space = wallettest.LicenceSpace
	for want, elements := range map[string][][2]string{
		"[]":                    nil,
		"[given_name portrait]": {{space, "given_name"}, {space, "portrait"}},
		"[given_name]":          {{space, "given_name"}, {space, "iban"}, {"x", "family_name"}},
		"[sex]":                 {{space, "sex"}, {space, "sex"}, {"org.iso.18013.5.1.aamva", "given_name"}},
	} {
		shown, err := b.present(t, mdoc.Presentation{Elements: elements, Transcript: transcript(t, "n")})
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(slices.Sorted(maps.Keys(wallettest.Elements(shown)))); got != want || shown.DocType != mdoc.DocType {
			t.Errorf("%s shows %s, not %s", shown.DocType, got, want)
		}
		if !wallettest.IssuedBy(shown, b.issuer) || shown.HeldOver(transcript(t, "n")) != nil || shown.HeldOver(transcript(t, "m")) == nil {
			t.Errorf("%s: a signature does not hold, or holds for another nonce", want)
		}
	}
}

func TestFaultsBreakOneThingEach(t *testing.T) {
	b := setUp(t)
	for name, test := range map[string]struct {
		faults                       mdoc.Faults
		digests, issued, held, typed bool
	}{
		"none":      {mdoc.Faults{}, true, true, true, true},
		"issuer":    {mdoc.Faults{Issuer: true}, true, false, true, true},
		"device":    {mdoc.Faults{Device: true}, true, true, false, true},
		"other key": {mdoc.Faults{OtherKey: true}, true, true, false, true},
		"altered":   {mdoc.Faults{Altered: "given_name"}, false, false, false, false},
		"docType":   {mdoc.Faults{DocType: "org.example.other"}, true, true, true, false},
	} {
		elements := [][2]string{{wallettest.LicenceSpace, "given_name"}}
		shown, err := b.present(t, mdoc.Presentation{Elements: elements, Transcript: transcript(t, "n"), Faults: test.faults})
		if (err == nil) != test.digests {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		if wallettest.IssuedBy(shown, b.issuer) != test.issued || (shown.HeldOver(transcript(t, "n")) == nil) != test.held || (shown.DocType == mdoc.DocType) != test.typed {
			t.Errorf("%s breaks something else", name)
		}
	}
}

func TestNothingPersonalIsPrinted(t *testing.T) {
	d := setUp(t).document(t)
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %v", d, d, d, d, d.LogValue()) + string(raw)
	if strings.Contains(printed, "Lovelace") || strings.Contains(printed, "1990-12-10") || !strings.Contains(printed, wallettest.LicenceType) {
		t.Errorf("printed %s", printed)
	}
}

// FuzzParse feeds bytes to the reader: what it takes, it writes again as the same document.
func FuzzParse(f *testing.F) {
	b := setUp(f)
	f.Add(annexD(f))
	f.Add(b.licence.Issue(f, b.issuer))
	f.Add([]byte{0xa0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := mdoc.Parse(raw)
		if err != nil {
			return
		}
		_ = d.Verify(nil, wallettest.Noon())
		written, err := d.IssuerSigned()
		if err != nil {
			t.Fatal(err)
		}
		again, err := mdoc.Parse(written)
		if err != nil || fmt.Sprint(again.Claims()) != fmt.Sprint(d.Claims()) || again.ID() != d.ID() {
			t.Errorf("written and read again it is another: %v", err)
		}
	})
}
