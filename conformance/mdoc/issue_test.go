package mdoc_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"regain/conformance/mdoc"
	"regain/conformance/wallet/wallettest"
)

func authority(t testing.TB) *mdoc.Authority {
	t.Helper()
	a, err := mdoc.NewAuthority(mdoc.Config{
		Name: "Northlight Identity", Country: "ZZ", Sign: "UTO", URL: "https://proofing.example", CRLURL: "https://proofing.example/iaca.crl",
	}, wallettest.Noon())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func issue(t testing.TB, a *mdoc.Authority, device *ecdsa.PublicKey) mdoc.Issued {
	t.Helper()
	noon := wallettest.Noon()
	issued, err := a.Issue(mdoc.Licence{
		FamilyName: "Lindqvist", GivenName: "Ada", BirthDate: "1988-03-14", Portrait: []byte("a picture of Ada"), DocumentNumber: "SE1",
		IssueDate: "2026-11-26", ExpiryDate: "2027-05-25", Categories: []string{"B"},
	}, mdoc.Terms{Device: device, Signed: noon, ValidFrom: noon, ValidUntil: noon.Add(24 * time.Hour), StatusURI: "https://proofing.example/status/1", StatusIndex: 7})
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

// The licence is what ISO/IEC 18013-5 says, read with nothing but a CBOR decoder. Every mandatory element is there
// (§7.2.1), of the type that the standard gives it.
func TestIssue(t *testing.T) {
	a, key := authority(t), wallettest.NewKey(t)
	issued := issue(t, a, &key.PublicKey)
	var signed struct {
		Spaces map[string][]cbor.Tag `cbor:"nameSpaces"`
		Auth   []any                 `cbor:"issuerAuth"`
	}
	wallettest.FromCBOR(t, issued.Bytes, &signed)
	if fmt.Sprintf("%x", signed.Auth[0]) != "a10126" || len(signed.Auth[3].([]byte)) != 64 {
		t.Errorf("signed by %x", signed.Auth[0])
	}
	var payload cbor.Tag
	var object map[string]any
	wallettest.FromCBOR(t, signed.Auth[2].([]byte), &payload)
	wallettest.FromCBOR(t, payload.Content.([]byte), &object)
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	at := wallettest.Noon()
	for name, want := range map[string]any{
		"version": "1.0", "digestAlgorithm": "SHA-256", "docType": "org.iso.18013.5.1.mDL",
		"deviceKeyInfo": map[any]any{"deviceKey": map[any]any{1: 2, -1: 1, -2: point[1:33], -3: point[33:]}},
		"validityInfo":  map[any]any{"signed": at, "validFrom": at, "validUntil": at.Add(24 * time.Hour)},
		"status":        map[any]any{"status_list": map[any]any{"idx": 7, "uri": "https://proofing.example/status/1"}},
	} {
		if fmt.Sprint(object[name]) != fmt.Sprint(want) {
			t.Errorf("%s is %v, not %v", name, object[name], want)
		}
	}
	day := func(text string) any { return cbor.Tag{Number: 1004, Content: text} }
	elements := map[string]any{
		"family_name": "Lindqvist", "given_name": "Ada", "birth_date": day("1988-03-14"), "issue_date": day("2026-11-26"), "expiry_date": day("2027-05-25"),
		"issuing_country": "ZZ", "issuing_authority": "Northlight Identity", "un_distinguishing_sign": "UTO", "document_number": "SE1", "portrait": []byte("a picture of Ada"),
		"driving_privileges": []any{map[any]any{"vehicle_category_code": "B", "issue_date": day("2026-11-26"), "expiry_date": day("2027-05-25")}},
	}
	if len(signed.Spaces) != 1 || len(signed.Spaces["org.iso.18013.5.1"]) != len(elements) {
		t.Errorf("%d elements", len(signed.Spaces["org.iso.18013.5.1"]))
	}
	for _, wrapped := range signed.Spaces["org.iso.18013.5.1"] {
		var item map[string]any
		wallettest.FromCBOR(t, wrapped.Content.([]byte), &item)
		name, _ := item["elementIdentifier"].(string)
		if fmt.Sprint(item["elementValue"]) != fmt.Sprint(elements[name]) || len(item["random"].([]byte)) < 16 {
			t.Errorf("%s is %v", name, item["elementValue"])
		}
	}
	d, err := mdoc.Parse(issued.Bytes)
	if err != nil || d.ID() != issued.ID {
		t.Errorf("it is named %s, %v", issued.ID, err)
	}
}

func TestCertificates(t *testing.T) {
	a, key := authority(t), wallettest.NewKey(t)
	d, err := mdoc.Parse(issue(t, a, &key.PublicKey).Bytes)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.Root)
	if err := d.Verify(roots, wallettest.Noon()); err != nil {
		t.Error(err)
	}
	signer := d.Chain().Leaf()
	if len(signer.UnknownExtKeyUsage) != 1 || signer.UnknownExtKeyUsage[0].String() != "1.0.18013.5.1.2" || signer.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("key usages %v", signer.UnknownExtKeyUsage)
	}
	if life := signer.NotAfter.Sub(signer.NotBefore); life > 457*24*time.Hour || len(signer.CRLDistributionPoints) != 1 || len(signer.AuthorityKeyId) != 20 {
		t.Errorf("it lives for %s, CRL at %v", life, signer.CRLDistributionPoints)
	}
	if a.Root.Subject.Country[0] != "ZZ" || signer.Subject.Country[0] != "ZZ" || !a.Root.IsCA || !a.Root.MaxPathLenZero {
		t.Errorf("root %v, signer %v", a.Root.Subject, signer.Subject)
	}
	raw, err := a.RevocationList(wallettest.Noon())
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(raw)
	if err != nil || list.CheckSignatureFrom(a.Root) != nil || len(list.RevokedCertificateEntries) != 0 {
		t.Errorf("revocation list: %v", err)
	}
	if _, err := mdoc.NewAuthority(mdoc.Config{Name: "Northlight", Country: "Utopia"}, wallettest.Noon()); err == nil {
		t.Error("an authority without a country")
	}
}

func TestLicencesDoNotPrint(t *testing.T) {
	l := mdoc.Licence{FamilyName: "Lindqvist", Portrait: []byte("Lindqvist")}
	if printed := fmt.Sprintf("%v %+v %#v %s %q %x %v %s", l, l, l, l, l, l, l.LogValue(), wallettest.ToJSON(t, l)); strings.Contains(printed, "Lindqvist") || strings.Contains(printed, hex.EncodeToString([]byte("Lind"))) {
		t.Errorf("printed %s", printed)
	}
}

// shown is the licence with its portrait, as its holder presents it to the authority.
func shown(t testing.TB, issued mdoc.Issued, p mdoc.Presentation, names ...string) []byte {
	t.Helper()
	d, err := mdoc.Parse(issued.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		p.Elements = append(p.Elements, [2]string{mdoc.Namespace, name})
	}
	p.Random = rand.Reader
	if p.Transcript == nil {
		p.Transcript = transcript(t, "n")
	}
	raw, err := d.Present(p)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestOpen(t *testing.T) {
	a, key := authority(t), wallettest.NewKey(t)
	issued := issue(t, a, &key.PublicKey)
	got, err := a.Open(shown(t, issued, mdoc.Presentation{Key: key}, "portrait", "given_name"), transcript(t, "n"), wallettest.Noon())
	if err != nil {
		t.Fatal(err)
	}
	if got.Document.ID() != issued.ID || string(got.Portrait) != "a picture of Ada" || !key.PublicKey.Equal(got.Document.DeviceKey()) || len(got.Digest) != 43 {
		t.Errorf("%v, digest %s", got.Document, got.Digest)
	}
}

// Each row starts from a good presentation and breaks one thing.
func TestOpenRefuses(t *testing.T) {
	a, key := authority(t), wallettest.NewKey(t)
	issued := issue(t, a, &key.PublicKey)
	good := shown(t, issued, mdoc.Presentation{Key: key}, "portrait")
	changed := func(change func(response, document map[string]any)) []byte {
		var response map[string]any
		wallettest.FromCBOR(t, good, &response)
		inner := map[string]any{}
		for name, value := range response["documents"].([]any)[0].(map[any]any) {
			inner[name.(string)] = value
		}
		change(response, inner)
		response["documents"].([]any)[0] = inner
		return wallettest.ToCBOR(t, response)
	}
	signature := func(document map[string]any) []any {
		return document["deviceSigned"].(map[any]any)["deviceAuth"].(map[any]any)["deviceSignature"].([]any)
	}
	spaces := func(document map[string]any) map[any]any {
		return document["issuerSigned"].(map[any]any)["nameSpaces"].(map[any]any)
	}
	for name, test := range map[string]struct {
		raw  []byte
		says string
	}{
		"another version": {changed(func(r, _ map[string]any) { r["version"] = "1.1" }), "one document"},
		"a status":        {changed(func(r, _ map[string]any) { r["status"] = 10 }), "one document"},
		"no version":      {changed(func(r, _ map[string]any) { delete(r, "version") }), "one document"},
		"no portrait":     {shown(t, issued, mdoc.Presentation{Key: key}, "given_name"), "portrait is not shown"},
		"portrait twice": {changed(func(_, d map[string]any) {
			s := spaces(d)
			s[mdoc.Namespace] = append(s[mdoc.Namespace].([]any), s[mdoc.Namespace].([]any)[0])
		}), "stands twice"},
		"in another space": {changed(func(_, d map[string]any) { s := spaces(d); s["other"] = s[mdoc.Namespace]; delete(s, mdoc.Namespace) }), "not the digest"},
		"no CBOR inside":   {changed(func(_, d map[string]any) { spaces(d)[mdoc.Namespace] = []any{"x"} }), "not the CBOR"},
		"no signature":     {changed(func(_, d map[string]any) { d["deviceSigned"].(map[any]any)["deviceAuth"] = map[string]any{} }), "no signature"},
		"not detached":     {changed(func(_, d map[string]any) { signature(d)[2] = []byte("x") }), "not detached"},
		"a short one":      {changed(func(_, d map[string]any) { signature(d)[3] = []byte("x") }), "not by the key"},
		"no algorithm":     {changed(func(_, d map[string]any) { signature(d)[0] = []byte{0xa0} }), "not by the key"},
		"another one":      {changed(func(_, d map[string]any) { signature(d)[0] = wallettest.ToCBOR(t, map[int]int{1: -8}) }), "not by the key"},
		"device elements": {changed(func(_, d map[string]any) {
			d["deviceSigned"].(map[any]any)["nameSpaces"] = wallettest.Wrapped(t, map[string]any{"a": 1})
		}), "not by the key"},
		"not wrapped":      {changed(func(_, d map[string]any) { d["deviceSigned"].(map[any]any)["nameSpaces"] = map[string]any{} }), "elements of the device"},
		"another's key":    {shown(t, issued, mdoc.Presentation{Key: wallettest.NewKey(t)}, "portrait"), "not by the key"},
		"another nonce":    {shown(t, issued, mdoc.Presentation{Key: key, Transcript: transcript(t, "m")}, "portrait"), "not by the key"},
		"another issuer":   {shown(t, issue(t, authority(t), &key.PublicKey), mdoc.Presentation{Key: key}, "portrait"), "issuerAuth"},
		"another type":     {shown(t, issued, mdoc.Presentation{Key: key, Faults: mdoc.Faults{DocType: "org.example.other"}}, "portrait"), "another type"},
		"altered":          {shown(t, issued, mdoc.Presentation{Key: key, Faults: mdoc.Faults{Altered: "portrait"}}, "portrait"), "not the digest"},
		"nothing":          {nil, "not the CBOR"},
		"text":             {[]byte("hello"), "not the CBOR"},
		"something behind": {append(append([]byte{}, good...), 0), "not the CBOR"},
		"cut":              {good[:len(good)-1], "not the CBOR"},
		"a name twice":     {[]byte{0xa2, 0x61, 'a', 1, 0x61, 'a', 2}, "not the CBOR"},
		"deep":             {[]byte(strings.Repeat("\x81", 200) + "\x00"), "not the CBOR"},
	} {
		got, err := a.Open(test.raw, transcript(t, "n"), wallettest.Noon())
		if !errors.Is(err, mdoc.ErrPresentation) || got.Portrait != nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, not %s", name, err, test.says)
		}
	}
	for _, at := range []time.Duration{-2 * time.Hour, 24 * time.Hour} {
		if _, err := a.Open(good, transcript(t, "n"), wallettest.Noon().Add(at)); !errors.Is(err, mdoc.ErrPresentation) {
			t.Errorf("at %s: %v", at, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	a, key := authority(f), wallettest.NewKey(f)
	issued := issue(f, a, &key.PublicKey)
	f.Add(shown(f, issued, mdoc.Presentation{Key: key}, "portrait"))
	f.Add(issued.Bytes)
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := a.Open(raw, transcript(t, "n"), wallettest.Noon())
		if err == nil && (got.Document.ID() != issued.ID || string(got.Portrait) != "a picture of Ada") {
			t.Errorf("%x opens as %s", raw, got.Document.ID())
		}
	})
}
