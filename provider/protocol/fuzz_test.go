package protocol_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/provider/protocol"
)

// sound holds of every answer, whatever came: it is the wallet's error, or presentations of what was asked for that
// together are enough; and what went wrong is one of the known errors, which do not quote it.
func sound(t *testing.T, answer protocol.Answer, err error, came string) {
	t.Helper()
	if err != nil {
		known := slices.ContainsFunc([]error{
			presentation.ErrMalformed, presentation.ErrTooLarge, presentation.ErrState, presentation.ErrNotAsked, presentation.ErrMissing,
			presentation.ErrProtocol, presentation.ErrPlaintext, presentation.ErrAlgorithm, presentation.ErrUnknownKey, presentation.ErrDecrypt,
		}, func(e error) bool { return errors.Is(err, e) })
		if !known {
			t.Fatalf("an error of nobody: %v", err)
		}
		if strings.Contains(came, mark) && strings.Contains(err.Error(), mark) {
			t.Fatalf("quoted: %v", err)
		}
		return
	}
	if answer.Problem != nil {
		if len(answer.Presentations) != 0 {
			t.Fatal("an error and an answer")
		}
		return
	}
	if !slices.Equal(answer.IDs(), []string{"face_check", "verified_id"}) {
		t.Fatalf("shown %v", answer.IDs())
	}
	for id, at := range answer.Presentations {
		if at.Text == "" && answer.IDToken == "" || at.At < 0 {
			t.Fatalf("%s is empty, or before the first", id)
		}
	}
}

const mark = "Lovelace"

// FuzzOpen posts forms of strangers to both protocols. STATE and ID stand for what the request has.
func FuzzOpen(f *testing.F) {
	for _, seed := range []string{
		`vp_token={"verified_id":["Lovelace"],"face_check":["b"]}&state=STATE`, "error=access_denied&state=STATE", "response=a.b.c.d.e",
		"vp_token=vp&state=STATE&id_token=SUBMISSION", `vp_token=["Lovelace"]&state=STATE&id_token=SUBMISSION`, "vp_token=a&vp_token=b&state=STATE&id_token=e30.e30.e30", "",
	} {
		f.Add(seed)
	}
	newer, elder := open(f, plain(f)), open(f, older(f))
	asked, _, state, _ := made(f, newer, wish(f, dcql.FormatSDJWT))
	askedOlder, _, stateOlder, id := made(f, elder, wish(f, dcql.FormatJWTVC))
	f.Fuzz(func(t *testing.T, text string) {
		for _, one := range []struct {
			e      protocol.Protocol
			stored []byte
			state  string
		}{{newer, asked, state}, {elder, askedOlder, stateOlder}} {
			form, err := url.ParseQuery(strings.NewReplacer("STATE", one.state, "SUBMISSION", submission(id)).Replace(text))
			if err != nil {
				return
			}
			answer, err := one.e.Open(one.stored, form, noon)
			sound(t, answer, err, text)
		}
	})
}

// FuzzOpenBrowser has a page's script send what it likes.
func FuzzOpenBrowser(f *testing.F) {
	f.Add("openid4vp-v1-unsigned", `{"vp_token":{"verified_id":["Lovelace"],"face_check":["b"]}}`)
	f.Add("openid4vp-v1-unsigned", `{"error":"access_denied"}`)
	f.Add("openid4vp-v1-signed", `{"response":"a.b.c.d.e"}`)
	f.Add("", "")
	e, _ := open(f, plain(f)).(protocol.OpenID4VP)
	w := wish(f, dcql.FormatSDJWT)
	w.ResponseURI, w.Origin = "", origin
	asked, _, _, _ := made(f, e, w)
	f.Fuzz(func(t *testing.T, protocol, data string) {
		answer, err := e.OpenBrowser(asked, protocol, data, noon)
		sound(t, answer, err, protocol+data)
	})
}

// FuzzObject has wallets say what they like of themselves when they fetch.
func FuzzObject(f *testing.F) {
	f.Add("wallet_nonce=abcdefgh&wallet_metadata={}")
	f.Add(`wallet_metadata={"vp_formats_supported":{"dc%2Bsd-jwt":{}},"client_id_prefixes_supported":["Lovelace"]}`)
	// A wallet with a key gets its request encrypted, in each of the ways that it may offer.
	const key = `{"kty":"EC","crv":"P-256","kid":"w","use":"enc","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	const with = `{"jwks":{"keys":[` + key + `]},"request_object_encryption_alg_values_supported":["ECDH-ES"]`
	for _, metadata := range []string{with + "}", with + `,"request_object_encryption_enc_values_supported":["A256GCM"]}`, with + `,"request_object_encryption_enc_values_supported":["A128CBC-HS256"]}`} {
		f.Add("wallet_nonce=n&wallet_metadata=" + url.QueryEscape(metadata))
	}
	f.Add("")
	e := open(f, plain(f))
	asked, _, _, _ := made(f, e, wish(f, dcql.FormatSDJWT))
	f.Fuzz(func(t *testing.T, text string) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		object, err := e.Object(asked, form, noon)
		if err == nil && strings.Count(string(object.Body), ".") == 4 && !strings.Contains(form.Get("wallet_metadata"), "jwks") {
			t.Fatal("encrypted to nobody")
		}
		switch {
		case err == nil && strings.Count(string(object.Body), ".") != 2 && strings.Count(string(object.Body), ".") != 4:
			t.Fatalf("served %s", object.Body)
		case err != nil && !errors.Is(err, presentation.ErrUnsupportedWallet):
			sound(t, protocol.Answer{}, err, text)
		case err != nil && strings.Contains(err.Error(), mark):
			t.Fatalf("quoted: %v", err)
		}
	})
}
