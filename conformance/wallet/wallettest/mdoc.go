package wallettest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
)

const (
	LicenceType  = "org.iso.18013.5.1.mDL"
	LicenceSpace = "org.iso.18013.5.1"
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

// Device is a DeviceResponse with one document, taken apart by hand.
type Device struct {
	Version  string
	DocType  string
	MSOType  string
	Status   uint64
	Elements map[string]any // of every namespace, by name
	Spaces   []string
	Fits     bool // every item has the digest that the issuer signed
	Payload  []byte
	Digests  map[string]string // base64url, by name

	auth, device coseSign1
	nameSpaces   cbor.RawMessage
	key          *ecdsa.PublicKey
	leaf         []byte
}

type coseSign1 struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected map[int]cbor.RawMessage
	Payload     []byte
	Signature   []byte
}

// ReadDevice takes a DeviceResponse apart (ISO/IEC 18013-5 §8.3.2.1.2.2).
func ReadDevice(t testing.TB, raw []byte) Device {
	t.Helper()
	var body struct {
		Version   string `cbor:"version"`
		Status    uint64 `cbor:"status"`
		Documents []struct {
			DocType string `cbor:"docType"`
			Issuer  struct {
				Spaces map[string][]cbor.RawMessage `cbor:"nameSpaces"`
				Auth   coseSign1                    `cbor:"issuerAuth"`
			} `cbor:"issuerSigned"`
			Device struct {
				Spaces cbor.RawMessage      `cbor:"nameSpaces"`
				Auth   map[string]coseSign1 `cbor:"deviceAuth"`
			} `cbor:"deviceSigned"`
		} `cbor:"documents"`
	}
	FromCBOR(t, raw, &body)
	if len(body.Documents) != 1 {
		t.Fatalf("%d documents in a DeviceResponse", len(body.Documents))
	}
	shown := body.Documents[0]
	d := Device{
		Version: body.Version, Status: body.Status, DocType: shown.DocType, Elements: map[string]any{}, Digests: map[string]string{}, Fits: true,
		auth: shown.Issuer.Auth, device: shown.Device.Auth["deviceSignature"], nameSpaces: shown.Device.Spaces, Payload: shown.Issuer.Auth.Payload,
	}
	d.readMSO(t, shown.Issuer.Spaces)
	return d
}

func (d *Device) readMSO(t testing.TB, spaces map[string][]cbor.RawMessage) {
	t.Helper()
	var mso struct {
		DocType string                       `cbor:"docType"`
		Digests map[string]map[uint64][]byte `cbor:"valueDigests"`
		Info    struct {
			Key struct {
				X []byte `cbor:"-2,keyasint"`
				Y []byte `cbor:"-3,keyasint"`
			} `cbor:"deviceKey"`
		} `cbor:"deviceKeyInfo"`
	}
	FromCBOR(t, inside(t, d.Payload), &mso)
	d.MSOType = mso.DocType
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4}, mso.Info.Key.X, mso.Info.Key.Y))
	if err != nil {
		t.Fatal(err)
	}
	d.key = key
	for space, items := range spaces {
		d.Spaces = append(d.Spaces, space)
		for _, raw := range items {
			var item struct {
				ID    uint64 `cbor:"digestID"`
				Name  string `cbor:"elementIdentifier"`
				Value any    `cbor:"elementValue"`
			}
			FromCBOR(t, inside(t, raw), &item)
			sum := sha256.Sum256(raw)
			d.Elements[item.Name] = item.Value
			d.Digests[item.Name] = Encode(mso.Digests[space][item.ID])
			d.Fits = d.Fits && hex.EncodeToString(sum[:]) == hex.EncodeToString(mso.Digests[space][item.ID])
		}
	}
	FromCBOR(t, d.auth.Unprotected[33], &d.leaf)
}

// DeviceKey is the holder's key in the MSO.
func (d Device) DeviceKey() *ecdsa.PublicKey { return d.key }

// Holds reports whether the device key of the MSO signed this transcript.
func (d Device) Holds(t testing.TB, transcript []byte) bool {
	t.Helper()
	message := ToCBOR(t, Wrapped(t, []any{"DeviceAuthentication", cbor.RawMessage(transcript), d.DocType, d.nameSpaces}))
	return d.device.Payload == nil && verifyCOSE(t, d.key, d.device.Protected, message, d.device.Signature)
}

// IssuedBy reports whether the document is signed by the party and says what it signed.
func (d Device) IssuedBy(t testing.TB, p Party) bool {
	t.Helper()
	return string(d.leaf) == string(p.DER[0]) && verifyCOSE(t, &p.Key.PublicKey, d.auth.Protected, d.auth.Payload, d.auth.Signature)
}

// Empty reports whether nothing is device-signed.
func (d Device) Empty(t testing.TB) bool {
	t.Helper()
	return string(inside(t, d.nameSpaces)) == "\xa0"
}

func verifyCOSE(t testing.TB, key *ecdsa.PublicKey, protected, payload, signature []byte) bool {
	t.Helper()
	sum := sha256.Sum256(ToCBOR(t, []any{"Signature1", protected, []byte{}, payload}))
	return len(signature) == 64 && ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}

func inside(t testing.TB, raw []byte) []byte {
	t.Helper()
	var tag cbor.Tag
	FromCBOR(t, raw, &tag)
	content, ok := tag.Content.([]byte)
	if !ok || tag.Number != 24 {
		t.Fatalf("no tag 24 in %x", raw)
	}
	return content
}

// Transcript is the SessionTranscript of OpenID4VP 1.0 Appendix B.2.6, written by hand: name is the
// kind of handover, info what its hash is over.
func Transcript(t testing.TB, name string, info ...any) []byte {
	t.Helper()
	sum := sha256.Sum256(ToCBOR(t, info))
	return ToCBOR(t, []any{nil, nil, []any{name, sum[:]}})
}
