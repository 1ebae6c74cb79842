package wallettest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/mdoc"
)

// Verifier is an OpenID4VP 1.0 verifier of a test. A test breaks it by setting a hook.
type Verifier struct {
	T              testing.TB
	Server         *httptest.Server
	Base           string // how the wallet is told to reach the server
	Signs          Party
	ClientID       string
	Mode           string                              // response_mode
	SignJWT        func(typ string, claims any) string // writes the request object; Signs does when nil
	DID            map[string]any                      // the DID document that is served
	Attestation    map[string]any                      // claims of the attestation, where it asks under one
	AttestationTyp string
	Info           any  // verifier_info of its signature, where there are several
	Unsealed       bool // leaves request objects unencrypted although the wallet sent a key
	Nonce          string
	State          string
	Key            *jose.EncryptionKey // of answers
	Query          map[string]any
	Posts          []url.Values // answers received
	Fetches        []*http.Request

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
	key, err := jose.NewEncryptionKey()
	if err != nil {
		t.Fatal(err)
	}
	v := &Verifier{
		T: t, Signs: signs, ClientID: signs.ClientID(), Nonce: Random(t), State: Random(t), Key: key,
		Mode: "direct_post.jwt", Query: FullQuery(), Typ: "oauth-authz-req+jwt", MediaType: "application/oauth-authz-req+jwt",
		Status: http.StatusOK, BodyType: "application/json",
	}
	v.Server = httptest.NewServer(v)
	v.Base = v.Server.URL
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

// LicenceQuery asks for the name and the sex in a driving licence.
func LicenceQuery() map[string]any {
	return map[string]any{"credentials": []any{
		map[string]any{"id": "licence", "format": "mso_mdoc", "meta": map[string]any{"doctype_value": LicenceType},
			"claims": []any{
				map[string]any{"path": []any{LicenceSpace, "given_name"}, "intent_to_retain": false},
				map[string]any{"path": []any{LicenceSpace, "sex"}, "values": []any{1, 2}},
			}},
	}}
}

// BothQuery asks for the name in a Verified ID, and for what LicenceQuery asks.
func BothQuery() map[string]any {
	q := IdentityQuery()
	q["credentials"] = append(q["credentials"].([]any)[:1:1], LicenceQuery()["credentials"].([]any)...)
	return q
}

// Link is a request as it reaches a wallet: by reference where method is empty, get or post, by
// value where it is value, and with no request object at all where it is plain.
func (v *Verifier) Link(method string) string {
	query := url.Values{"client_id": {v.ClientID}}
	switch method {
	case "value":
		query.Set("request", v.request(nil))
	case "plain":
		query = v.plain()
	default:
		query.Set("request_uri", v.Base+"/request/1")
		if method != "" {
			query.Set("request_uri_method", method)
		}
	}
	return "openid4vp://authorize?" + query.Encode()
}

// plain writes the parameters into the link, objects as JSON.
func (v *Verifier) plain() url.Values {
	object := change(v.Object(), v.Claims)
	query := url.Values{}
	for name, value := range object {
		switch text, ok := value.(string); {
		case name == "aud" || name == "iat" || name == "exp":
		case ok:
			query.Set(name, text)
		default:
			query.Set(name, ToJSON(v.T, value))
		}
	}
	return query
}

func (v *Verifier) Object() map[string]any {
	return map[string]any{
		"client_id": v.ClientID, "aud": "https://self-issued.me/v2", "response_type": "vp_token",
		"response_mode": v.Mode, "response_uri": v.ResponseURI(), "nonce": v.Nonce, "state": v.State,
		"iat": Noon().Unix(), "exp": Noon().Add(5 * time.Minute).Unix(), "dcql_query": v.Query,
		"a_member_of_the_future": map[string]any{"x": 1}, "client_metadata": v.Metadata(),
	}
}

// ResponseURI is where answers go.
func (v *Verifier) ResponseURI() string { return v.Base + "/response" }

// Metadata is the verifier's client_metadata.
func (v *Verifier) Metadata() map[string]any {
	return map[string]any{
		"jwks": map[string]any{"keys": []any{v.JWK()}}, "encrypted_response_enc_values_supported": []string{"A256GCM", "A128GCM"},
		"vp_formats_supported": map[string]any{
			"dc+sd-jwt": map[string]any{"sd-jwt_alg_values": []string{"ES256"}, "kb-jwt_alg_values": []string{"ES256"}},
			"mso_mdoc":  map[string]any{"issuerauth_alg_values": []int{-9}, "deviceauth_alg_values": []int{-7}},
		},
	}
}

// request writes the request object, encrypted to the key that the wallet published if it did.
func (v *Verifier) request(form url.Values) string {
	object := v.Object()
	if nonce := form.Get("wallet_nonce"); nonce != "" {
		object["wallet_nonce"] = nonce
	}
	raw := v.Sign(change(object, v.Claims))
	if v.Raw != nil {
		raw = v.Raw(raw)
	}
	if key := published(v.T, form); key != nil && !v.Unsealed {
		return sealTo(v.T, *key, raw)
	}
	return raw
}

// published is the key that a wallet wants request objects encrypted to (OpenID4VP 1.0 §5.10).
func published(t testing.TB, form url.Values) *jose.JWK {
	t.Helper()
	var metadata struct {
		JWKS jose.JWKSet `json:"jwks"`
	}
	if !form.Has("wallet_metadata") {
		return nil
	}
	FromJSON(t, []byte(form.Get("wallet_metadata")), &metadata)
	if len(metadata.JWKS.Keys) == 0 {
		return nil
	}
	return &metadata.JWKS.Keys[0]
}

func sealTo(t testing.TB, key jose.JWK, text string) string {
	t.Helper()
	compact, err := jose.Recipient{Key: key, Encoding: "A128GCM"}.Seal([]byte(text), map[string]any{"cty": "JWT"})
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// Sign writes claims as the verifier's request object.
func (v *Verifier) Sign(claims any) string {
	if v.SignJWT != nil {
		return v.SignJWT(v.Typ, claims)
	}
	return v.Signs.Sign(v.T, v.Typ, claims)
}

// JWK is the key that answers are encrypted to, as members that a test may change.
func (v *Verifier) JWK() map[string]any {
	v.T.Helper()
	var members map[string]any
	FromJSON(v.T, []byte(ToJSON(v.T, v.Key.Public())), &members)
	return members
}

func (v *Verifier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/request/1":
		_ = r.ParseForm()
		v.Fetches = append(v.Fetches, r)
		raw := v.request(r.PostForm)
		w.Header().Set("Content-Type", v.MediaType)
		_, _ = w.Write([]byte(raw))
	case "/response":
		_ = r.ParseForm()
		v.Posts = append(v.Posts, r.PostForm)
		w.Header().Set("Content-Type", v.BodyType)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(v.Status)
		_, _ = w.Write([]byte(v.Body))
	case "/verifiers/contoso/did.json":
		w.Header().Set("Content-Type", "application/did+json")
		_, _ = w.Write([]byte(ToJSON(v.T, v.DID)))
	default:
		http.NotFound(w, r)
	}
}

// Answer is the content of an answer, decrypted where it was not plain.
type Answer struct {
	Header  map[string]any // of the JWE; nil when there was none
	State   any
	Error   any
	Token   map[string][]Shown
	Devices map[string][]mdoc.Response // what is shown of mdocs
}

// Answer is the last one that was posted.
func (v *Verifier) Answer() Answer {
	v.T.Helper()
	if len(v.Posts) == 0 {
		v.T.Fatal("nothing was posted")
	}
	post := v.Posts[len(v.Posts)-1]
	if !post.Has("response") {
		plain := map[string]any{}
		for name := range post {
			plain[name] = post.Get(name)
		}
		if post.Has("vp_token") {
			plain["vp_token"] = json.RawMessage(post.Get("vp_token"))
		}
		return v.Read([]byte(ToJSON(v.T, plain)), nil)
	}
	header, plaintext := v.Open(post.Get("response"))
	return v.Read(plaintext, header)
}

// Read takes the members of a response apart.
func (v *Verifier) Read(plaintext []byte, header map[string]any) Answer {
	v.T.Helper()
	var members struct {
		Token map[string][]string `json:"vp_token"`
		State any                 `json:"state"`
		Error any                 `json:"error"`
	}
	FromJSON(v.T, plaintext, &members)
	a := Answer{Header: header, State: members.State, Error: members.Error, Token: map[string][]Shown{}, Devices: map[string][]mdoc.Response{}}
	for id, list := range members.Token {
		for _, presentation := range list {
			if strings.Contains(presentation, "~") {
				a.Token[id] = append(a.Token[id], ReadPresentation(v.T, presentation))
			} else {
				a.Devices[id] = append(a.Devices[id], readDevice(v.T, presentation))
			}
		}
	}
	return a
}

// Open decrypts an answer, and returns its header too.
func (v *Verifier) Open(compact string) (map[string]any, []byte) {
	v.T.Helper()
	plaintext, err := v.Key.Open(compact)
	if err != nil {
		v.T.Fatal(err)
	}
	var members map[string]any
	header, _, _ := strings.Cut(compact, ".")
	FromJSON(v.T, Decode(v.T, header), &members)
	return members, plaintext
}

// Thumbprint is that of the key that answers are encrypted to.
func (v *Verifier) Thumbprint() []byte {
	v.T.Helper()
	thumbprint, err := v.Key.Public().Thumbprint()
	if err != nil {
		v.T.Fatal(err)
	}
	return thumbprint
}

// Transcript is the session transcript that an mdoc has to be presented over.
func (v *Verifier) Transcript() mdoc.Transcript {
	v.T.Helper()
	thumbprint := v.Thumbprint()
	if v.Mode == "direct_post" {
		thumbprint = nil
	}
	return v.transcript(mdoc.Redirect(v.ClientID, v.Nonce, thumbprint, v.ResponseURI()))
}

func (v *Verifier) transcript(made mdoc.Transcript, err error) mdoc.Transcript {
	v.T.Helper()
	if err != nil {
		v.T.Fatal(err)
	}
	return made
}
