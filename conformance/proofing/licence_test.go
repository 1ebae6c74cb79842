package proofing_test

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/mdoc"
	"regain/conformance/people"
	"regain/conformance/proofing"
)

// fetchLicence takes a driving licence as a wallet would.
func (b *bench) fetchLicence(holder *ecdsa.PrivateKey) []byte {
	b.t.Helper()
	made, err := b.MakeOffer(proofing.OfferOptions{PersonID: "ada.lindqvist", Configurations: []string{proofing.LicenceID}})
	if err != nil {
		b.t.Fatal(err)
	}
	status, answer := b.post("/token", formType, "", tokenForm(b.codeAt(made.URL)).Encode())
	access, _ := answer["access_token"].(string)
	if status != http.StatusOK {
		b.t.Fatalf("token: %d %v", status, answer)
	}
	options, claims := b.proof(holder)
	body := credentialBody(sign(b.t, holder, options, claims))
	body["credential_configuration_id"] = proofing.LicenceID
	status, answer = b.ask(access, body)
	if status != http.StatusOK {
		b.t.Fatalf("credential: %d %v", status, answer)
	}
	return b.decode(answer["credentials"].([]any)[0].(map[string]any)["credential"].(string)) //nolint:forcetypeassert // fails the test
}

func (b *bench) decode(text string) []byte {
	b.t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		b.t.Fatal(err)
	}
	return raw
}

// The licence is the same person as the SD-JWT, under a root of its own, with a status in the same lists.
func TestLicence(t *testing.T) {
	b := setUp(t)
	holder := newKey(t)
	d, err := mdoc.Parse(b.fetchLicence(holder))
	if err != nil {
		t.Fatal(err)
	}
	if elements, _ := d.Claims()[mdoc.Namespace].(map[string]any); elements["family_name"] != "Lindqvist" || len(elements) != 11 {
		t.Errorf("%d elements, of %s", len(elements), elements["family_name"])
	}
	certificate := d.Chain().Leaf()
	if certificate.CheckSignatureFrom(b.IACA()) != nil || certificate.CheckSignatureFrom(b.Anchor()) == nil {
		t.Error("the signer's certificate is not under the IACA root, or not there alone")
	}
	if !d.Signed().Equal(b.now.Truncate(time.Hour)) || !holder.PublicKey.Equal(d.DeviceKey()) {
		t.Errorf("signed %v, at %v, or to another holder", d.Signed(), b.now)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, certificate.CRLDistributionPoints[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := x509.ParseRevocationList(raw); err != nil || list.CheckSignatureFrom(b.IACA()) != nil {
		t.Errorf("the revocation list: %v", err)
	}
}

// shownLicence is a licence with its portrait, as its holder shows it to the Face Check.
func (b *bench) shownLicence(credential string, holder *ecdsa.PrivateKey, audience, nonce, where string) string {
	b.t.Helper()
	d, err := mdoc.Parse(b.decode(credential))
	if err != nil {
		b.t.Fatal(err)
	}
	transcript, err := mdoc.Redirect(audience, nonce, nil, where)
	if err != nil {
		b.t.Fatal(err)
	}
	raw, err := d.Present(mdoc.Presentation{
		Elements: [][2]string{{mdoc.Namespace, "portrait"}}, Transcript: transcript, Key: holder, Random: rand.Reader,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (b *bench) faceCheckLicence(presentation, nonce, picture string) (int, map[string]any) {
	b.t.Helper()
	text, err := json.Marshal(map[string]string{"presentation": presentation, "nonce": nonce, "selfie": picture})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.post("/face-check", "application/json", "", string(text))
}

func TestFaceChecksOfLicencesThatAreRefused(t *testing.T) {
	b := setUp(t)
	holder := newKey(t)
	issued, err := b.IssueLicence("ada.lindqvist", jose.JWK{Key: holder.Public()})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := setUp(t).IssueLicence("ada.lindqvist", jose.JWK{Key: holder.Public()})
	if err != nil {
		t.Fatal(err)
	}
	picture, nonce, where := selfie(t, "ada.lindqvist", people.Good), b.nonce(), b.base+"/face-check"
	for name, row := range map[string]struct{ presentation, nonce, code string }{
		"another audience":   {b.shownLicence(issued.Credential, holder, "https://x.example", nonce, where), nonce, "invalid_presentation"},
		"another address":    {b.shownLicence(issued.Credential, holder, b.base, nonce, b.base), nonce, "invalid_presentation"},
		"another nonce":      {b.shownLicence(issued.Credential, holder, b.base, nonce, where), b.nonce(), "invalid_presentation"},
		"a made-up nonce":    {b.shownLicence(issued.Credential, holder, b.base, "x", where), "x", "invalid_nonce"},
		"no nonce":           {b.shownLicence(issued.Credential, holder, b.base, "", where), "", "invalid_nonce"},
		"another's key":      {b.shownLicence(issued.Credential, newKey(t), b.base, nonce, where), nonce, "invalid_presentation"},
		"another issuer's":   {b.shownLicence(foreign.Credential, holder, b.base, nonce, where), nonce, "invalid_presentation"},
		"the licence itself": {issued.Credential, nonce, "invalid_presentation"},
		"not base64url":      {"%", nonce, "invalid_presentation"},
	} {
		if status, answer := b.faceCheckLicence(row.presentation, row.nonce, picture); status != http.StatusBadRequest || answer["error"] != row.code {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
}
