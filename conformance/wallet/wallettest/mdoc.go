package wallettest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"regain/conformance/mdoc"
)

// The type and the one name space of a Licence.
const (
	LicenceType  = mdoc.DocType
	LicenceSpace = mdoc.Namespace
)

// Licence is an mdoc of a test before its issuer signs it. A test breaks it by changing a member.
type Licence struct {
	DocType    string
	Space      string
	Elements   map[string]any
	From       time.Time
	Until      time.Time
	Algorithm  string               // of the digests
	Holder     *ecdsa.PublicKey     // the device key
	MSO        func(map[string]any) // changes the MSO
	Item       func(map[string]any) // changes every item before its digest is made
	AfterItems func([]any) []any    // changes the items after that
	Protected  map[int]any          // header of the signature
	Chain      any                  // x5chain, the signer's when nil
	Signature  func([]byte) []byte  // changes the signature
	Whole      func(map[string]any) // changes the IssuerSigned
}

// NewLicence is a driving licence of Ada's.
func NewLicence(holder *ecdsa.PublicKey) *Licence {
	return &Licence{
		DocType: LicenceType, Space: LicenceSpace, From: Noon().Add(-time.Hour), Until: Noon().Add(24 * time.Hour),
		Algorithm: "SHA-256", Holder: holder, Protected: map[int]any{1: -7},
		Elements: map[string]any{
			"given_name": "Ada", "family_name": "Lovelace", "birth_date": cbor.Tag{Number: 1004, Content: "1990-12-10"},
			"issue_date": cbor.Tag{Number: 0, Content: "2026-11-01T00:00:00Z"}, "portrait": []byte("a picture of Ada"),
			"document_number": "X1", "sex": 2, "age_over_18": true, "height": 1.75,
			"driving_privileges": []any{map[string]any{"vehicle_category_code": "B"}},
		},
	}
}

// Issue writes the IssuerSigned by hand, after ISO/IEC 18013-5 §9.1.2.
func (l *Licence) Issue(t testing.TB, signs Party) []byte {
	t.Helper()
	digests := map[uint64][]byte{}
	var items []any
	for id, name := range slices.Sorted(maps.Keys(l.Elements)) {
		inner := map[string]any{"digestID": id, "random": []byte(Random(t)), "elementIdentifier": name, "elementValue": l.Elements[name]}
		raw := cbor.RawMessage(ToCBOR(t, Wrapped(t, change(inner, l.Item))))
		sum := sha256.Sum256(raw)
		digests[uint64(id)] = sum[:]
		items = append(items, raw)
	}
	if l.AfterItems != nil {
		items = l.AfterItems(items)
	}
	mso := change(map[string]any{
		"version": "1.0", "digestAlgorithm": l.Algorithm, "docType": l.DocType,
		"valueDigests":  map[string]any{l.Space: digests},
		"deviceKeyInfo": map[string]any{"deviceKey": COSEKey(l.Holder)},
		"validityInfo":  map[string]any{"signed": Date(l.From), "validFrom": Date(l.From), "validUntil": Date(l.Until)},
		"status":        map[string]any{"status_list": map[string]any{"idx": 7, "uri": "https://issuer.example/status"}},
	}, l.MSO)
	payload := ToCBOR(t, Wrapped(t, mso))
	protected := ToCBOR(t, l.Protected)
	signature := SignCOSE(t, signs.Key, protected, payload)
	if l.Signature != nil {
		signature = l.Signature(signature)
	}
	if l.Chain == nil {
		l.Chain = signs.DER[0]
	}
	return ToCBOR(t, change(map[string]any{
		"nameSpaces": map[string]any{l.Space: items},
		"issuerAuth": []any{protected, map[int]any{33: l.Chain}, payload, signature},
	}, l.Whole))
}

// Date is a tdate.
func Date(at time.Time) cbor.Tag { return cbor.Tag{Number: 0, Content: at.UTC().Format(time.RFC3339)} }

// COSEKey is a public key on P-256 as a COSE_Key.
func COSEKey(key *ecdsa.PublicKey) map[int]any {
	point, err := key.ECDH()
	if err != nil {
		return nil
	}
	raw := point.Bytes()
	return map[int]any{1: 2, -1: 1, -2: raw[1:33], -3: raw[33:]}
}

// SignCOSE signs the Sig_structure of a COSE_Sign1 (RFC 9052 §4.4).
func SignCOSE(t testing.TB, key *ecdsa.PrivateKey, protected, payload []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(ToCBOR(t, []any{"Signature1", protected, []byte{}, payload}))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

// Wrapped is #6.24(bstr .cbor v).
func Wrapped(t testing.TB, v any) cbor.Tag {
	t.Helper()
	return cbor.Tag{Number: 24, Content: ToCBOR(t, v)}
}

func ToCBOR(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := cbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func FromCBOR(t testing.TB, raw []byte, into any) {
	t.Helper()
	if err := cbor.Unmarshal(raw, into); err != nil {
		t.Fatalf("%v in %x", err, raw)
	}
}

func readDevice(t testing.TB, presentation string) mdoc.Response {
	t.Helper()
	shown, err := mdoc.ReadResponse(Decode(t, presentation))
	if err != nil {
		t.Fatal(err)
	}
	return shown
}

// Elements are the data elements that are shown, by their names.
func Elements(shown mdoc.Response) map[string]any {
	elements, _ := shown.Document.Claims()[LicenceSpace].(map[string]any)
	return elements
}

// IssuedBy reports whether the party signed what is shown.
func IssuedBy(shown mdoc.Response, p Party) bool {
	return bytes.Equal(shown.Document.Chain().Leaf().Raw, p.DER[0]) && shown.Document.Verify(nil, Noon()) == nil
}
