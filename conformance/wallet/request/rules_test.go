package request_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"regain/conformance/wallet/request"
	"regain/conformance/wallet/wallettest"
)

// Rules that hold whoever asks; told says whether the verifier may hear of it.
func TestRequestsThatBreakARule(t *testing.T) {
	day := wallettest.Noon()
	for name, test := range map[string]struct {
		spoil func(*wallettest.Env)
		says  string
		told  bool
	}{
		"no response_mode": {unset("response_mode"), "response_mode is neither", false},
		"fragment":         {set("response_mode", "fragment"), "response_mode is neither", false},
		"no response_uri":  {unset("response_uri"), "response_uri: address not allowed", false},
		"redirect_uri instead": {func(w *wallettest.Env) {
			w.Verifier.Claims = func(c map[string]any) { c["redirect_uri"] = c["response_uri"]; delete(c, "response_uri") }
		}, "response_uri: address not allowed", false},
		"state with a slash":      {set("state", "a/b"), "state has", false},
		"wallet_nonce unasked":    {set("wallet_nonce", "0123456789abcdef"), "wallet_nonce in a request", false},
		"another aud":             {set("aud", "https://wallet.example"), "aud is not", false},
		"no aud":                  {unset("aud"), "aud is not", false},
		"expired":                 {set("exp", day.Unix()), "has expired", false},
		"both URIs":               {set("redirect_uri", "https://verifier.example/"), "redirect_uri must not", true},
		"redirect_uri of null":    {set("redirect_uri", nil), "redirect_uri must not", true},
		"response_type code":      {set("response_type", "code"), "unsupported_response_type", true},
		"response_type of two":    {set("response_type", "vp_token id_token"), "unsupported_response_type", true},
		"no response_type":        {unset("response_type"), "unsupported_response_type", true},
		"no nonce":                {unset("nonce"), "nonce is short", true},
		"odd nonce":               {set("nonce", "0123456789+123456"), "nonce is short", true},
		"a request inside":        {set("request", "e30.e30."), "holds another request", true},
		"no metadata":             {unset("client_metadata"), "client_metadata is missing", true},
		"metadata as text":        {set("client_metadata", "{}"), "client_metadata is not the JSON", true},
		"no key":                  {set("client_metadata", map[string]any{"vp_formats_supported": map[string]any{"dc+sd-jwt": map[string]any{}}}), "no ECDH-ES key", true},
		"no formats":              {metadata(map[string]any{}), "vp_formats_not_supported", true},
		"formats of others":       {metadata(map[string]any{"ldp_vc": map[string]any{}}), "vp_formats_not_supported", true},
		"the other format":        {metadata(map[string]any{"mso_mdoc": map[string]any{}}), "vp_formats_not_supported", true},
		"another holder's alg":    {metadata(map[string]any{"dc+sd-jwt": map[string]any{"kb-jwt_alg_values": []string{"ES384"}}}), "vp_formats_not_supported", true},
		"no query":                {unset("dcql_query"), "dcql_query and no scope", true},
		"scope beside it":         {set("scope", "com.example.pid"), "dcql_query and no scope", true},
		"a query of nothing":      {set("dcql_query", map[string]any{"credentials": []any{}}), "invalid DCQL query", true},
		"unknown scope":           {scope("com.example.unknown"), "invalid_scope", true},
		"one unknown scope":       {scope("com.example.pid com.example.unknown"), "invalid_scope", true},
		"empty scope":             {scope(" "), "invalid_scope", true},
		"scope twice":             {scope("com.example.pid com.example.pid"), "invalid_scope", true},
		"scopes with unlike sets": {scope("com.example.pid com.example.sets"), "invalid_scope", true},
		"scope of nonsense":       {scope("com.example.broken"), "invalid DCQL query", true},
		"no holder, no state": {func(w *wallettest.Env) {
			w.Verifier.Query["credentials"].([]any)[0].(map[string]any)["require_cryptographic_holder_binding"] = false
			unset("state")(w)
		}, "without its holder, and has no state", true},
		"verifier_info empty":     {set("verifier_info", []any{}), "not a list of attestations", true},
		"verifier_info an object": {set("verifier_info", map[string]any{}), "not a list of attestations", true},
		"info without format":     {info(map[string]any{"data": "x"}), "no format, or data", true},
		"info without data":       {info(map[string]any{"format": "jwt"}), "no format, or data", true},
		"info with a number":      {info(map[string]any{"format": "jwt", "data": 1}), "no format, or data", true},
		"info of no query":        {info(map[string]any{"format": "jwt", "data": "x", "credential_ids": []string{"y"}}), "names no credential query", true},
		"info of none":            {info(map[string]any{"format": "jwt", "data": "x", "credential_ids": []string{}}), "names no credential query", true},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, "x509_hash", func(w *wallettest.Env) {
				w.Verifier.Query = wallettest.IdentityQuery()
				w.Config.Requests.Scopes = scopes(t)
				test.spoil(w)
			})
			_, err := w.Wallet.Review(t.Context(), w.Verifier.Link("get"))
			downTo(t, err, test.says, test.told)
		})
	}
}

func metadata(formats map[string]any) func(*wallettest.Env) {
	return func(w *wallettest.Env) {
		w.Verifier.Claims = func(c map[string]any) { c["client_metadata"].(map[string]any)["vp_formats_supported"] = formats }
	}
}

func info(entry map[string]any) func(*wallettest.Env) { return set("verifier_info", []any{entry}) }

func scope(value string) func(*wallettest.Env) {
	return func(w *wallettest.Env) {
		w.Verifier.Claims = func(c map[string]any) { c["scope"] = value; delete(c, "dcql_query") }
	}
}

func scopes(t *testing.T) map[string]json.RawMessage {
	sets := wallettest.LicenceQuery()
	sets["credential_sets"] = []any{map[string]any{"options": []any{[]string{"licence"}}}}
	all := map[string]json.RawMessage{"com.example.broken": []byte(`{"credentials":[]}`)}
	for name, query := range map[string]map[string]any{
		"com.example.pid": wallettest.IdentityQuery(), "com.example.licence": wallettest.LicenceQuery(), "com.example.sets": sets,
	} {
		all[name] = []byte(wallettest.ToJSON(t, query))
	}
	return all
}

func TestScopesStandForQueries(t *testing.T) {
	for value, want := range map[string]int{"com.example.pid": 1, "com.example.sets": 1, "com.example.pid com.example.licence": 2} {
		w := ask(t, "x509_hash", func(w *wallettest.Env) {
			w.Config.Requests.Scopes = scopes(t)
			scope(value)(w)
		})
		r, err := w.Wallet.Review(t.Context(), w.Verifier.Link("get"))
		if err != nil || len(r.Missing) != want {
			t.Errorf("%s: %v asks for %v", value, err, r)
		}
	}
}

func TestVerifierInfoIsCarried(t *testing.T) {
	w := ask(t, "x509_hash", set("verifier_info", []any{
		map[string]any{"format": "registrar_dataset", "data": map[string]any{"a": 1}}, map[string]any{"format": "jwt", "data": "eyJ", "credential_ids": []string{"verified_id"}},
	}))
	r, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Info) != 2 || r.Info[0].Format != "registrar_dataset" || string(r.Info[0].Data) != `{"a":1}` || string(r.Info[1].Data) != `"eyJ"` {
		t.Errorf("got %v", r.Info)
	}
	if r.Info[0].Queries != nil || !slices.Equal(r.Info[1].Queries, []string{"verified_id"}) {
		t.Errorf("about %v and %v", r.Info[0].Queries, r.Info[1].Queries)
	}
}

func TestLinksThatBreakARule(t *testing.T) {
	for name, test := range map[string]struct {
		kind, method string
		spoil        func(url.Values)
		says         string
		code         string
	}{
		"by value, empty":          {"x509_hash", "value", func(q url.Values) { q.Set("request", "") }, "not a compact JWS", request.InvalidRequest},
		"method of no request_uri": {"x509_hash", "value", func(q url.Values) { q.Set("request_uri_method", "post") }, "without request_uri", request.InvalidRequest},
		"method in capitals":       {"x509_hash", "get", func(q url.Values) { q.Set("request_uri_method", "GET") }, "neither get nor post", request.InvalidRequestURIMethod},
		"plain, nonce twice":       {"redirect_uri", "plain", func(q url.Values) { q.Add("nonce", "x") }, "names nonce twice", request.InvalidRequest},
		"plain, query twice":       {"redirect_uri", "plain", func(q url.Values) { q.Add("dcql_query", "{}") }, "names dcql_query twice", request.InvalidRequest},
		"plain, query no JSON":     {"redirect_uri", "plain", func(q url.Values) { q.Set("dcql_query", "{") }, "dcql_query is not JSON", request.InvalidRequest},
		"plain, query of text":     {"redirect_uri", "plain", func(q url.Values) { q.Set("dcql_query", `"{}"`) }, "not the JSON of a query", request.InvalidRequest},
		"plain, no nonce":          {"redirect_uri", "plain", func(q url.Values) { q.Del("nonce") }, "nonce is short", request.InvalidRequest},
		"plain, nothing":           {"redirect_uri", "plain", func(q url.Values) { clear(q) }, "no request", request.InvalidRequest},
		"plain, another aud":       {"redirect_uri", "value", nil, "aud is not", request.InvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, test.kind, nil)
			if test.spoil == nil {
				set("aud", "https://wallet.example")(w)
				test.spoil = func(url.Values) {}
			}
			_, err := w.Wallet.Review(t.Context(), w.Verifier.LinkWith(test.method, test.spoil))
			if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), test.code+":") {
				t.Errorf("got %v, not %s: %s", err, test.code, test.says)
			}
		})
	}
}

// A link may hold more than a wallet knows, in any order, and what a JWT alone can say counts for
// nothing there.
func TestPlainLinksMayHoldMore(t *testing.T) {
	w := ask(t, "redirect_uri", nil)
	link := w.Verifier.LinkWith("plain", func(q url.Values) {
		q.Set("exp", "1")
		q.Set("request_object_of_the_future", "x")
		q.Add("unknown", "1")
		q.Add("unknown", "2")
	})
	if _, err := w.Wallet.Review(t.Context(), link); err != nil {
		t.Error(err)
	}
}

func TestAPlusNeedsToBeAllowed(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		w := ask(t, "redirect_uri", func(w *wallettest.Env) { w.Config.Requests.LiteralPlus = allowed })
		_, err := w.Wallet.Review(t.Context(), strings.ReplaceAll(w.Verifier.Link("plain"), "%2B", "+"))
		if allowed != (err == nil) {
			t.Errorf("allowed %v: got %v", allowed, err)
		}
	}
}
