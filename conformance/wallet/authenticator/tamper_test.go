package authenticator_test

import (
	"errors"
	"net/url"
	"testing"

	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator"
	"regain/conformance/wallet/authenticator/authenticatortest"
	"regain/conformance/wallet/wallettest"
)

func TestTamperBreaksOneThingAtATime(t *testing.T) {
	type tamper = authenticator.Tamper
	type wrong = authenticator.Wrong
	year := wallettest.Noon().AddDate(-1, 0, 0)
	for name, test := range map[string]struct {
		tamper tamper
		spoil  func(*facts)
	}{
		"nothing":                   {tamper{}, func(*facts) {}},
		"nonce of the ID token":     {tamper{IDToken: wrong{Nonce: "another"}}, func(f *facts) { f.IDNonce = false }},
		"audience of the ID token":  {tamper{IDToken: wrong{Audience: "did:web:other.example"}}, func(f *facts) { f.IDAudience = false }},
		"issuer of the ID token":    {tamper{IDToken: wrong{Claims: map[string]any{"iss": "https://self-issued.me/v2"}}}, func(f *facts) { f.Issuer = false }},
		"no nonce in the ID token":  {tamper{IDToken: wrong{Claims: map[string]any{"nonce": nil}}}, func(f *facts) { f.IDNonce = false }},
		"an old ID token":           {tamper{IDToken: wrong{IssuedAt: year}}, func(f *facts) { f.IDTimes = false }},
		"ID token of another":       {tamper{IDToken: wrong{OtherHolder: true}}, func(f *facts) { f.SameHolder = false }},
		"ID token by another's key": {tamper{IDToken: wrong{OtherKey: true}}, func(f *facts) { f.IDSigned = false }},
		"signature of the ID token": {tamper{IDToken: wrong{BreakSignature: true}}, func(f *facts) { f.IDSigned = false }},
		"unsigned ID token":         {tamper{IDToken: wrong{Unsigned: true}}, func(f *facts) { f.IDSigned = false }},
		"subject of the ID token":   {tamper{IDToken: wrong{Claims: map[string]any{"sub": "did:web:other.example"}}}, func(f *facts) { f.IDSubject, f.SameHolder = false, false }},
		"no ID token":               {tamper{IDToken: wrong{Missing: true}}, func(f *facts) { f.Complete = false }},
		"nonce of the VP":           {tamper{VP: wrong{Nonce: "another"}}, func(f *facts) { f.Nonce = false }},
		"audience of the VP":        {tamper{VP: wrong{Audience: "did:web:other.example"}}, func(f *facts) { f.Audience = false }},
		"an old VP":                 {tamper{VP: wrong{IssuedAt: year}}, func(f *facts) { f.Times = false }},
		"VP of another":             {tamper{VP: wrong{OtherHolder: true}}, func(f *facts) { f.SameHolder, f.Bound = false, false }},
		"VP by another's key":       {tamper{VP: wrong{OtherKey: true}}, func(f *facts) { f.Signed = false }},
		"signature of the VP":       {tamper{VP: wrong{BreakSignature: true}}, func(f *facts) { f.Signed = false }},
		"unsigned VP":               {tamper{VP: wrong{Unsigned: true}}, func(f *facts) { f.Signed = false }},
		"no VP":                     {tamper{VP: wrong{Missing: true}}, func(f *facts) { f.Complete, f.Answered = false, false }},
		"altered credential":        {tamper{Alter: map[string]map[string]any{"verified_id": {"lastName": "Byron"}}}, func(f *facts) { f.Genuine = false }},
		"signature of a credential": {tamper{BreakVCSignature: "face_check"}, func(f *facts) { f.Genuine = false }},
		"another definition":        {tamper{Definition: "another"}, func(f *facts) { f.Answered = false }},
		"wrong paths":               {tamper{WrongPaths: true}, func(f *facts) { f.Answered = false }},
		"no submission":             {tamper{NoSubmission: true}, func(f *facts) { f.Answered = false }},
		"a descriptor dropped":      {tamper{Drop: "face_check"}, func(f *facts) { f.Answered = false }},
		"another state":             {tamper{State: "another"}, func(f *facts) { f.State = false }},
	} {
		t.Run(name, func(t *testing.T) {
			w := authenticatortest.WithCredential(t)
			share(t, w, authenticator.ShareOptions{Tamper: test.tamper})
			want := authenticatortest.Right()
			test.spoil(&want)
			judge(t, w, want)
		})
	}
}

// A credential of somebody else is genuine, and not the presenter's.
func TestTamperWithSomebodyElsesCredential(t *testing.T) {
	w, other := authenticatortest.WithCredential(t), authenticatortest.New(t)
	stolen := w.Issuer.Identity(other.Wallet.DID())
	share(t, w, authenticator.ShareOptions{Tamper: authenticator.Tamper{Credentials: map[string]string{"verified_id": stolen}}})
	want := authenticatortest.Right()
	want.Bound = false
	judge(t, w, want)
}

// A receipt of another credential is all right but for what it is about.
func TestTamperWithAnotherReceipt(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	old := w.Wallet.Credentials()[0]
	if err := w.Wallet.FaceCheck(t.Context(), old.ID); err != nil {
		t.Fatal(err)
	}
	w.Import(t)
	receipt := w.Wallet.Receipts(old.ID)[0].JWT()
	a := share(t, w, authenticator.ShareOptions{Tamper: authenticator.Tamper{Credentials: map[string]string{"face_check": receipt}}})
	judge(t, w, authenticatortest.Right())
	if a.Credentials["face_check"].Text != receipt || a.Credentials["verified_id"].Claims["jti"] == old.JTI {
		t.Error("the receipt is not the other credential's")
	}
}

func TestTamperReplay(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	r := w.Ready(t)
	replay := authenticator.ShareOptions{Tamper: authenticator.Tamper{ReplayLast: true}}
	if _, err := w.Wallet.Share(t.Context(), r, replay); !errors.Is(err, wallet.ErrNothingToReplay) {
		t.Errorf("got %v", err)
	}
	if _, err := w.Wallet.Share(t.Context(), r, authenticator.ShareOptions{}); err != nil {
		t.Fatal(err)
	}
	w.Verifier.Nonce = "another"
	if _, err := w.Wallet.Share(t.Context(), w.Review(t), replay); err != nil {
		t.Fatal(err)
	}
	if posts := w.Verifier.Posts; posts[0].Encode() != posts[1].Encode() {
		t.Error("the second answer is not the first")
	}
	want := authenticatortest.Right()
	want.IDNonce, want.Nonce = false, false
	judge(t, w, want)
}

func TestTamperAddsParameters(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	a := share(t, w, authenticator.ShareOptions{Tamper: authenticator.Tamper{ExtraParameters: url.Values{"state": {"x"}, "error": {"y"}}}})
	if len(a.Form["state"]) != 2 || a.Form.Get("error") != "y" {
		t.Errorf("the form is %v", a.Form)
	}
}

// With a presentation each there is another one to be led to, and past the only one there is none.
func TestTamperWrongPathsOfOneEach(t *testing.T) {
	w := authenticatortest.WithCredential(t)
	share(t, w, authenticator.ShareOptions{OneEach: true, Tamper: authenticator.Tamper{WrongPaths: true}})
	want := authenticatortest.Right()
	want.Answered = false
	judge(t, w, want)
}
