package wallet_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"regain/conformance/wallet"
	"regain/conformance/wallet/wallettest"
)

func digitally(t *testing.T, mode string, spoil func(*wallettest.Env)) *wallettest.Env {
	t.Helper()
	w := asked(t, "x509_hash", mode, func(w *wallettest.Env) {
		w.Config.Requests.Plain = mode == "dc_api"
		if spoil != nil {
			spoil(w)
		}
	})
	return w
}

func TestDigitalCredentials(t *testing.T) {
	for _, kind := range []string{"unsigned", "signed", "multisigned"} {
		for _, mode := range []string{"dc_api", "dc_api.jwt"} {
			t.Run(kind+" with "+mode, func(t *testing.T) {
				w := digitally(t, mode, nil)
				r, err := w.Wallet.ReviewDigital(t.Context(), w.Verifier.Digital(kind))
				if err != nil {
					t.Fatal(err)
				}
				name := map[bool]string{true: "verifier.example", false: "Contoso Recovery"}[kind == "unsigned"]
				if r.Flow != wallet.Digital || r.Host != "verifier.example" || r.Verifier != name || !r.Authenticated || r.ResponseURI() != "" {
					t.Errorf("%s asks for %s: %+v", r.Verifier, r.Host, r.Flow)
				}
				data, err := w.Wallet.ShareDigital(t.Context(), r, wallet.ShareOptions{})
				if err != nil {
					t.Fatal(err)
				}
				a := w.Verifier.ReadDigital(data)
				if (a.Header != nil) != (mode == "dc_api.jwt") || a.State != nil {
					t.Errorf("header %v, state %v", a.Header, a.State)
				}
				// The audience is the origin, even of somebody who signed (OpenID4VP 1.0 Appendix A.4).
				holdsBoth(t, w, a, "origin:"+wallettest.Origin, w.Verifier.DigitalTranscript())
				if len(w.Verifier.Posts) != 0 {
					t.Error("the wallet sent something itself")
				}
			})
		}
	}
}

// What a page says of itself without signing it is ignored, and so is what the API does not define.
func TestDigitalIgnoresWhatItMust(t *testing.T) {
	w := digitally(t, "dc_api.jwt", func(w *wallettest.Env) {
		w.Verifier.Claims = func(c map[string]any) {
			c["state"], c["response_uri"], c["redirect_uri"] = "a/b", "ftp://x", "x"
		}
	})
	for _, kind := range []string{"unsigned", "signed", "multisigned"} {
		d := w.Verifier.Digital(kind)
		if kind == "unsigned" {
			d.Data = json.RawMessage(strings.Replace(string(d.Data), "{", `{"client_id":"invalid:x","expected_origins":["https://wrong.example"],`, 1))
		}
		if _, err := w.Wallet.ReviewDigital(t.Context(), d); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestMultiSignedBringsTheSignersInfo(t *testing.T) {
	w := digitally(t, "dc_api.jwt", nil)
	w.Verifier.Info = []any{map[string]any{"format": "jwt", "data": "eyJ"}}
	r, err := w.Wallet.ReviewDigital(t.Context(), w.Verifier.Digital("multisigned"))
	if err != nil || len(r.Info) != 1 || r.Info[0].Format != "jwt" {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestDigitalRequestsTurnedDown(t *testing.T) {
	type edit func(*wallettest.Env, *wallet.DigitalRequest)
	data := func(old, new string) edit {
		return func(_ *wallettest.Env, d *wallet.DigitalRequest) {
			d.Data = json.RawMessage(strings.Replace(string(d.Data), old, new, 1))
		}
	}
	for name, test := range map[string]struct {
		kind  string
		claim func(map[string]any)
		edit  edit
		says  string
	}{
		"another protocol": {"unsigned", nil, func(_ *wallettest.Env, d *wallet.DigitalRequest) { d.Protocol = "openid4vp-v2-unsigned" }, "exchange protocol"},
		"no JSON":          {"unsigned", nil, func(_ *wallettest.Env, d *wallet.DigitalRequest) { d.Data = json.RawMessage("x") }, "not the JSON expected"},
		"no response_mode": {"unsigned", unset("response_mode"), nil, "response_mode is neither"},
		"direct_post":      {"unsigned", set("response_mode", "direct_post.jwt"), nil, "response_mode is neither"},
		"plain":            {"unsigned", set("response_mode", "dc_api"), nil, "does not encrypt"},
		"no nonce":         {"unsigned", unset("nonce"), nil, "nonce is short"},
		"no query":         {"unsigned", unset("dcql_query"), nil, "dcql_query and no scope"},
		"no metadata":      {"unsigned", unset("client_metadata"), nil, "client_metadata is missing"},
		"no key":           {"unsigned", metadata("jwks", map[string]any{}), nil, "no ECDH-ES key"},
		"a request inside": {"unsigned", set("request", "e30.e30."), nil, "holds another request"},
		"transaction data": {"unsigned", set("transaction_data", []string{"e30"}), nil, "invalid_transaction_data"},

		"nothing signed":   {"signed", nil, data(`"request":`, `"requests":`), "holds no signed request"},
		"signed by nobody": {"signed", nil, func(w *wallettest.Env, d *wallet.DigitalRequest) { sendUnsigned(t, w, d, w.Verifier.ClientID) }, "no certificate"},
		"redirect_uri": {"signed", nil, func(w *wallettest.Env, d *wallet.DigitalRequest) {
			sendUnsigned(t, w, d, "redirect_uri:https://verifier.example")
		}, "cannot be signed"},
		"two segments":          {"signed", nil, data(`"request":"`, `"request":"x.y","x":"`), "not a signed JWT"},
		"payload no base64":     {"signed", nil, data(`"request":"`, `"request":"x.%.z","x":"`), "not base64url"},
		"payload no JSON":       {"signed", nil, data(`"request":"`, `"request":"x.e30x.z","x":"`), "not the JSON expected"},
		"another client_id":     {"signed", set("client_id", "x509_hash:abc"), nil, "not the hash"},
		"no client_id":          {"signed", unset("client_id"), nil, "no prefix"},
		"signature broken":      {"signed", nil, data(`"}`, `AAAA"}`), "not by the key"},
		"expected elsewhere":    {"signed", set("expected_origins", []string{"https://wrong.example"}), nil, "expected_origins"},
		"expected with a slash": {"signed", set("expected_origins", []string{wallettest.Origin + "/"}), nil, "expected_origins"},
		"expected nowhere":      {"signed", unset("expected_origins"), nil, "expected_origins"},
		"expected as text":      {"signed", set("expected_origins", wallettest.Origin), nil, "not the JSON expected"},
		"another aud":           {"signed", set("aud", "https://wallet.example"), nil, "aud is not"},
		"expired":               {"signed", set("exp", wallettest.Noon().Unix()), nil, "has expired"},

		"no signatures": {"multisigned", nil, data(`"signatures":`, `"signature":`), "no request with signatures"},
		"every signature": {"multisigned", nil, func(_ *wallettest.Env, d *wallet.DigitalRequest) {
			d.Data = json.RawMessage(strings.ReplaceAll(string(d.Data), `"protected":"`, `"protected":"e30`))
		}, "invalid_request"},
		"client_id in payload": {"multisigned", func(c map[string]any) {}, func(w *wallettest.Env, d *wallet.DigitalRequest) { shared(t, w, d, "client_id") }, "belongs to one signer"},
		"info in payload":      {"multisigned", nil, func(w *wallettest.Env, d *wallet.DigitalRequest) { shared(t, w, d, "verifier_info") }, "belongs to one signer"},
		"multi, elsewhere":     {"multisigned", set("expected_origins", []string{"https://wrong.example"}), nil, "expected_origins"},
	} {
		t.Run(name, func(t *testing.T) {
			w := digitally(t, "dc_api.jwt", func(w *wallettest.Env) { w.Verifier.Claims = test.claim })
			d := w.Verifier.Digital(test.kind)
			if test.edit != nil {
				test.edit(w, &d)
			}
			_, err := w.Wallet.ReviewDigital(t.Context(), d)
			turnedDown(t, err, test.says)
			data, err := w.Wallet.Respond(t.Context(), d, wallet.ShareOptions{})
			if err != nil {
				t.Fatal(err)
			}
			var down map[string]string
			wallettest.FromJSON(t, data, &down)
			if len(down) != 1 || down["error"] == "" {
				t.Errorf("the page is told %s", data)
			}
		})
	}
}

func sendUnsigned(t *testing.T, w *wallettest.Env, d *wallet.DigitalRequest, clientID string) {
	t.Helper()
	object := wallettest.Unsigned(t, w.Verifier.Typ, map[string]any{"client_id": clientID})
	d.Data = json.RawMessage(wallettest.ToJSON(t, map[string]any{"request": object}))
}

// shared puts what belongs to one signer into the payload of all.
func shared(t *testing.T, w *wallettest.Env, d *wallet.DigitalRequest, name string) {
	t.Helper()
	header := map[string]any{"client_id": w.Verifier.ClientID, "x5c": w.Verifier.Signs.X5C()}
	parts := strings.Split(wallettest.SignAs(t, w.Verifier.Signs.Key, w.Verifier.Typ, header, map[string]any{name: "x"}), ".")
	d.Data = json.RawMessage(wallettest.ToJSON(t, map[string]any{
		"payload": parts[1], "signatures": []any{map[string]any{"protected": parts[0], "signature": parts[2]}},
	}))
}

// Both ways of wrapping a JWS with several signatures are in use.
func TestMultiSignedMayBeWrapped(t *testing.T) {
	w := digitally(t, "dc_api.jwt", nil)
	d := w.Verifier.Digital("multisigned")
	d.Data = json.RawMessage(`{"request":` + string(d.Data) + `}`)
	if _, err := w.Wallet.ReviewDigital(t.Context(), d); err != nil {
		t.Error(err)
	}
}

func TestOriginsOfNoPage(t *testing.T) {
	w := digitally(t, "dc_api.jwt", nil)
	for _, origin := range []string{"", "verifier.example", "http://verifier.example", wallettest.Origin + "/", wallettest.Origin + "/x", "null", "data:x"} {
		d := w.Verifier.Digital("unsigned")
		d.Origin = origin
		_, err := w.Wallet.ReviewDigital(t.Context(), d)
		turnedDown(t, err, "origin is not")
	}
}

func TestRespondWithoutWhatIsAskedFor(t *testing.T) {
	for _, seal := range []bool{false, true} {
		w := digitally(t, "dc_api.jwt", func(w *wallettest.Env) { w.Config.SealErrors = seal })
		w.Remake(t)
		data, err := w.Wallet.Respond(t.Context(), w.Verifier.Digital("unsigned"), wallet.ShareOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if a := w.Verifier.ReadDigital(data); a.Error != "access_denied" || (a.Header != nil) != seal {
			t.Errorf("sealed %v: the page is told %s", seal, data)
		}
	}
}

func TestChannelsAreNotMixed(t *testing.T) {
	w := digitally(t, "dc_api.jwt", nil)
	digital, err := w.Wallet.ReviewDigital(t.Context(), w.Verifier.Digital("unsigned"))
	if err != nil {
		t.Fatal(err)
	}
	w.Verifier.Mode = "direct_post.jwt"
	byLink := w.Review(t)
	if _, err := w.Wallet.Share(t.Context(), digital, wallet.ShareOptions{}); !errors.Is(err, wallet.ErrWrongChannel) {
		t.Errorf("got %v", err)
	}
	if _, err := w.Wallet.Decline(t.Context(), digital); !errors.Is(err, wallet.ErrWrongChannel) {
		t.Errorf("got %v", err)
	}
	if _, err := w.Wallet.ShareDigital(t.Context(), byLink, wallet.ShareOptions{}); !errors.Is(err, wallet.ErrWrongChannel) {
		t.Errorf("got %v", err)
	}
}

// FuzzReviewDigital feeds data of every protocol to a wallet that trusts nobody who signs.
func FuzzReviewDigital(f *testing.F) {
	w := wallettest.New(f)
	w.Verifier.Mode = "dc_api.jwt"
	for _, kind := range []string{"unsigned", "signed", "multisigned"} {
		f.Add("openid4vp-v1-"+kind, []byte(w.Verifier.Digital(kind).Data))
	}
	f.Add("openid4vp-v1-multisigned", []byte(`{"payload":"","signatures":[{}]}`))
	stranger := unreachable(f)
	f.Fuzz(func(t *testing.T, protocol string, data []byte) {
		d := wallet.DigitalRequest{Protocol: protocol, Data: data, Origin: wallettest.Origin}
		r, err := stranger.ReviewDigital(t.Context(), d)
		if err == nil && (!slices.Contains([]string{"openid4vp-v1-unsigned"}, protocol) || len(r.Shares) > 0) {
			t.Errorf("%s of a stranger was taken: %v", protocol, r)
		}
		if answer, err := stranger.Respond(t.Context(), d, wallet.ShareOptions{}); err != nil || !strings.HasPrefix(string(answer), `{"error":`) {
			t.Errorf("an empty wallet answered %s, %v", answer, err)
		}
	})
}
