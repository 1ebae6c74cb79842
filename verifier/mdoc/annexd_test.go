package mdoc_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"regain/verifier/mdoc"
	"regain/verifier/trust"
)

//go:embed testdata/iso-18013-5-annex-d.txt
var annexD string

// example returns a value of the published example.
func example(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(vector(t, annexD, name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// vector returns what stands below a name in a file of vectors.
func vector(t testing.TB, file, name string) string {
	t.Helper()
	_, rest, found := strings.Cut(file, "\n"+name+":\n")
	if !found {
		t.Fatalf("there is no vector %s", name)
	}
	var text strings.Builder
	for line := range strings.Lines(rest) {
		if strings.HasSuffix(line, ":\n") { // the next name
			break
		}
		text.WriteString(strings.TrimSpace(line))
	}
	return text.String()
}

func parseExample(t *testing.T) *mdoc.Parsed {
	t.Helper()
	p, err := mdoc.ParseInsecure(base64.RawURLEncoding.EncodeToString(example(t, "device_response")))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAnnexD verifies the issuer's half of the example that ISO/IEC 18013-5 publishes in its Annex D.
func TestAnnexD(t *testing.T) {
	p := parseExample(t)
	key, err := trust.Leaf(p.Certificates())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.VerifyIssuer(key); err != nil {
		t.Error(err)
	}
	elements, _ := p.Claims()["org.iso.18013.5.1"].(map[string]any)
	portrait, _ := elements["portrait"].(string)
	delete(elements, "portrait")
	if raw, err := base64.RawURLEncoding.DecodeString(portrait); err != nil || len(raw) != 1042 || !bytes.HasPrefix(raw, []byte{0xff, 0xd8}) {
		t.Errorf("portrait of %d bytes, %v", len(raw), err)
	}
	want := map[string]any{
		"family_name": "Doe", "document_number": "123456789", "issue_date": "2019-10-20", "expiry_date": "2024-10-20",
		"driving_privileges": []any{
			map[string]any{"vehicle_category_code": "A", "issue_date": "2018-08-09", "expiry_date": "2024-10-20"},
			map[string]any{"vehicle_category_code": "B", "issue_date": "2017-02-23", "expiry_date": "2024-10-20"},
		},
	}
	if p.DocType() != "org.iso.18013.5.1.mDL" || len(p.Claims()) != 1 || !reflect.DeepEqual(elements, want) {
		t.Errorf("%s has %v", p.DocType(), p.Claims()["org.iso.18013.5.1"])
	}
	signed, from, until := p.Validity()
	if at := time.Date(2020, 10, 1, 13, 30, 2, 0, time.UTC); !signed.Equal(at) || !from.Equal(at) || !until.Equal(at.AddDate(1, 0, 0)) {
		t.Errorf("signed %v, valid from %v until %v", signed, from, until)
	}
	if _, _, there, err := p.Status(); there || err != nil || len(p.Digests()) != 17 {
		t.Errorf("status there: %v, %v; %d digests", there, err, len(p.Digests()))
	}
}

// TestAnnexDDevice holds DeviceAuthenticationBytes against the MAC in the example, whose keys are published: the device
// there authenticates with a MAC over a session of an NFC handover.
func TestAnnexDDevice(t *testing.T) {
	p := parseExample(t)
	session := example(t, "session_transcript_bytes")
	transcript, err := mdoc.Embedded(session)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := p.DeviceAuthentication(transcript)
	if err != nil {
		t.Fatal(err)
	}
	var mac [4]cbor.RawMessage
	if err := cbor.Unmarshal(p.Mac(), &mac); err != nil {
		t.Fatal(err)
	}
	structure, err := cbor.Marshal([]any{"MAC0", mac[0], []byte{}, payload}) // RFC 9052 §6.3
	if err != nil {
		t.Fatal(err)
	}
	h := hmac.New(sha256.New, macKey(t, session))
	h.Write(structure)
	if !bytes.Equal(append([]byte{0x58, 0x20}, h.Sum(nil)...), mac[3]) {
		t.Error("the MAC of the example is over something else")
	}
	if _, err := p.VerifyTranscript(transcript); !errors.Is(err, mdoc.ErrHolder) || !strings.Contains(err.Error(), "MAC") {
		t.Errorf("a MAC: %v", err)
	}
}

// macKey derives EMacKey (ISO 18013-5 §9.1.3.5).
func macKey(t *testing.T, session []byte) []byte {
	t.Helper()
	reader, err := ecdh.P256().NewPrivateKey(example(t, "reader_key"))
	if err != nil {
		t.Fatal(err)
	}
	device, err := ecdh.P256().NewPrivateKey(example(t, "device_key"))
	if err != nil {
		t.Fatal(err)
	}
	secret, err := reader.ECDH(device.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	salt := sha256.Sum256(session)
	key, err := hkdf.Key(sha256.New, secret, salt[:], "EMacKey", sha256.Size)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
