package presentation_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/presentation"
)

// sealFor encrypts as wallets do that name both parties (RFC 7518 §4.6.2, ISO 18013-7): go-jose writes no apu and apv.
func sealFor(t *testing.T, r presentation.Request, enc string, parties [2][]byte) string {
	t.Helper()
	k, apu, apv, plain := key(t, r), parties[0], parties[1], text(t, answer(r))
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	must(t, private, err)
	public, _ := k.Key.(*ecdsa.PublicKey)
	theirs, err := public.ECDH()
	must(t, theirs, err)
	shared, err := private.ECDH(theirs)
	must(t, shared, err)
	size := map[string]int{"A128GCM": 16, "A256GCM": 32}[enc]
	round := append([]byte{0, 0, 0, 1}, shared...)
	for _, part := range [][]byte{[]byte(enc), apu, apv} {
		round = append(binary.BigEndian.AppendUint32(round, uint32(len(part))), part...)
	}
	sum := sha256.Sum256(binary.BigEndian.AppendUint32(round, uint32(size)*8))
	block, err := aes.NewCipher(sum[:size])
	must(t, block, err)
	aead, err := cipher.NewGCM(block)
	must(t, aead, err)
	encode, point := base64.RawURLEncoding.EncodeToString, private.PublicKey().Bytes()
	header := map[string]any{"alg": "ECDH-ES", "enc": enc, "kid": k.KeyID, "epk": map[string]any{"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:])}}
	if apu != nil {
		header["apu"] = encode(apu)
	}
	if apv != nil {
		header["apv"] = encode(apv)
	}
	protected := encode([]byte(text(t, header)))
	iv := make([]byte, 12)
	sealed := aead.Seal(nil, iv, []byte(plain), []byte(protected))
	cut := len(sealed) - 16
	return strings.Join([]string{protected, "", encode(iv), encode(sealed[:cut]), encode(sealed[cut:])}, ".")
}

// TestOpenNamesOfParties holds that apu and apv go into the key: wallets of ISO 18013-7 put their nonce there.
func TestOpenNamesOfParties(t *testing.T) {
	for _, enc := range []string{"A128GCM", "A256GCM"} {
		for name, parties := range map[string][2][]byte{"none": {}, "both": {[]byte("Alice"), []byte("Bob")}, "apu": {[]byte("Alice"), nil}, "apv": {nil, []byte("Bob")}, "long": {make([]byte, 300), make([]byte, 300)}} {
			r := newRequest(t)
			got, err := r.Open(form(sealFor(t, r, enc, parties)), noon)
			if err != nil || got.Presentations["verified_id"][0] != "a~b" {
				t.Errorf("%s, %s: %v", enc, name, err)
			}
		}
	}
}

// TestHeadersThatAreRefused breaks the header of an encrypted answer where go-jose writes none like it.
func TestHeadersThatAreRefused(t *testing.T) {
	encoded := base64.RawURLEncoding.EncodeToString
	for name, row := range map[string]struct {
		header string // JSON with a % for the good one's members, or not JSON
		err    error
		why    string
	}{
		"long":          {`{%,"x":"` + strings.Repeat("x", 4<<10) + `"}`, presentation.ErrTooLarge, "JWE header"},
		"not JSON":      {`{%`, presentation.ErrMalformed, "JWE header: not strict JSON: an object does not end"},
		"a name twice":  {`{%,"alg":"ECDH-ES"}`, presentation.ErrMalformed, "JWE header: not strict JSON: a name stands twice"},
		"deep":          {`{%,"x":[[[[]]]]}`, presentation.ErrMalformed, "JWE header: not strict JSON: nested too deep"},
		"apu no base64": {`{%,"apu":"%%"}`, presentation.ErrMalformed, "JWE header: apu is not base64url"},
		"apu a number":  {`{%,"apu":7}`, presentation.ErrMalformed, "JWE header: apu is not base64url"},
		"apv no base64": {`{%,"apv":"AB"}`, presentation.ErrMalformed, "JWE header: apv is not base64url"},
		"apv null":      {`{%,"apv":null}`, presentation.ErrMalformed, "JWE header: apv is not base64url"},
		"apv broken":    {`{%,"apv":"A\nA"}`, presentation.ErrMalformed, "JWE header: apv is not base64url"},
	} {
		r := newRequest(t)
		parts := strings.Split(seal(t, key(t, r), jose.A128GCM, answer(r)), ".")
		raw, err := base64.RawURLEncoding.DecodeString(parts[0])
		must(t, raw, err)
		parts[0] = encoded([]byte(strings.Replace(row.header, "%", strings.TrimSuffix(strings.TrimPrefix(string(raw), "{"), "}"), 1)))
		if _, err := r.Open(form(strings.Join(parts, ".")), noon); !errors.Is(err, row.err) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: got %v, want %q", name, err, row.why)
		}
	}
	r := newRequest(t)
	sealed := seal(t, key(t, r), jose.A128GCM, answer(r))
	for name, broken := range map[string]string{"a header of another alphabet": "+" + sealed, "a break in the header": "\n" + sealed} {
		if _, err := r.Open(form(broken), noon); !errors.Is(err, presentation.ErrMalformed) || !strings.Contains(err.Error(), "JWE header: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.Open(form(sealed+"\n"), noon); !errors.Is(err, presentation.ErrMalformed) || !strings.Contains(err.Error(), "a part of the JWE") {
		t.Errorf("a break behind it: %v", err)
	}
}

// TestFormsAtTheirLimits holds that the limit itself is allowed, and is refused for something else.
func TestFormsAtTheirLimits(t *testing.T) {
	r := newRequest(t)
	for n, want := range map[int]error{256 << 10: presentation.ErrMalformed, 256<<10 + 1: presentation.ErrTooLarge} {
		if _, err := r.Open(form(strings.Repeat("a", n)), noon); !errors.Is(err, want) {
			t.Errorf("a response of %d: %v", n, err)
		}
		if _, err := presentation.KeyID(form(strings.Repeat("a", n))); !errors.Is(err, want) {
			t.Errorf("the kid of a response of %d: %v", n, err)
		}
	}
	plain := requestOf(t, plainProfile())
	for n, want := range map[int]error{4 << 10: presentation.ErrState, 4<<10 + 1: presentation.ErrTooLarge} {
		sent := answerTo(t, plain)
		sent.Set("state", strings.Repeat("a", n))
		if _, err := plain.Open(sent, noon); !errors.Is(err, want) {
			t.Errorf("a state of %d: %v", n, err)
		}
		if _, err := plain.Open(url.Values{"error": {strings.Repeat("a", n)}, "state": {"x"}}, noon); !errors.Is(err, want) {
			t.Errorf("an error of %d: %v", n, err)
		}
	}
	for n, want := range map[int]error{32: nil, 33: presentation.ErrTooLarge} {
		sent := answerTo(t, plain)
		for i := range n - len(sent) {
			sent.Set(fmt.Sprint("p", i), "x")
		}
		if _, err := plain.Open(sent, noon); !errors.Is(err, want) {
			t.Errorf("%d parameters: %v", n, err)
		}
	}
}

// TestWhatWalletsMaySay holds what a wallet may send with its fetch: visible ASCII, so many keys, a kid so long.
func TestWhatWalletsMaySay(t *testing.T) {
	for nonce, ok := range map[string]bool{
		strings.Repeat("n", 512): true, strings.Repeat("n", 513): false, "!": true, "~": true, " ": false, "a b": false, "a\x7f": false, "\x1f": false, "é": false, "a": true,
	} {
		if got, err := presentation.ParseRequestURIPost(url.Values{"wallet_nonce": {nonce}}); (err == nil) != ok || ok && got.Nonce != nonce || !ok && !errors.Is(err, presentation.ErrMalformed) {
			t.Errorf("a nonce of %d characters, %.3q: %v", len(nonce), nonce, err)
		}
	}
	var mine jose.JSONWebKey
	must(t, mine, json.Unmarshal([]byte(steadyKey), &mine))
	post := func(kid string, count int) error {
		k := mine.Public()
		k.KeyID, k.Use = kid, "enc"
		list := strings.Repeat(text(t, k)+",", count)
		metadata := `{"jwks":{"keys":[` + strings.TrimSuffix(list, ",") + `]},"request_object_encryption_alg_values_supported":["ECDH-ES"]}`
		_, err := presentation.ParseRequestURIPost(url.Values{"wallet_metadata": {metadata}})
		return err
	}
	for name, row := range map[string]struct {
		err, want error
		why       string
	}{
		"a kid":             {post(strings.Repeat("k", 256), 1), nil, ""},
		"a long kid":        {post(strings.Repeat("k", 257), 1), presentation.ErrTooLarge, "wallet_metadata: jwks: kid"},
		"sixteen keys":      {post("k", 16), nil, ""},
		"seventeen keys":    {post("k", 17), presentation.ErrTooLarge, "wallet_metadata: jwks"},
		"a set without any": {post("k", 0), nil, ""},
	} {
		if !errors.Is(row.err, row.want) || row.want != nil && !strings.Contains(row.err.Error(), row.why) {
			t.Errorf("%s: %v", name, row.err)
		}
	}
	for name, row := range map[string]struct{ jwks, why string }{
		"no keys":   {`{}`, "jwks has no keys"},
		"no object": {`[]`, "jwks has no keys"},
		"a text":    {`{"keys":["x"]}`, "jwks holds something else than keys"},
		"off curve": {`{"keys":[{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}]}`, "it is not on its curve"},
	} {
		_, err := presentation.ParseRequestURIPost(url.Values{"wallet_metadata": {`{"jwks":` + row.jwks + `,"request_object_encryption_alg_values_supported":["ECDH-ES"]}`}})
		if !errors.Is(err, presentation.ErrMalformed) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestURIsThatAreAsked holds where an answer may go, and says why it may not go elsewhere.
func TestURIsThatAreAsked(t *testing.T) {
	p := newProfile(t)
	const insecure, other = "it has to begin with https://", "it has no host, or a user, or a fragment"
	long := "https://recover.example.org/" + strings.Repeat("a", 2048-len("https://recover.example.org/"))
	for uri, why := range map[string]string{
		long: "", long + "a": "it is too long", "https://%zz/": "it is not a URL", "https://recover.example.org:8443/a?b=c": "",
		"http://recover.example.org/": insecure, "ftp://localhost/": insecure, "localhost": insecure, "http://10.0.0.1/": insecure, "http://localhost.example.org/": insecure,
		"http://notlocalhost/": insecure, "http://[2001:db8::1]/": insecure,
		"http://localhost/": "", "http://LOCALHOST.:8080/": "", "http://a.localhost/": "", "http://127.0.0.1:1/": "", "http://[::1]/": "",
		"https:///path": other, "https://:443/": other, "https://me@recover.example.org/": other, "https://recover.example.org/#f": other, "https://recover.example.org/#": other,
	} {
		_, err := p.NewRequest(presentation.RequestParams{ResponseURI: uri, Query: recoveryQuery(t), Lifetime: time.Minute}, rand.Reader, noon)
		if (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), "response_uri: "+why) {
			t.Errorf("%.60s: %v, want %q", uri, err, why)
		}
	}
	browser := inBrowser(plainProfile(), presentation.Unsigned)
	const only, port = "it has to be scheme, host and port only, in lower case", "it must not contain the default port of its scheme, or a malformed port"
	for page, why := range map[string]string{
		"https://recover.example.org": "", "https://recover.example.org:8443": "", "http://localhost:8080": "",
		"https://recover.example.org/": only, "https://recover.example.org?": only, "https://Recover.example.org": only, "https://recover.example.org:443": port,
		"http://localhost:80": port, "https://recover.example.org:08443": port, "https://recover.example.org:": port, "https://recover.exämple.org": "its host has to be in ASCII",
		"http://recover.example.org": insecure,
	} {
		_, err := browser.NewRequest(presentation.RequestParams{Origin: page, Query: recoveryQuery(t), Lifetime: time.Minute}, rand.Reader, noon)
		if (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), "origin: "+why) {
			t.Errorf("%s: %v, want %q", page, err, why)
		}
	}
	for lifetime, ok := range map[time.Duration]bool{time.Second: true, time.Second - 1: false, presentation.MaxLifetime: true, presentation.MaxLifetime + 1: false} {
		if _, err := p.NewRequest(presentation.RequestParams{ResponseURI: responseURI, Query: recoveryQuery(t), Lifetime: lifetime}, rand.Reader, noon); (err == nil) != ok {
			t.Errorf("a lifetime of %v: %v", lifetime, err)
		}
	}
}

// TestEndpointsThatInvokeWallets says why an endpoint is none: it becomes a link on our pages.
func TestEndpointsThatInvokeWallets(t *testing.T) {
	const shape = "it has to have the form scheme://…, without user and fragment"
	for endpoint, why := range map[string]string{
		"openid4vp://authorize": "", "https://wallet.example/a?x=1": "", "a+b://c": "",
		"openid4vp:authorize": shape, "openid4vp:/authorize": shape, "openid4vp://me@wallet": shape, "openid4vp://authorize#f": shape, "openid4vp://authorize#": shape,
		"https://me@wallet.example": "it has no host, or a user, or a fragment", "http://wallet.example": "it has to begin with https://",
		"javascript://x/%0aalert(1)": `scheme "javascript" does not lead to a wallet`, "DATA:text/html,x": `scheme "data" does not lead to a wallet`, "wallet": `scheme "" does not lead to a wallet`,
		"openid4vp://a?client_id=x": "its query holds client_id already", "openid4vp://a?x=%zz": "its query cannot be read", "%zz://": "it is not a URL",
	} {
		if err := presentation.CheckEndpoint(endpoint); (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", endpoint, err, why)
		}
	}
}

// TestReferencesAreCleaned holds what of a correlation id is told to a wallet.
func TestReferencesAreCleaned(t *testing.T) {
	for id, want := range map[string]string{
		"": "", "<>\r\n é": "", "azAZ09-_.": " (reference azAZ09-_.)", "`{@[/:": "", strings.Repeat("a", 65): " (reference " + strings.Repeat("a", 64) + ")", "a<b>c": " (reference abc)",
	} {
		_, body := presentation.ErrorBody(presentation.ErrState, id)
		var said struct {
			Description string `json:"error_description"`
		}
		must(t, said, json.Unmarshal([]byte(text(t, body)), &said))
		if cut := strings.Index(said.Description+" (reference", " (reference"); said.Description[cut:] != want {
			t.Errorf("%q: %q, want %q", id, said.Description[cut:], want)
		}
	}
}
