package verifier_test

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"regain/verifier"
	"regain/verifier/trust"
	"regain/verifier/verifiertest"
)

const receiptVC = "FaceCheckReceipt"

// card is a scene of an Authenticator-style wallet: one VP with a Verified ID and its receipt, and an ID token of the
// wallet's own issue. A test breaks one thing.
type card struct {
	*scene
	authority, owner *verifiertest.Identity
	vc, receipt      *verifiertest.JWT
	token            *verifiertest.JWT
	presenter        *verifiertest.Identity
	more             []any // credentials beside the two
}

func newCard(t testing.TB, algorithm string) *card {
	t.Helper()
	s := &card{scene: newScene(t)}
	now := s.clock.Now()
	s.authority, s.owner = verifiertest.NewJWKIdentity(t, "ES256"), verifiertest.NewIONIdentity(t, algorithm)
	s.presenter = s.owner
	s.vc = verifiertest.NewVC(s.authority, s.owner, now)
	s.receipt = verifiertest.NewFaceCheckVC(s.authority, s.owner, s.vc, 86.31, now)
	s.token = verifiertest.NewIDToken(s.owner, now)
	s.rules = []trust.Rule{{Types: []string{verifiertest.VCType, receiptVC}, DIDs: []string{s.authority.DID}, StatusOptional: true}}
	s.expect = verifier.Expect{
		Session:    verifier.Session{Nonce: verifiertest.Nonce, Audience: verifiertest.Audience},
		VerifiedID: verifier.Wanted{Format: verifier.FormatJWTVC, Types: []string{"VerifiableCredential " + verifiertest.VCType}},
		FaceCheck:  verifier.Wanted{Format: verifier.FormatJWTVC, Types: []string{"VerifiableCredential " + receiptVC}},
	}
	return s
}

func (s *card) verify(t *testing.T) (verifier.Verified, error) {
	t.Helper()
	vp := verifiertest.NewVP(s.presenter, s.clock.Now(), s.vc.Sign(t), s.receipt.Sign(t)).Sign(t)
	return s.scene.verifier(t).Verify(t.Context(), verifier.Presentation{
		VerifiedID: vp, FaceCheck: vp, FaceCheckAt: 1, IDToken: s.idToken(t),
	}, s.expect)
}

func (s *card) idToken(t *testing.T) string {
	t.Helper()
	if s.token == nil {
		return ""
	}
	return s.token.Sign(t)
}

// authorities has the issuer be known by certificates of this authority, and by no DID.
func (s *card) authorities(a *verifiertest.Authority) {
	s.rules = []trust.Rule{
		{Types: []string{verifiertest.VCType}, Anchors: []*x509.Certificate{a.Certificate}, StatusOptional: true},
		{Types: []string{receiptVC}, DIDs: []string{s.authority.DID}, StatusOptional: true},
	}
}

func TestJWTVC(t *testing.T) {
	for _, algorithm := range []string{"ES256K", "ES256", "EdDSA"} {
		s := newCard(t, algorithm)
		got, err := s.verify(t)
		if err != nil {
			t.Fatal(algorithm, err)
		}
		check, there := got.FaceCheck()
		if got.ValidationFailure() != verifier.NoFailure || !there || !check.Bound || check.ValidationFailure != verifier.NoFailure || check.Score != 86.31 {
			t.Errorf("%s: failure %q, face check %+v; log: %s", algorithm, got.ValidationFailure(), check, s.log.String())
		}
		subject, _ := got.VerifiedID().Claims["credentialSubject"].(map[string]any)
		if subject["lastName"] != "Lovelace" {
			t.Errorf("claims are %v", got.VerifiedID().Claims)
		}
	}
}

func TestJWTVCsThatAreRefused(t *testing.T) {
	for name, row := range map[string]struct {
		change func(t *testing.T, s *card)
		why    string
	}{
		"another nonce":                    {func(_ *testing.T, s *card) { s.expect.Session.Nonce = "another" }, "not presented by the holder for this request: nonce is not the one"},
		"another audience":                 {func(_ *testing.T, s *card) { s.expect.Session.Audience = "did:web:other.example" }, "aud is not the one asked for"},
		"is missing or has the wrong type": {func(_ *testing.T, s *card) { s.expect.VerifiedID.Types = []string{"VerifiableCredential Passport"} }, "Verified ID: its types are not"},
		"half of a type":                   {func(_ *testing.T, s *card) { s.expect.VerifiedID.Types = []string{verifiertest.VCType + " Passport"} }, "Verified ID: its types are not"},
		"not the transaction":              {func(_ *testing.T, s *card) { s.expect.TransactionData = []string{"e30"} }, "cannot carry the transaction data"},
		"no type":                          {func(_ *testing.T, s *card) { s.expect.VerifiedID.Types = []string{""} }, "Verified ID: its types are not"},
		"the receipt is no VC":             {func(_ *testing.T, s *card) { s.receipt.VC()["type"] = []any{"VerifiableCredential"} }, "Face Check receipt: its types are not"},
		"another's VC":                     {func(t *testing.T, s *card) { s.presenter = verifiertest.NewJWKIdentity(t, "ES256K") }, "VP has another iss than the VC's sub"},
		"another's ID token": {func(t *testing.T, s *card) {
			s.token = verifiertest.NewIDToken(verifiertest.NewJWKIdentity(t, "ES256K"), s.clock.Now())
		}, "the ID token and the presentation have different holders"},
		"an ID token of somebody": {func(_ *testing.T, s *card) { s.token.Claims["iss"] = "https://idp.example" }, "iss is not https://self-issued.me/v2"},
		"an ID token of yore":     {func(_ *testing.T, s *card) { s.token.Claims["nonce"] = "yesterday's" }, "ID token: not presented by the holder for this request: nonce is not"},
		"a forged ID token":       {func(t *testing.T, s *card) { s.token.Signer = verifiertest.NewSigner(t, "ES256K") }, "ID token: signature does not verify"},
		"a forged VC":             {func(t *testing.T, s *card) { s.vc.Signer = verifiertest.NewSigner(t, "ES256") }, "Verified ID: not signed by the issuer that it names: VC: signature does not verify"},
		// Which of the two mechanisms an issuer is known by is not for the VC to choose.
		"certificates beside the DID": {func(t *testing.T, s *card) { certify(t, s, s.issuer.Authority) }, "VC has certificates"},
		"a stranger's, for a trusted DID": {func(t *testing.T, s *card) {
			certify(t, s, verifiertest.NewAuthority(t, "Stranger", s.clock.Now()))
		}, "VC has certificates"},
		// Anybody may copy the chain of a trusted issuer: that its key signed is what counts.
		"a trusted chain, and another key": {func(t *testing.T, s *card) {
			s.authorities(s.issuer.Authority)
			certify(t, s, s.issuer.Authority)
			s.vc.Signer = verifiertest.NewSigner(t, "ES256")
		}, "Verified ID: not signed by the issuer that it names: VC: signature does not verify"},
		"a chain that is none": {func(_ *testing.T, s *card) {
			s.authorities(s.issuer.Authority)
			s.vc.Certify([][]byte{[]byte("x")})
		}, "Verified ID: malformed certificate chain: leaf: a certificate cannot be read"},
		"an empty ID token": {func(_ *testing.T, s *card) { s.token.Claims = map[string]any{} }, "iss is not https://self-issued.me/v2"},
		"a forged receipt":  {func(t *testing.T, s *card) { s.receipt.Signer = verifiertest.NewSigner(t, "ES256") }, "Face Check receipt: not signed by the issuer that it names: VC: signature does not verify"},
	} {
		s := newCard(t, "ES256K")
		row.change(t, s)
		if got, err := s.verify(t); !errors.Is(err, verifier.ErrRefused) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: got %q, %v", name, got.ValidationFailure(), err)
		}
	}
}

// certify has the VC bring a chain of an authority for its issuer's key, and no kid.
func certify(t *testing.T, s *card, by *verifiertest.Authority) {
	t.Helper()
	s.vc.Certify(by.Certify(t, s.authority.Public(), nil))
}

func TestJWTVCsThatAreObjectedTo(t *testing.T) {
	for name, row := range map[string]struct {
		change func(t *testing.T, s *card)
		want   verifier.ValidationFailure
		why    string // part of the cause, as the operator reads it
	}{
		"an issuer nobody knows": {func(t *testing.T, s *card) { s.rules[0].DIDs = []string{"did:web:other.example"} }, verifier.Untrusted, "its DID is in no rule for"},
		"a host that nobody asked for": {func(_ *testing.T, s *card) {
			s.vc.Claims["iss"], s.vc.Header["kid"] = "did:web:attacker.example", "did:web:attacker.example#key-1"
		}, verifier.Untrusted, "its DID is in no rule for"},
		"trusted for another type": {func(_ *testing.T, s *card) { s.rules[0].Types = []string{receiptVC} }, verifier.Untrusted, "its DID is in no rule for"},
		"certified by who is trusted": {func(t *testing.T, s *card) {
			s.authorities(s.issuer.Authority)
			certify(t, s, s.issuer.Authority)
		}, verifier.NoFailure, ""},
		"without an ID token": {func(_ *testing.T, s *card) { s.token = nil }, verifier.NoFailure, ""},
		"certified by a stranger": {func(t *testing.T, s *card) {
			s.rules[0].DIDs = []string{"did:web:other.example"}
			certify(t, s, verifiertest.NewAuthority(t, "Stranger", s.clock.Now()))
		}, verifier.Untrusted, "the chain does not lead to a configured anchor"},
		"a status list, and nobody to sign it": {func(_ *testing.T, s *card) {
			s.vc.Claims["status"] = map[string]any{"status_list": map[string]any{"idx": 0, "uri": s.issuer.Status.URI}}
		}, verifier.StatusUnavailable, "list: issuer is not trusted for this type"},
		"expired":                {func(_ *testing.T, s *card) { s.vc.Claims["exp"] = s.clock.Now().Unix() }, verifier.Expired, "exp is past or is not a date"},
		"from tomorrow":          {func(_ *testing.T, s *card) { s.vc.Claims["nbf"] = s.clock.Now().Add(time.Hour).Unix() }, verifier.Expired, "nbf is in the future or is not a date"},
		"never ends":             {func(_ *testing.T, s *card) { delete(s.vc.Claims, "exp") }, verifier.Expired, "credential has neither exp nor status"},
		"no status, and it must": {func(_ *testing.T, s *card) { s.rules[0].StatusOptional = false }, verifier.StatusUnavailable, "credential names no status list"},
		"a status of another kind": {func(_ *testing.T, s *card) {
			s.vc.VC()["credentialStatus"] = map[string]any{"id": "urn:uuid:x", "type": "RevocationList2021Status", "statusListIndex": "1", "statusListCredential": "https://x.example"}
		}, verifier.StatusUnavailable, "credentialStatus has a type that is not supported"},
	} {
		s := newCard(t, "ES256K")
		row.change(t, s)
		if got, err := s.verify(t); err != nil || got.ValidationFailure() != row.want || !blames(got, row.want, row.why) {
			t.Errorf("%s: got %q, %v; log: %s", name, got.ValidationFailure(), err, s.log.String())
		}
	}
}

// A receipt with another holder key, or about another Verified ID, says nothing about this one.
func TestReceiptOfAnotherVC(t *testing.T) {
	s := newCard(t, "ES256K")
	s.receipt = verifiertest.NewFaceCheckVC(s.authority, s.owner, verifiertest.NewVC(s.authority, s.owner, s.clock.Now()), 99, s.clock.Now())
	if check, there := mustVerify(t, s).FaceCheck(); !there || check.Bound {
		t.Errorf("about another: %+v", check)
	}
	s = newCard(t, "ES256K")
	s.vc.Subject()["portrait"] = "another picture" // after the receipt was made
	if check, there := mustVerify(t, s).FaceCheck(); !there || check.Bound {
		t.Errorf("of another photo: %+v", check)
	}
}

// A receipt says when the Face Check was in iat, or in nbf, or in both; never both in vain.
func TestWhenAReceiptWasIssued(t *testing.T) {
	for name, row := range map[string]struct {
		nbf, iat any // seconds from now
		want     time.Duration
		refused  bool
	}{
		"both":        {0, 0, 0, false},
		"iat alone":   {nil, -30, -30 * time.Second, false},
		"nbf alone":   {-30, nil, -30 * time.Second, false},
		"an old iat":  {0, -3600, -time.Hour, false},
		"an old nbf":  {-3600, 0, -time.Hour, false},
		"neither":     {nil, nil, 0, true},
		"iat in 1970": {0, -1 << 40, 0, true},
	} {
		s := newCard(t, "ES256K")
		now := s.clock.Now()
		for claim, value := range map[string]any{"nbf": row.nbf, "iat": row.iat} {
			delete(s.receipt.Claims, claim)
			if seconds, there := value.(int); there {
				s.receipt.Claims[claim] = now.Unix() + int64(seconds)
			}
		}
		got, err := s.verify(t)
		check, there := got.FaceCheck()
		if row.refused != errors.Is(err, verifier.ErrRefused) || there == row.refused || there && !check.At.Equal(time.Unix(now.Add(row.want).Unix(), 0)) {
			t.Errorf("%s: at %s, %v", name, check.At, err)
		}
	}
}

func mustVerify(t *testing.T, s *card) verifier.Verified {
	t.Helper()
	got, err := s.verify(t)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// An issuer known by a did:web, whose domain has to vouch for it.
func TestLinkedDomain(t *testing.T) {
	for name, row := range map[string]struct {
		change func(s *card, site *verifiertest.Site)
		want   verifier.ValidationFailure
		why    string // part of the cause, as the operator reads it
	}{
		"it does": {func(*card, *verifiertest.Site) {}, verifier.NoFailure, ""},
		"for another DID": {func(s *card, site *verifiertest.Site) {
			site.ServeConfiguration(verifiertest.NewDomainLinkage(s.owner, site.Origin, s.clock.Now()).Sign(t))
		}, verifier.Untrusted, "configuration has no credential of the DID"},
		"not at all":          {func(_ *card, site *verifiertest.Site) { site.ServeConfiguration() }, verifier.Untrusted, "configuration has no credential of the DID"},
		"it does not answer":  {func(_ *card, site *verifiertest.Site) { delete(site.Pages, "/.well-known/did-configuration.json") }, verifier.StatusUnavailable, "response is not 200 OK"},
		"nobody wants it to":  {func(s *card, site *verifiertest.Site) { s.rules[0].LinkedDomain = false; site.ServeConfiguration() }, verifier.NoFailure, ""},
		"an untrusted issuer": {func(s *card, _ *verifiertest.Site) { s.rules[0].DIDs = []string{"did:web:other.example"} }, verifier.Untrusted, "its DID is in no rule for"},
	} {
		s, site := newCard(t, "ES256K"), verifiertest.NewSite(t)
		s.fetch, s.authority = site.Fetcher(), site.Identity("ES256")
		now := s.clock.Now()
		site.ServeConfiguration(verifiertest.NewDomainLinkage(s.authority, site.Origin, now).Sign(t))
		s.rules[0].DIDs, s.rules[0].LinkedDomain = []string{site.DID}, true
		s.vc = verifiertest.NewVC(s.authority, s.owner, now)
		s.receipt = verifiertest.NewFaceCheckVC(s.authority, s.owner, s.vc, 86.31, now)
		row.change(s, site)
		if got := mustVerify(t, s); got.ValidationFailure() != row.want || !blames(got, row.want, row.why) {
			t.Errorf("%s: %q; log: %s", name, got.ValidationFailure(), s.log.String())
		}
		if row.want == verifier.Untrusted && len(s.rules[0].DIDs) > 0 && s.rules[0].DIDs[0] != site.DID && site.Requests.Load() > 0 {
			t.Errorf("%s: a host that nobody trusts was asked", name)
		}
	}
}

// A DID document that cannot be had is nobody's fault: nothing is decided, and the wallet may try again.
func TestAnIssuerThatIsDown(t *testing.T) {
	s, site := newCard(t, "ES256K"), verifiertest.NewSite(t)
	s.fetch, s.authority = site.Fetcher(), site.Identity("ES256")
	delete(site.Pages, "/.well-known/did.json")
	s.rules[0].DIDs = []string{site.DID}
	s.vc = verifiertest.NewVC(s.authority, s.owner, s.clock.Now())
	s.receipt = verifiertest.NewFaceCheckVC(s.authority, s.owner, s.vc, 86.31, s.clock.Now())
	if _, err := s.verify(t); !errors.Is(err, verifier.ErrUnavailable) || errors.Is(err, verifier.ErrRefused) {
		t.Errorf("got %v", err)
	}
}
