// Package mdoctest is a holder of mobile documents for tests: it takes a licence apart with nothing but a CBOR decoder
// and shows it, in order or with something wrong about it.
package mdoctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// Parts are a licence taken apart; every part may be changed before it is shown.
type Parts struct {
	Names map[string]cbor.RawMessage // element identifier → IssuerSignedItemBytes
	Auth  cbor.RawMessage            // issuerAuth
}

// Read takes an IssuerSigned apart.
func Read(t testing.TB, raw []byte) Parts {
	t.Helper()
	var signed struct {
		Items map[string][]cbor.RawMessage `cbor:"nameSpaces"`
		Auth  cbor.RawMessage              `cbor:"issuerAuth"`
	}
	Decode(t, raw, &signed)
	parts := Parts{Names: map[string]cbor.RawMessage{}, Auth: signed.Auth}
	for _, item := range signed.Items["org.iso.18013.5.1"] {
		var content struct {
			Name string `cbor:"elementIdentifier"`
		}
		Decode(t, Unwrap(t, item), &content)
		parts.Names[content.Name] = item
	}
	return parts
}

// Response is what is shown, before it is encoded; a test changes it.
type Response struct {
	Version, DocType string
	Status           int
	Items            map[string][]cbor.RawMessage
	Auth             cbor.RawMessage
	Device           cbor.RawMessage // DeviceNameSpacesBytes
	Signature        any
	Copies           int // of the document
}

// Show prepares a response with these elements, signed by the device key over the transcript.
func Show(t testing.TB, parts Parts, key *ecdsa.PrivateKey, transcript []byte, names ...string) Response {
	t.Helper()
	r := Response{Version: "1.0", DocType: "org.iso.18013.5.1.mDL", Items: map[string][]cbor.RawMessage{}, Auth: parts.Auth, Copies: 1}
	for _, name := range names {
		r.Items["org.iso.18013.5.1"] = append(r.Items["org.iso.18013.5.1"], parts.Names[name])
	}
	r.Device = Wrap(t, map[string]any{})
	r.Sign(t, key, transcript)
	return r
}

// Sign signs the response as it stands.
func (r *Response) Sign(t testing.TB, key *ecdsa.PrivateKey, transcript []byte) {
	t.Helper()
	protected := Encode(t, map[int]int{1: -7})
	payload := Wrap(t, []any{"DeviceAuthentication", cbor.RawMessage(transcript), r.DocType, r.Device})
	sum := sha256.Sum256(Encode(t, []any{"Signature1", protected, []byte{}, []byte(payload)}))
	a, b, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	r.Signature = []any{protected, map[int]any{}, nil, append(a.FillBytes(make([]byte, 32)), b.FillBytes(make([]byte, 32))...)}
}

// Encode encodes the response.
func (r Response) Encode(t testing.TB) []byte {
	t.Helper()
	auth := map[string]any{}
	if r.Signature != nil {
		auth["deviceSignature"] = r.Signature
	}
	document := map[string]any{
		"docType":      r.DocType,
		"issuerSigned": map[string]any{"nameSpaces": r.Items, "issuerAuth": r.Auth},
		"deviceSigned": map[string]any{"nameSpaces": r.Device, "deviceAuth": auth},
	}
	documents := make([]any, r.Copies)
	for i := range documents {
		documents[i] = document
	}
	return Encode(t, map[string]any{"version": r.Version, "documents": documents, "status": r.Status})
}

// Transcript is the SessionTranscript of a presentation by redirect whose answer is not encrypted (OpenID4VP 1.0
// Appendix B.2.6.1).
func Transcript(t testing.TB, clientID, nonce, responseURI string) []byte {
	t.Helper()
	sum := sha256.Sum256(Encode(t, []any{clientID, nonce, nil, responseURI}))
	return Encode(t, []any{nil, nil, []any{"OpenID4VPHandover", sum[:]}})
}

// NewKey makes a device key.
func NewKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Encode is CBOR.
func Encode(t testing.TB, v any) []byte {
	t.Helper()
	raw, err := cbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Decode is CBOR.
func Decode(t testing.TB, raw []byte, into any) {
	t.Helper()
	if err := cbor.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

// Wrap encodes a value under tag 24.
func Wrap(t testing.TB, v any) cbor.RawMessage {
	t.Helper()
	return Encode(t, cbor.Tag{Number: 24, Content: Encode(t, v)})
}

// Unwrap returns what is under tag 24.
func Unwrap(t testing.TB, raw []byte) []byte {
	t.Helper()
	var tag cbor.Tag
	Decode(t, raw, &tag)
	inner, ok := tag.Content.([]byte)
	if !ok || tag.Number != 24 {
		t.Fatalf("tag %d instead of 24", tag.Number)
	}
	return inner
}
