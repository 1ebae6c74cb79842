package wallet_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
)

// verifier is an OpenID4VP 1.0 verifier of a test. A test breaks it by setting a hook.
type verifier struct {
	t        testing.TB
	server   *httptest.Server
	signs    party
	clientID string
	nonce    string
	state    string
	kid      string
	key      *ecdh.PrivateKey
	query    map[string]any
	posts    []url.Values // answers received
	bodies   []string     // the same as they came
	fetches  []*http.Request

	claims    func(map[string]any) // of the request object
	typ       string
	mediaType string
	raw       func(string) string // the request object as text
	status    int                 // of the answer to a post
	body      string
	bodyType  string
}

func newVerifier(t testing.TB, signs party) *verifier {
	t.Helper()
	key, err := newKey(t).ECDH()
	if err != nil {
		t.Fatal(err)
	}
	v := &verifier{
		t: t, signs: signs, clientID: signs.clientID(), nonce: random(t), state: random(t), kid: random(t), key: key,
		query: fullQuery(), typ: "oauth-authz-req+jwt", mediaType: "application/oauth-authz-req+jwt",
		status: http.StatusOK, bodyType: "application/json",
	}
	v.server = httptest.NewServer(v)
	v.body = `{"redirect_uri":"` + v.server.URL + `/done?response_code=abc#x","unknown":1}`
	t.Cleanup(v.server.Close)
	return v
}

// fullQuery asks for the name in a Verified ID and for a Face Check.
func fullQuery() map[string]any {
	return map[string]any{"credentials": []any{
		map[string]any{"id": "verified_id", "format": "dc+sd-jwt", "meta": map[string]any{"vct_values": []string{identityType}},
			"claims": []any{map[string]any{"path": []any{"given_name"}}, map[string]any{"path": []any{"family_name"}}}},
		map[string]any{"id": "face_check", "format": "dc+sd-jwt", "meta": map[string]any{"vct_values": []string{receiptType}},
			"claims": []any{map[string]any{"path": []any{"faceCheckResults"}}}},
	}}
}

// identityQuery asks for the name only.
func identityQuery() map[string]any {
	q := fullQuery()
	q["credentials"] = q["credentials"].([]any)[:1]
	return q
}

func (v *verifier) link(method string) string {
	query := url.Values{"client_id": {v.clientID}, "request_uri": {v.server.URL + "/request/1"}}
	if method != "" {
		query.Set("request_uri_method", method)
	}
	return "openid4vp://authorize?" + query.Encode()
}

func (v *verifier) object() map[string]any {
	return map[string]any{
		"client_id": v.clientID, "aud": "https://self-issued.me/v2", "response_type": "vp_token",
		"response_mode": "direct_post.jwt", "response_uri": v.server.URL + "/response", "nonce": v.nonce, "state": v.state,
		"iat": noon().Unix(), "exp": noon().Add(5 * time.Minute).Unix(), "dcql_query": v.query,
		"a_member_of_the_future": map[string]any{"x": 1},
		"client_metadata": map[string]any{
			"jwks": map[string]any{"keys": []any{v.jwk()}}, "encrypted_response_enc_values_supported": []string{"A256GCM", "A128GCM"},
			"vp_formats_supported": map[string]any{"dc+sd-jwt": map[string]any{"sd-jwt_alg_values": []string{"ES256"}, "kb-jwt_alg_values": []string{"ES256"}}},
		},
	}
}

func (v *verifier) jwk() map[string]any {
	point := v.key.PublicKey().Bytes()
	return map[string]any{"kty": "EC", "crv": "P-256", "use": "enc", "alg": "ECDH-ES", "kid": v.kid, "x": b64(point[1:33]), "y": b64(point[33:])}
}

func (v *verifier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/request/1":
		v.fetches = append(v.fetches, r)
		object := v.object()
		if nonce := r.PostFormValue("wallet_nonce"); nonce != "" {
			object["wallet_nonce"] = nonce
		}
		raw := v.signs.sign(v.t, v.typ, change(object, v.claims))
		if v.raw != nil {
			raw = v.raw(raw)
		}
		w.Header().Set("Content-Type", v.mediaType)
		_, _ = w.Write([]byte(raw))
	case "/response":
		_ = r.ParseForm()
		v.posts = append(v.posts, r.PostForm)
		v.bodies = append(v.bodies, r.PostForm.Encode())
		w.Header().Set("Content-Type", v.bodyType)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(v.status)
		_, _ = w.Write([]byte(v.body))
	default:
		http.NotFound(w, r)
	}
}

// answer is the decrypted content of the last post.
type answer struct {
	header map[string]any
	state  any
	token  map[string][]shown
}

func (v *verifier) answer() answer {
	v.t.Helper()
	if len(v.posts) == 0 {
		v.t.Fatal("nothing was posted")
	}
	compact := v.posts[len(v.posts)-1].Get("response")
	header, plaintext := v.open(compact)
	// A second opinion: go-jose reads the same.
	jwe, err := jose.ParseEncryptedCompact(compact, []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A128GCM, jose.A192GCM, jose.A256GCM})
	if err != nil {
		v.t.Fatal(err)
	}
	if again, err := jwe.Decrypt(joseKey(v.t, v.key)); err != nil || string(again) != string(plaintext) {
		v.t.Fatalf("go-jose reads the answer differently: %v", err)
	}
	var members struct {
		Token map[string][]string `json:"vp_token"`
		State any                 `json:"state"`
	}
	fromJSON(v.t, plaintext, &members)
	a := answer{header: header, state: members.State, token: map[string][]shown{}}
	for id, list := range members.Token {
		for _, presentation := range list {
			a.token[id] = append(a.token[id], readPresentation(v.t, presentation))
		}
	}
	return a
}

// open decrypts with nothing but the standard library (RFC 7516 §5.2, RFC 7518 §4.6, §5.3).
func (v *verifier) open(compact string) (map[string]any, []byte) {
	v.t.Helper()
	parts := strings.Split(compact, ".")
	if len(parts) != 5 || parts[1] != "" {
		v.t.Fatalf("the answer is no JWE of direct key agreement: %d parts", len(parts))
	}
	var header struct {
		Alg, Enc, Kid, Apu, Apv string
		Epk                     struct{ Kty, Crv, X, Y string }
	}
	fromJSON(v.t, unb64(v.t, parts[0]), &header)
	epk, err := ecdh.P256().NewPublicKey(append(append([]byte{4}, unb64(v.t, header.Epk.X)...), unb64(v.t, header.Epk.Y)...))
	if err != nil {
		v.t.Fatal(err)
	}
	secret, err := v.key.ECDH(epk)
	if err != nil {
		v.t.Fatal(err)
	}
	size := map[string]int{"A128GCM": 16, "A192GCM": 24, "A256GCM": 32}[header.Enc]
	info := append([]byte{0, 0, 0, 1}, secret...)
	for _, part := range [][]byte{[]byte(header.Enc), unb64(v.t, header.Apu), unb64(v.t, header.Apv)} {
		info = append(binary.BigEndian.AppendUint32(info, uint32(len(part))), part...)
	}
	derived := sha256.Sum256(binary.BigEndian.AppendUint32(info, uint32(size*8)))
	block, err := aes.NewCipher(derived[:size])
	if err != nil {
		v.t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		v.t.Fatal(err)
	}
	plaintext, err := gcm.Open(nil, unb64(v.t, parts[2]), append(unb64(v.t, parts[3]), unb64(v.t, parts[4])...), []byte(parts[0]))
	if err != nil {
		v.t.Fatal(err)
	}
	var members map[string]any
	fromJSON(v.t, unb64(v.t, parts[0]), &members)
	return members, plaintext
}

func joseKey(t testing.TB, key *ecdh.PrivateKey) jose.JSONWebKey {
	t.Helper()
	point := key.PublicKey().Bytes()
	var jwk jose.JSONWebKey
	raw := toJSON(t, map[string]any{"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:]), "d": b64(key.Bytes())})
	if err := jwk.UnmarshalJSON([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	return jwk
}
