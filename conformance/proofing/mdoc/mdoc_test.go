package mdoc_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"regain/conformance/proofing/mdoc"
	"regain/conformance/proofing/mdoc/mdoctest"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func authority(t testing.TB) *mdoc.Authority {
	t.Helper()
	a, err := mdoc.NewAuthority(mdoc.Config{
		Name: "Northlight Identity", Country: "ZZ", Sign: "UTO", URL: "https://proofing.example", CRLURL: "https://proofing.example/iaca.crl",
	}, noon)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func licence() mdoc.Licence {
	return mdoc.Licence{
		FamilyName: "Lindqvist", GivenName: "Ada", BirthDate: "1988-03-14", Portrait: []byte("a picture of Ada"), DocumentNumber: "SE1",
		IssueDate: "2026-11-26", ExpiryDate: "2027-05-25", Categories: []string{"B"},
	}
}

func issue(t testing.TB, a *mdoc.Authority, device *ecdsa.PublicKey) mdoc.Issued {
	t.Helper()
	issued, err := a.Issue(licence(), mdoc.Terms{
		Device: device, Signed: noon, ValidFrom: noon, ValidUntil: noon.Add(24 * time.Hour), StatusURI: "https://proofing.example/status/1", StatusIndex: 7,
	})
	if err != nil {
		t.Fatal(err)
	}
	return issued
}

// object is the security object as somebody else reads it.
type object struct {
	Version   string                       `cbor:"version"`
	Algorithm string                       `cbor:"digestAlgorithm"`
	Digests   map[string]map[uint64][]byte `cbor:"valueDigests"`
	DocType   string                       `cbor:"docType"`
	Device    struct {
		Key map[int]any `cbor:"deviceKey"`
	} `cbor:"deviceKeyInfo"`
	Validity map[string]cbor.Tag       `cbor:"validityInfo"`
	Status   map[string]map[string]any `cbor:"status"`
}

// readAuth returns what issuerAuth signs, and its certificate.
func readAuth(t *testing.T, raw []byte) (payload, certificate []byte) {
	t.Helper()
	var auth struct {
		_         struct{} `cbor:",toarray"`
		Protected []byte
		Header    map[int]any
		Payload   []byte
		Signature []byte
	}
	mdoctest.Decode(t, raw, &auth)
	if hex.EncodeToString(auth.Protected) != "a10126" || len(auth.Signature) != 64 {
		t.Errorf("protected header %x, %d bytes of signature", auth.Protected, len(auth.Signature))
	}
	certificate, _ = auth.Header[33].([]byte)
	return auth.Payload, certificate
}

// The licence is what ISO/IEC 18013-5 says, read by hand.
func TestIssue(t *testing.T) {
	a, key := authority(t), mdoctest.NewKey(t)
	issued := issue(t, a, &key.PublicKey)
	parts := mdoctest.Read(t, issued.Bytes)
	payload, _ := readAuth(t, parts.Auth)
	var o object
	mdoctest.Decode(t, mdoctest.Unwrap(t, payload), &o)
	if o.Version != "1.0" || o.Algorithm != "SHA-256" || o.DocType != mdoc.DocType || len(o.Digests) != 1 {
		t.Errorf("security object: %+v", o)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprint(map[int]any{1: uint64(2), -1: uint64(1), -2: point[1:33], -3: point[33:]}); fmt.Sprint(o.Device.Key) != want {
		t.Errorf("device key %v", o.Device.Key)
	}
	for name, want := range map[string]string{"signed": "2026-11-26T12:00:00Z", "validFrom": "2026-11-26T12:00:00Z", "validUntil": "2026-11-27T12:00:00Z"} {
		if tag := o.Validity[name]; tag.Number != 0 || tag.Content != want {
			t.Errorf("%s is %v", name, tag)
		}
	}
	if list := o.Status["status_list"]; list["idx"] != uint64(7) || list["uri"] != "https://proofing.example/status/1" {
		t.Errorf("status %v", o.Status)
	}
	sum := sha256.Sum256(payload)
	if issued.ID != "ni:///sha-256;"+base64.RawURLEncoding.EncodeToString(sum[:]) {
		t.Errorf("it is named %s", issued.ID)
	}
}

// Every mandatory element is there, of the type that the standard gives it, under a digest of its own.
func TestElements(t *testing.T) {
	a, key := authority(t), mdoctest.NewKey(t)
	parts := mdoctest.Read(t, issue(t, a, &key.PublicKey).Bytes)
	payload, _ := readAuth(t, parts.Auth)
	var o object
	mdoctest.Decode(t, mdoctest.Unwrap(t, payload), &o)
	day := func(s string) string { return fmt.Sprint(cbor.Tag{Number: 1004, Content: s}) }
	portrait := []byte("a picture of Ada")
	want := map[string]string{
		"family_name": "Lindqvist", "given_name": "Ada", "birth_date": day("1988-03-14"), "issue_date": day("2026-11-26"), "expiry_date": day("2027-05-25"),
		"issuing_country": "ZZ", "issuing_authority": "Northlight Identity", "un_distinguishing_sign": "UTO", "document_number": "SE1",
		"portrait": fmt.Sprintf("%v", portrait), "driving_privileges": "",
	}
	if len(parts.Names) != len(want) || len(o.Digests[mdoc.Namespace]) != len(want) {
		t.Errorf("%d elements, %d digests", len(parts.Names), len(o.Digests[mdoc.Namespace]))
	}
	used := map[uint64]bool{}
	for name, raw := range parts.Names {
		var content struct {
			Digest uint64 `cbor:"digestID"`
			Salt   []byte `cbor:"random"`
			Value  any    `cbor:"elementValue"`
		}
		mdoctest.Decode(t, mdoctest.Unwrap(t, raw), &content)
		sum := sha256.Sum256(raw)
		if string(o.Digests[mdoc.Namespace][content.Digest]) != string(sum[:]) || used[content.Digest] || len(content.Salt) < 16 {
			t.Errorf("%s: digest %d, %d bytes of salt", name, content.Digest, len(content.Salt))
		}
		used[content.Digest] = true
		if expected, known := want[name]; !known || expected != "" && fmt.Sprint(content.Value) != expected {
			t.Errorf("%s is %v", name, content.Value)
		}
	}
}

func TestCertificates(t *testing.T) {
	a, key := authority(t), mdoctest.NewKey(t)
	_, der := readAuth(t, mdoctest.Read(t, issue(t, a, &key.PublicKey).Bytes).Auth)
	signer, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(a.Root)
	if _, err := signer.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		t.Error(err)
	}
	if len(signer.UnknownExtKeyUsage) != 1 || signer.UnknownExtKeyUsage[0].String() != "1.0.18013.5.1.2" || signer.KeyUsage != x509.KeyUsageDigitalSignature {
		t.Errorf("key usages %v", signer.UnknownExtKeyUsage)
	}
	if life := signer.NotAfter.Sub(signer.NotBefore); life > 457*24*time.Hour || len(signer.CRLDistributionPoints) != 1 || len(signer.AuthorityKeyId) != 20 {
		t.Errorf("it lives for %s, CRL at %v", life, signer.CRLDistributionPoints)
	}
	if a.Root.Subject.Country[0] != "ZZ" || signer.Subject.Country[0] != "ZZ" || !a.Root.IsCA || !a.Root.MaxPathLenZero {
		t.Errorf("root %v, signer %v", a.Root.Subject, signer.Subject)
	}
	raw, err := a.RevocationList(noon)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(raw)
	if err != nil || list.CheckSignatureFrom(a.Root) != nil || len(list.RevokedCertificateEntries) != 0 {
		t.Errorf("revocation list: %v", err)
	}
}

func TestAnAuthorityNeedsItsParts(t *testing.T) {
	if _, err := mdoc.NewAuthority(mdoc.Config{Name: "Northlight", Country: "Utopia"}, noon); err == nil {
		t.Error("an authority without a country")
	}
}

// The vector is OpenID4VP 1.0 Appendix B.2.6.1.
func TestTranscript(t *testing.T) {
	thumbprint, err := hex.DecodeString("4283ec927ae0f208daaa2d026a814f2b22dca52cf85ffa8f3f8626c6bd669047")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := mdoc.EncodeTranscript(mdoc.Handover{
		ClientID: "x509_san_dns:example.com", Nonce: "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA", Thumbprint: thumbprint, ResponseURI: "https://example.com/response",
	})
	const want = "83f6f682714f70656e494434565048616e646f7665725820048bc053c00442af9b8eed494cefdd9d95240d254b046b11b68013722aad38ac"
	if err != nil || hex.EncodeToString(raw) != want {
		t.Errorf("%x, %v", raw, err)
	}
}

func TestALicenceIsNotPrinted(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if text := fmt.Sprintf(verb, licence()); strings.Contains(text, "Lindqvist") || strings.Contains(text, hex.EncodeToString([]byte("Lindqvist"))) {
			t.Errorf("%s prints it", verb)
		}
	}
}

func handover() mdoc.Handover {
	return mdoc.Handover{ClientID: "https://proofing.example", Nonce: "n", ResponseURI: "https://proofing.example/face-check"}
}

func transcript(t testing.TB) []byte {
	t.Helper()
	return mdoctest.Transcript(t, "https://proofing.example", "n", "https://proofing.example/face-check")
}

func TestOpen(t *testing.T) {
	a, key := authority(t), mdoctest.NewKey(t)
	issued := issue(t, a, &key.PublicKey)
	response := mdoctest.Show(t, mdoctest.Read(t, issued.Bytes), key, transcript(t), "portrait", "given_name")
	shown, err := a.Open(response.Encode(t), handover(), noon)
	if err != nil {
		t.Fatal(err)
	}
	if shown.ID != issued.ID || string(shown.Portrait) != "a picture of Ada" || !shown.Device.Equal(key.Public()) {
		t.Errorf("shown: %s, %q", shown.ID, shown.Portrait)
	}
	sum := sha256.Sum256(mdoctest.Read(t, issued.Bytes).Names["portrait"])
	if shown.Digest != base64.RawURLEncoding.EncodeToString(sum[:]) {
		t.Errorf("the portrait's digest is %s", shown.Digest)
	}
}

// Each row starts from a good response and breaks one thing.
func TestOpenRefuses(t *testing.T) {
	a, key := authority(t), mdoctest.NewKey(t)
	parts := mdoctest.Read(t, issue(t, a, &key.PublicKey).Bytes)
	other := mdoctest.Read(t, issue(t, a, &key.PublicKey).Bytes)
	foreign := mdoctest.Read(t, issue(t, authority(t), &key.PublicKey).Bytes)
	for name, change := range map[string]func(*mdoctest.Response){
		"version":                    func(r *mdoctest.Response) { r.Version = "2.0" },
		"status":                     func(r *mdoctest.Response) { r.Status = 10 },
		"no document":                func(r *mdoctest.Response) { r.Copies = 0 },
		"two documents":              func(r *mdoctest.Response) { r.Copies = 2 },
		"another type":               func(r *mdoctest.Response) { r.DocType = "org.example.other"; r.Sign(t, key, transcript(t)) },
		"another issuer":             func(r *mdoctest.Response) { r.Auth = foreign.Auth },
		"another's security object":  func(r *mdoctest.Response) { r.Auth = other.Auth },
		"no portrait":                func(r *mdoctest.Response) { r.Items = nil },
		"another licence's portrait": func(r *mdoctest.Response) { r.Items[mdoc.Namespace][0] = other.Names["portrait"] },
		"portrait twice": func(r *mdoctest.Response) {
			r.Items[mdoc.Namespace] = append(r.Items[mdoc.Namespace], parts.Names["portrait"])
		},
		"in another name space":       func(r *mdoctest.Response) { r.Items = map[string][]cbor.RawMessage{"other": r.Items[mdoc.Namespace]} },
		"an element that is not CBOR": func(r *mdoctest.Response) { r.Items[mdoc.Namespace][0] = mdoctest.Encode(t, "x") },
		"no signature":                func(r *mdoctest.Response) { r.Signature = nil },
		"another's signature":         func(r *mdoctest.Response) { r.Sign(t, mdoctest.NewKey(t), transcript(t)) },
		"for another nonce": func(r *mdoctest.Response) {
			r.Sign(t, key, mdoctest.Transcript(t, "https://proofing.example", "m", "https://proofing.example/face-check"))
		},
		"for somebody else": func(r *mdoctest.Response) {
			r.Sign(t, key, mdoctest.Transcript(t, "https://other.example", "n", "https://proofing.example/face-check"))
		},
		"device elements after all": func(r *mdoctest.Response) { r.Device = mdoctest.Wrap(t, map[string]any{"a": map[string]any{"b": 1}}) },
		"device elements not wrapped": func(r *mdoctest.Response) {
			r.Device = mdoctest.Encode(t, map[string]any{})
			r.Sign(t, key, transcript(t))
		},
		"a payload in the signature": func(r *mdoctest.Response) { r.Signature.([]any)[2] = []byte("x") },
		"a short signature":          func(r *mdoctest.Response) { r.Signature.([]any)[3] = []byte("x") },
		"no algorithm":               func(r *mdoctest.Response) { r.Signature.([]any)[0] = []byte{0xa0} },
		"another algorithm":          func(r *mdoctest.Response) { r.Signature.([]any)[0] = mdoctest.Encode(t, map[int]int{1: -8}) },
	} {
		response := mdoctest.Show(t, parts, key, transcript(t), "portrait")
		change(&response)
		if shown, err := a.Open(response.Encode(t), handover(), noon); !errors.Is(err, mdoc.ErrPresentation) || shown.Portrait != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenRefusesBytes(t *testing.T) {
	a, key := authority(t), mdoctest.NewKey(t)
	good := mdoctest.Show(t, mdoctest.Read(t, issue(t, a, &key.PublicKey).Bytes), key, transcript(t), "portrait").Encode(t)
	if _, err := a.Open(good, handover(), noon.Add(-2*time.Hour)); err == nil {
		t.Error("before it is valid")
	}
	if _, err := a.Open(good, handover(), noon.Add(24*time.Hour)); err == nil {
		t.Error("after it was valid")
	}
	for name, raw := range map[string][]byte{
		"nothing": nil, "text": []byte("hello"), "something behind it": append(append([]byte{}, good...), 0), "cut": good[:len(good)-1],
		"a key twice": {0xa2, 0x61, 'a', 1, 0x61, 'a', 2}, "indefinite": {0xbf, 0xff}, "deep": []byte(strings.Repeat("\x81", 200) + "\x00"),
	} {
		if _, err := a.Open(raw, handover(), noon); !errors.Is(err, mdoc.ErrPresentation) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	a, key := authority(f), mdoctest.NewKey(f)
	issued := issue(f, a, &key.PublicKey)
	f.Add(mdoctest.Show(f, mdoctest.Read(f, issued.Bytes), key, transcript(f), "portrait").Encode(f))
	f.Add(issued.Bytes)
	f.Fuzz(func(t *testing.T, raw []byte) {
		shown, err := a.Open(raw, handover(), noon)
		if err == nil && (shown.ID != issued.ID || string(shown.Portrait) != "a picture of Ada") {
			t.Errorf("%x opens as %s", raw, shown.ID)
		}
	})
}
