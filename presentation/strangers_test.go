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

// Whatever is posted, Open does not panic, and what it accepts is exactly what was asked for.
func FuzzOpen(f *testing.F) {
	r := newRequest(f)
	sealed := seal(f, key(f, r), jose.A128GCM, answer(r))
	f.Add(sealed, "", "")
	f.Add(strings.ToUpper(sealed), "", "")
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
		if got.Error == nil && !slices.Equal(got.Presentations.IDs(), []string{"face_check", "verified_id"}) {
			t.Errorf("accepted %v", got.Presentations.IDs())
		}
		if got.Error == nil && response != sealed {
			t.Error("another text opens than the one that was sealed")
		}
	})
}

// Whatever stands behind the encryption, which anyone can add who has seen the request, it is read as strictly.
func FuzzSealedPayload(f *testing.F) {
	p := newProfile(f) // its state is the same in every process that fuzzes, its key is not
	r, err := p.NewRequest(presentation.RequestParams{ResponseURI: responseURI, Query: recoveryQuery(f), Lifetime: time.Minute}, strings.NewReader(strings.Repeat("x", 128)), noon)
	must(f, r, err)
	f.Add(text(f, answer(r)))
	f.Add(text(f, map[string]any{"state": r.State, "error": "access_denied"}))
	f.Add(`{"state":"x","state":"y","vp_token":{"face_check":[{}]}}`)
	f.Fuzz(func(t *testing.T, payload string) {
		got, err := r.Open(form(seal(t, key(t, r), jose.A128GCM, payload)), noon)
		if err != nil {
			if got.Presentations != nil || got.Error != nil {
				t.Error("an error, and an answer too")
			}
			return
		}
		if members := objectOf(t, payload); members["state"] != r.State {
			t.Errorf("accepted with the state %v", members["state"])
		}
		if got.Error == nil && !slices.Equal(got.Presentations.IDs(), []string{"face_check", "verified_id"}) {
			t.Errorf("accepted %v", got.Presentations.IDs())
		}
	})
}

func FuzzRequestURIPost(f *testing.F) {
	p := newProfile(f)
	r := requestOf(f, p)
	f.Add("nonce", `{"vp_formats_supported":{"dc+sd-jwt":{}},"jwks":{"keys":[{"kty":"EC","crv":"P-256","use":"enc","x":"","y":""}]}}`)
	f.Add("", `{}`)
	f.Fuzz(func(t *testing.T, nonce, metadata string) {
		got, err := presentation.ParseRequestURIPost(url.Values{"wallet_nonce": {nonce}, "wallet_metadata": {metadata}})
		if err != nil {
			return
		}
		object, err := p.RequestObject(r, presentation.RequestObjectParams{Now: noon, WalletNonce: got.Nonce, WalletKey: got.Key})
		if err != nil || len(object) == 0 {
			t.Errorf("what was accepted cannot be answered: %v", err)
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
