package wallettest

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

// Verifier is an OpenID4VP 1.0 verifier of a test. A test breaks it by setting a hook.
type Verifier struct {
	T        testing.TB
	Server   *httptest.Server
	Signs    Party
	ClientID string
	Nonce    string
	State    string
	KID      string
	Key      *ecdh.PrivateKey
	Query    map[string]any
	Posts    []url.Values // answers received
	Bodies   []string     // the same as they came
	Fetches  []*http.Request

	Claims    func(map[string]any) // of the request object
	Typ       string
	MediaType string
	Raw       func(string) string // the request object as text
	Status    int                 // of the answer to a post
	Body      string
	BodyType  string
}

func NewVerifier(t testing.TB, signs Party) *Verifier {
	t.Helper()
	key, err := NewKey(t).ECDH()
	if err != nil {
		t.Fatal(err)
	}
	v := &Verifier{
		T: t, Signs: signs, ClientID: signs.ClientID(), Nonce: Random(t), State: Random(t), KID: Random(t), Key: key,
		Query: FullQuery(), Typ: "oauth-authz-req+jwt", MediaType: "application/oauth-authz-req+jwt",
		Status: http.StatusOK, BodyType: "application/json",
	}
	v.Server = httptest.NewServer(v)
	v.Body = `{"redirect_uri":"` + v.Server.URL + `/done?response_code=abc#x","unknown":1}`
	t.Cleanup(v.Server.Close)
	return v
}

// FullQuery asks for the name in a Verified ID and for a Face Check.
func FullQuery() map[string]any {
	return map[string]any{"credentials": []any{
		map[string]any{"id": "verified_id", "format": "dc+sd-jwt", "meta": map[string]any{"vct_values": []string{IdentityType}},
			"claims": []any{map[string]any{"path": []any{"given_name"}}, map[string]any{"path": []any{"family_name"}}}},
		map[string]any{"id": "face_check", "format": "dc+sd-jwt", "meta": map[string]any{"vct_values": []string{ReceiptType}},
			"claims": []any{map[string]any{"path": []any{"faceCheckResults"}}}},
	}}
}

// IdentityQuery asks for the name only.
func IdentityQuery() map[string]any {
	q := FullQuery()
	q["credentials"] = q["credentials"].([]any)[:1]
	return q
}

func (v *Verifier) Link(method string) string {
	query := url.Values{"client_id": {v.ClientID}, "request_uri": {v.Server.URL + "/request/1"}}
	if method != "" {
		query.Set("request_uri_method", method)
	}
	return "openid4vp://authorize?" + query.Encode()
}

func (v *Verifier) Object() map[string]any {
	return map[string]any{
		"client_id": v.ClientID, "aud": "https://self-issued.me/v2", "response_type": "vp_token",
		"response_mode": "direct_post.jwt", "response_uri": v.Server.URL + "/response", "nonce": v.Nonce, "state": v.State,
		"iat": Noon().Unix(), "exp": Noon().Add(5 * time.Minute).Unix(), "dcql_query": v.Query,
		"a_member_of_the_future": map[string]any{"x": 1},
		"client_metadata": map[string]any{
			"jwks": map[string]any{"keys": []any{v.JWK()}}, "encrypted_response_enc_values_supported": []string{"A256GCM", "A128GCM"},
			"vp_formats_supported": map[string]any{"dc+sd-jwt": map[string]any{"sd-jwt_alg_values": []string{"ES256"}, "kb-jwt_alg_values": []string{"ES256"}}},
		},
	}
}

func (v *Verifier) JWK() map[string]any {
	point := v.Key.PublicKey().Bytes()
	return map[string]any{"kty": "EC", "crv": "P-256", "use": "enc", "alg": "ECDH-ES", "kid": v.KID, "x": Encode(point[1:33]), "y": Encode(point[33:])}
}

func (v *Verifier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/request/1":
		v.Fetches = append(v.Fetches, r)
		object := v.Object()
		if nonce := r.PostFormValue("wallet_nonce"); nonce != "" {
			object["wallet_nonce"] = nonce
		}
		raw := v.Signs.Sign(v.T, v.Typ, change(object, v.Claims))
		if v.Raw != nil {
			raw = v.Raw(raw)
		}
		w.Header().Set("Content-Type", v.MediaType)
		_, _ = w.Write([]byte(raw))
	case "/response":
		_ = r.ParseForm()
		v.Posts = append(v.Posts, r.PostForm)
		v.Bodies = append(v.Bodies, r.PostForm.Encode())
		w.Header().Set("Content-Type", v.BodyType)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(v.Status)
		_, _ = w.Write([]byte(v.Body))
	default:
		http.NotFound(w, r)
	}
}

// Answer is the decrypted content of the last post.
type Answer struct {
	Header map[string]any
	State  any
	Token  map[string][]Shown
}

func (v *Verifier) Answer() Answer {
	v.T.Helper()
	if len(v.Posts) == 0 {
		v.T.Fatal("nothing was posted")
	}
	compact := v.Posts[len(v.Posts)-1].Get("response")
	header, plaintext := v.Open(compact)
	// A second opinion: go-jose reads the same.
	jwe, err := jose.ParseEncryptedCompact(compact, []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A128GCM, jose.A192GCM, jose.A256GCM})
	if err != nil {
		v.T.Fatal(err)
	}
	if again, err := jwe.Decrypt(joseKey(v.T, v.Key)); err != nil || string(again) != string(plaintext) {
		v.T.Fatalf("go-jose reads the answer differently: %v", err)
	}
	var members struct {
		Token map[string][]string `json:"vp_token"`
		State any                 `json:"state"`
	}
	FromJSON(v.T, plaintext, &members)
	a := Answer{Header: header, State: members.State, Token: map[string][]Shown{}}
	for id, list := range members.Token {
		for _, presentation := range list {
			a.Token[id] = append(a.Token[id], ReadPresentation(v.T, presentation))
		}
	}
	return a
}

// Open decrypts with nothing but the standard library (RFC 7516 §5.2, RFC 7518 §4.6, §5.3).
func (v *Verifier) Open(compact string) (map[string]any, []byte) {
	v.T.Helper()
	parts := strings.Split(compact, ".")
	if len(parts) != 5 || parts[1] != "" {
		v.T.Fatalf("the answer is no JWE of direct key agreement: %d parts", len(parts))
	}
	var header struct {
		Alg, Enc, Kid, Apu, Apv string
		Epk                     struct{ Kty, Crv, X, Y string }
	}
	FromJSON(v.T, Decode(v.T, parts[0]), &header)
	epk, err := ecdh.P256().NewPublicKey(append(append([]byte{4}, Decode(v.T, header.Epk.X)...), Decode(v.T, header.Epk.Y)...))
	if err != nil {
		v.T.Fatal(err)
	}
	secret, err := v.Key.ECDH(epk)
	if err != nil {
		v.T.Fatal(err)
	}
	size := map[string]int{"A128GCM": 16, "A192GCM": 24, "A256GCM": 32}[header.Enc]
	info := append([]byte{0, 0, 0, 1}, secret...)
	for _, part := range [][]byte{[]byte(header.Enc), Decode(v.T, header.Apu), Decode(v.T, header.Apv)} {
		info = append(binary.BigEndian.AppendUint32(info, uint32(len(part))), part...)
	}
	derived := sha256.Sum256(binary.BigEndian.AppendUint32(info, uint32(size*8)))
	block, err := aes.NewCipher(derived[:size])
	if err != nil {
		v.T.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		v.T.Fatal(err)
	}
	plaintext, err := gcm.Open(nil, Decode(v.T, parts[2]), append(Decode(v.T, parts[3]), Decode(v.T, parts[4])...), []byte(parts[0]))
	if err != nil {
		v.T.Fatal(err)
	}
	var members map[string]any
	FromJSON(v.T, Decode(v.T, parts[0]), &members)
	return members, plaintext
}

func joseKey(t testing.TB, key *ecdh.PrivateKey) jose.JSONWebKey {
	t.Helper()
	point := key.PublicKey().Bytes()
	var jwk jose.JSONWebKey
	raw := ToJSON(t, map[string]any{"kty": "EC", "crv": "P-256", "x": Encode(point[1:33]), "y": Encode(point[33:]), "d": Encode(key.Bytes())})
	if err := jwk.UnmarshalJSON([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	return jwk
}
