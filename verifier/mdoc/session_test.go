package mdoc_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"regain/verifier/mdoc"
)

// The example of OpenID4VP 1.0 Appendix B.2.6.
const (
	vectorNonce = "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA"
	vectorX     = "DxiH5Q4Yx3UrukE2lWCErq8N8bqC9CHLLrAwLz5BmE0"
	vectorY     = "XtLM4-3h5o3HUH0MHVJV0kyq0iBlrBwlh8qEDMZ4-Pc"

	vectorThumbprint = "4283ec927ae0f208daaa2d026a814f2b22dca52cf85ffa8f3f8626c6bd669047"

	vectorInfo = "847818783530395f73616e5f646e733a6578616d706c652e636f6d782b6578633767426b786a7831726463397564527276654b7653734a4971" +
		"383061766c58654c4868477771744158204283ec927ae0f208daaa2d026a814f2b22dca52cf85ffa8f3f8626c6bd669047781c68747470733a2f2f6578" +
		"616d706c652e636f6d2f726573706f6e7365"
	vectorTranscript = "83f6f682714f70656e494434565048616e646f7665725820048bc053c00442af9b8eed494cefdd9d95240d254b046b11b68013722aad38ac"

	vectorInfoDCAPI = "837368747470733a2f2f6578616d706c652e636f6d782b6578633767426b786a7831726463397564527276654b7653734a49713830" +
		"61766c58654c4868477771744158204283ec927ae0f208daaa2d026a814f2b22dca52cf85ffa8f3f8626c6bd669047"
	vectorTranscriptDCAPI = "83f6f682764f70656e4944345650444341504948616e646f7665725820fbece366f4212f9762c74cfdbf83b8c69e371d5d68cea09cb4c4" +
		"8ca6daab761a"
)

// thumbprint is RFC 7638 for the example's key: its required members alone, in order.
func thumbprint(t *testing.T) []byte {
	t.Helper()
	sum := sha256.Sum256([]byte(`{"crv":"P-256","kty":"EC","x":"` + vectorX + `","y":"` + vectorY + `"}`))
	if got := hex.EncodeToString(sum[:]); got != vectorThumbprint {
		t.Fatalf("thumbprint is %s", got)
	}
	return sum[:]
}

func vectorRedirect(t *testing.T) mdoc.Session {
	t.Helper()
	return mdoc.Session{
		ClientID: "x509_san_dns:example.com", Nonce: vectorNonce, ResponseURI: "https://example.com/response", Thumbprint: thumbprint(t),
	}
}

func vectorPage(t *testing.T) mdoc.Session {
	t.Helper()
	return mdoc.Session{Origin: "https://example.com", Nonce: vectorNonce, Thumbprint: thumbprint(t)}
}

func TestTranscriptVectors(t *testing.T) {
	for name, tt := range map[string]struct {
		session          mdoc.Session
		info, transcript string
	}{
		"redirect (B.2.6.1)":                {vectorRedirect(t), vectorInfo, vectorTranscript},
		"Digital Credentials API (B.2.6.2)": {vectorPage(t), vectorInfoDCAPI, vectorTranscriptDCAPI},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tt.session.Transcript()
			if err != nil || hex.EncodeToString(got) != tt.transcript {
				t.Errorf("got %x, %v", got, err)
			}
			info, err := hex.DecodeString(tt.info)
			if err != nil {
				t.Fatal(err)
			}
			if sum := sha256.Sum256(info); !bytes.HasSuffix(got, sum[:]) {
				t.Error("it does not hash the handover info of the example")
			}
		})
	}
}

// TestTranscriptInTheClear holds that an answer that is not encrypted has null where the thumbprint would be.
func TestTranscriptInTheClear(t *testing.T) {
	for name, tt := range map[string]struct {
		session mdoc.Session
		info    []any
	}{
		"redirect": {mdoc.Session{ClientID: "c", Nonce: "n", ResponseURI: "r"}, []any{"c", "n", nil, "r"}},
		"page":     {mdoc.Session{Origin: "o", Nonce: "n"}, []any{"o", "n", nil}},
		"page, with what it does not use": {
			mdoc.Session{Origin: "o", Nonce: "n", ClientID: "c", ResponseURI: "r", Thumbprint: []byte{}}, []any{"o", "n", nil},
		},
	} {
		info, err := cbor.Marshal(tt.info)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(info)
		if got, err := tt.session.Transcript(); err != nil || !bytes.HasSuffix(got, sum[:]) {
			t.Errorf("%s: got %x, %v", name, got, err)
		}
	}
}

// TestTranscriptRefuses holds that nothing is ever bound to nothing.
func TestTranscriptRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		change func(s *mdoc.Session)
		why    string
	}{
		"no client id":           {func(s *mdoc.Session) { s.ClientID = "" }, "session: client id, nonce or response URI is missing"},
		"no nonce":               {func(s *mdoc.Session) { s.Nonce = "" }, "session: client id, nonce or response URI is missing"},
		"no response URI":        {func(s *mdoc.Session) { s.ResponseURI = "" }, "session: client id, nonce or response URI is missing"},
		"page without a nonce":   {func(s *mdoc.Session) { s.Origin, s.Nonce = "https://example.com", "" }, "session: client id, nonce or response URI is missing"},
		"origin with a prefix":   {func(s *mdoc.Session) { s.Origin = "origin:https://example.com" }, "session: the origin has a prefix"},
		"thumbprint cut short":   {func(s *mdoc.Session) { s.Thumbprint = s.Thumbprint[1:] }, "session: the thumbprint is not a SHA-256"},
		"thumbprint in its text": {func(s *mdoc.Session) { s.Thumbprint = []byte(base64.RawURLEncoding.EncodeToString(s.Thumbprint)) }, "session: the thumbprint is not a SHA-256"},
		"nothing":                {func(s *mdoc.Session) { *s = mdoc.Session{} }, "session: client id, nonce or response URI is missing"},
	} {
		s := mdoc.Session{ClientID: "c", Nonce: "n", ResponseURI: "r", Thumbprint: thumbprint(t)}
		row.change(&s)
		if got, err := s.Transcript(); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: got %x, %v", name, got, err)
		}
	}
}
