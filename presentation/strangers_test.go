package presentation_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/presentation"
)

func TestParseRequestURIPost(t *testing.T) {
	p := newProfile(t)
	r := requestOf(t, p)
	good := `{"vp_formats_supported":{"dc+sd-jwt":{"sd-jwt_alg_values":["ES256"],"kb-jwt_alg_values":["ES256","ES384"]}},
		"client_id_prefixes_supported":["x509_hash","redirect_uri"],"response_modes_supported":["direct_post.jwt"],"unknown":{"x":[1]}}`
	for name, row := range map[string]struct {
		form url.Values
		err  error
		why  string // part of the error
	}{
		"nothing":            {url.Values{}, nil, ""},
		"a nonce":            {url.Values{"wallet_nonce": {"abc"}}, nil, ""},
		"metadata":           {url.Values{"wallet_nonce": {"abc"}, "wallet_metadata": {good}}, nil, ""},
		"unknown parameters": {url.Values{"x": {"y"}}, nil, ""},
		"nonce twice":        {url.Values{"wallet_nonce": {"a", "b"}}, presentation.ErrMalformed, "malformed wallet message: a parameter stands twice"},
		"nonce with a break": {url.Values{"wallet_nonce": {"a\nb"}}, presentation.ErrMalformed, "malformed wallet message: wallet_nonce"},
		"a long nonce":       {url.Values{"wallet_nonce": {strings.Repeat("n", 600)}}, presentation.ErrMalformed, "malformed wallet message: wallet_nonce"},
		"a longer nonce":     {url.Values{"wallet_nonce": {strings.Repeat("n", 5000)}}, presentation.ErrTooLarge, "wallet message is too large: wallet_nonce"},
		"not JSON":           {url.Values{"wallet_metadata": {"{"}}, presentation.ErrMalformed, "malformed wallet message: wallet_metadata: not strict JSON: a name is missing"},
		"a name twice":       {url.Values{"wallet_metadata": {`{"a":1,"a":2}`}}, presentation.ErrMalformed, "malformed wallet message: wallet_metadata: not strict JSON: a name stands twice"},
		"large":              {url.Values{"wallet_metadata": {`{"a":"` + strings.Repeat("x", 40<<10) + `"}`}}, presentation.ErrTooLarge, "wallet message is too large: wallet_metadata"},
		"another format":     {url.Values{"wallet_metadata": {`{"vp_formats_supported":{"mso_mdoc":{}}}`}}, presentation.ErrUnsupportedWallet, "wallet cannot answer this verifier: vp_formats_supported lacks dc+sd-jwt"},
		"another algorithm":  {url.Values{"wallet_metadata": {strings.Replace(good, `["ES256"]`, `["ES512"]`, 1)}}, presentation.ErrUnsupportedWallet, "wallet cannot answer this verifier: sd-jwt_alg_values has none of the values that this verifier supports: [ES256]"},
		"another prefix":     {url.Values{"wallet_metadata": {strings.Replace(good, `"x509_hash",`, ``, 1)}}, presentation.ErrUnsupportedWallet, "wallet cannot answer this verifier: client_id_prefixes_supported has none of the values that this verifier supports: [x509_hash]"},
		"another mode":       {url.Values{"wallet_metadata": {strings.Replace(good, "direct_post.jwt", "fragment", 1)}}, presentation.ErrUnsupportedWallet, "wallet cannot answer this verifier: response_modes_supported has none of the values that this verifier supports: [direct_post.jwt]"},
		"formats as a list":  {url.Values{"wallet_metadata": {`{"vp_formats_supported":[]}`}}, presentation.ErrMalformed, "malformed wallet message: wallet_metadata: vp_formats_supported is no object"},
		"a list of numbers":  {url.Values{"wallet_metadata": {`{"response_modes_supported":[1]}`}}, presentation.ErrMalformed, "malformed wallet message: wallet_metadata: response_modes_supported is no array, or has elements of the wrong type"},
	} {
		got, err := presentation.ParseRequestURIPost(row.form)
		if err == nil {
			err = got.Check(p, r)
		}
		if !errors.Is(err, row.err) || err != nil && !strings.Contains(err.Error(), row.why) || row.err == nil && err != nil {
			t.Errorf("%s: got %v, want %v", name, err, row.err)
		}
		if err == nil && got.Nonce != row.form.Get("wallet_nonce") {
			t.Errorf("%s: nonce %q", name, got.Nonce)
		}
	}
}

func TestErrorBodySaysNothingOfTheUnknown(t *testing.T) {
	status, body := presentation.ErrorBody(errors.New("disk /dev/sda1 is full"), "ref\r\n<b>7")
	text, err := json.Marshal(body)
	must(t, text, err)
	if status != 500 || strings.Contains(string(text), "disk") || !strings.Contains(string(text), `(reference refb7)","correlation_id":"refb7"}`) {
		t.Errorf("%d %s", status, text)
	}
}

// steadyKey is a private key of tests. Each process that fuzzes makes the request anew, and the one that has the seeds is
// not the one that runs them: with a key of its own, no process could open what another sealed.
const steadyKey = `{"kty":"EC","crv":"P-256","kid":"2JAwQ1nxPpCHmVdSS3cN9Q","x":"QJvt_CTz_tNFuqg1GGuhv3BG6iyvYFwBDjBRRbbdozQ","y":"CLCAAOifyucRMism1asqouhz7xH0olBVqrGB5e3b5p4","d":"x9ag4ga-1HOpKf8yau53MM3zXR673QfYGeIVZC7KSmw"}`

// steady is a request that is the same in every process.
func steady(t fatal) presentation.Request {
	t.Helper()
	params := presentation.RequestParams{ResponseURI: responseURI, Query: recoveryQuery(t), Lifetime: time.Minute}
	r, err := newProfile(t).NewRequest(params, strings.NewReader(strings.Repeat("x", 128)), noon)
	return withSteadyKey(t, must(t, r, err))
}

func withSteadyKey(t fatal, r presentation.Request) presentation.Request {
	t.Helper()
	object := objectOf(t, text(t, r))
	object["key"] = objectOf(t, steadyKey)
	var same presentation.Request
	if err := json.Unmarshal([]byte(text(t, object)), &same); err != nil {
		t.Fatal(err)
	}
	return same
}

// Whatever is posted, Open does not panic, and what it accepts is what one of the sealed answers says: nobody without the
// request can make another.
func FuzzOpen(f *testing.F) {
	r := steady(f)
	for _, enc := range []jose.ContentEncryption{jose.A128GCM, jose.A256GCM} {
		f.Add(seal(f, key(f, r), enc, answer(r)), "", "")
	}
	f.Add(strings.ToUpper(seal(f, key(f, r), jose.A128GCM, answer(r))), "", "")
	f.Add("", "access_denied", r.State)
	f.Add("e30.e30.e30.e30.e30", "", "x")
	f.Add("....", "", "")
	f.Fuzz(func(t *testing.T, response, code, state string) {
		sent := url.Values{}
		for name, value := range map[string]string{"response": response, "error": code, "state": state} {
			if value != "" {
				sent.Set(name, value)
			}
		}
		got, err := r.Open(sent, noon)
		if err != nil {
			if got.Presentations != nil || got.Error != nil {
				t.Error("an error, and an answer too")
			}
			return
		}
		if got.Error != nil {
			if code == "" || state != r.State {
				t.Errorf("an error of %q with the state %q", code, state)
			}
			return
		}
		if !slices.Equal(got.Presentations.IDs(), []string{"face_check", "verified_id"}) || got.Presentations["verified_id"][0] != "a~b" || got.Presentations["face_check"][0] != "c~" {
			t.Errorf("accepted %v", got.Presentations.IDs())
		}
		again, err := jose.ParseEncryptedCompact(response, []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A128GCM, jose.A256GCM})
		if err != nil {
			t.Fatalf("go-jose reads it differently: %v", err)
		}
		if compact, err := again.CompactSerialize(); err != nil || compact != response {
			t.Errorf("another spelling opens: %q, %v", response, err)
		}
	})
}

// Whatever stands behind the encryption, which anyone can add who has seen the request, it is read as strictly.
func FuzzSealedPayload(f *testing.F) {
	r := steady(f)
	for _, payload := range []string{
		text(f, answer(r)), text(f, map[string]any{"state": r.State, "error": "access_denied"}),
		text(f, map[string]any{"state": r.State, "error": "x", "error_description": "no"}),
		`{"vp_token":{"verified_id":["a~b"],"face_check":["c~"]},"state":"` + r.State + `","iss":"x","more":[{}]}`,
		`{"state":"` + r.State + `","vp_token":{"verified_id":["\u0061"],"face_check":["c","d"]}}`,
		`{"state":"` + r.State + `","vp_token":{"verified_id":[{"a":1}],"face_check":[""]}}`,
		`{"state":"x","state":"y","vp_token":{"face_check":[{}]}}`,
	} {
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		got, err := r.Open(form(seal(t, key(t, r), jose.A128GCM, payload)), noon)
		if err != nil {
			if got.Presentations != nil || got.Error != nil {
				t.Error("an error, and an answer too")
			}
			return
		}
		members := objectOf(t, payload)
		if members["state"] != r.State {
			t.Errorf("accepted with the state %v", members["state"])
		}
		if got.Error != nil {
			if members["error"] == nil || members["vp_token"] != nil {
				t.Errorf("an error from %s", payload)
			}
			return
		}
		shown, _ := members["vp_token"].(map[string]any)
		for _, id := range []string{"face_check", "verified_id"} {
			if list, _ := shown[id].([]any); len(list) != 1 || len(got.Presentations[id]) != 1 || list[0] != got.Presentations[id][0] {
				t.Errorf("%s of %s is %d presentations", id, payload, len(got.Presentations[id]))
			}
		}
	})
}

// FuzzSealedPresentations seals what a wallet may show: each input that is JSON reaches the presentations, and they come
// out as they went in.
func FuzzSealedPresentations(f *testing.F) {
	r := steady(f)
	f.Add("a~b", "c~", "more", "x")
	f.Add("e30.e30.AA~W10~e30.e30.AA", "", "verified_id", "[]")
	f.Add("\u2028\"\\", "~", "", "")
	f.Fuzz(func(t *testing.T, verified, face, name, value string) {
		for _, one := range []*string{&verified, &face, &name, &value} {
			*one = strings.ToValidUTF8(*one, "")
		}
		a := answer(r)
		a["vp_token"] = map[string]any{"verified_id": []any{verified}, "face_check": []any{face}}
		known := slices.Contains([]string{"vp_token", "state", "error"}, name)
		if !known {
			a[name] = value
		}
		got, err := r.Open(form(seal(t, key(t, r), jose.A128GCM, a)), noon)
		switch {
		case verified == "" || face == "":
			if !errors.Is(err, presentation.ErrMalformed) {
				t.Errorf("an empty presentation: %v", err)
			}
		case err != nil && !errors.Is(err, presentation.ErrTooLarge):
			t.Errorf("%q and %q with %q: %v", verified, face, name, err)
		case err == nil && (got.Presentations["verified_id"][0] != verified || got.Presentations["face_check"][0] != face):
			t.Errorf("%q and %q came out as %q and %q", verified, face, got.Presentations["verified_id"], got.Presentations["face_check"])
		}
	})
}

// Whatever a wallet says of itself, what is accepted can be answered: encrypted to the key that it gave, or to nobody.
func FuzzRequestURIPost(f *testing.F) {
	p := newProfile(f)
	r := requestOf(f, p)
	var mine jose.JSONWebKey
	if err := json.Unmarshal([]byte(steadyKey), &mine); err != nil {
		f.Fatal(err)
	}
	public := mine.Public()
	jwk := func(use, alg string) string {
		return text(f, jose.JSONWebKey{Key: public.Key, KeyID: "w", Use: use, Algorithm: alg})
	}
	keys := func(list, more string) string { return `{"jwks":{"keys":[` + list + `]}` + more + `}` }
	const direct, every = `,"request_object_encryption_alg_values_supported":["ECDH-ES"]`, `,"request_object_encryption_enc_values_supported":["A256CBC-HS512","A128GCM"]`
	ours := map[string]bool{}
	for _, seed := range [][2]string{
		{"nonce", keys(jwk("enc", "ECDH-ES"), direct)}, {"", keys(jwk("", ""), direct+every)}, {"n", keys(jwk("sig", "ES256"), "")},
		{"n", keys(jwk("sig", "ES256")+","+jwk("enc", ""), every)}, {"n", keys(`{"kty":"OKP","crv":"X25519","x":"AA"},`+jwk("enc", "ECDH-ES"), direct)},
		{"nonce", `{"vp_formats_supported":{"dc+sd-jwt":{}},"jwks":{"keys":[{"kty":"EC","crv":"P-256","use":"enc","x":"","y":""}]}}`}, {"", `{}`},
	} {
		f.Add(seed[0], seed[1])
		ours[seed[1]] = true
	}
	f.Fuzz(func(t *testing.T, nonce, metadata string) {
		got, err := presentation.ParseRequestURIPost(url.Values{"wallet_nonce": {nonce}, "wallet_metadata": {metadata}})
		if err != nil {
			return
		}
		object, err := p.RequestObject(r, presentation.RequestObjectParams{Now: noon, WalletNonce: got.Nonce, WalletKey: got.Key})
		if err != nil || len(object) == 0 {
			t.Fatalf("what was accepted cannot be answered: %v", err)
		}
		if got.Key == nil {
			if strings.Count(string(object), ".") != 2 {
				t.Error("encrypted to nobody")
			}
			return
		}
		sealed, err := jose.ParseEncryptedCompact(string(object), []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A128GCM, jose.A256GCM, jose.A128CBC_HS256, jose.A256CBC_HS512})
		if err != nil {
			t.Fatalf("not encrypted, although a key was given: %v", err)
		}
		if !ours[metadata] {
			return // the key may be one of the fuzzer's
		}
		plain, err := sealed.Decrypt(mine)
		if err != nil || strings.Count(string(plain), ".") != 2 || strings.Contains(string(object), r.Nonce) {
			t.Errorf("the wallet cannot read it: %v", err)
		} else if payload(t, plain)["wallet_nonce"] != any(nonce) && nonce != "" {
			t.Errorf("another wallet_nonce: %v", payload(t, plain)["wallet_nonce"])
		}
	})
}

func BenchmarkRequestObject(b *testing.B) {
	s := newProfile(b)
	r := requestOf(b, s)
	for b.Loop() {
		if _, err := s.RequestObject(r, presentation.RequestObjectParams{Now: noon}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	r := newRequest(b)
	sent := form(seal(b, key(b, r), jose.A128GCM, answer(r)))
	for b.Loop() {
		if _, err := r.Open(sent, noon); err != nil {
			b.Fatal(err)
		}
	}
}
