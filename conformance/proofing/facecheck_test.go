package proofing_test

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/people"
)

// shown is a Verified ID with only its portrait open, bound to the holder.
func (b *bench) shown(credential string, holder *ecdsa.PrivateKey, change map[string]any) string {
	b.t.Helper()
	parts := strings.Split(strings.TrimSuffix(credential, "~"), "~")
	open := parts[0] + "~"
	for _, part := range parts[1:] {
		if raw, err := base64.RawURLEncoding.DecodeString(part); err == nil && strings.Contains(string(raw), `"portrait"`) {
			open += part + "~"
		}
	}
	sum := sha256.Sum256([]byte(open))
	claims := map[string]any{"aud": b.base, "nonce": b.nonce(), "iat": b.now.Unix(), "sd_hash": base64.RawURLEncoding.EncodeToString(sum[:])}
	for name, value := range change {
		claims[name] = value
	}
	return open + sign(b.t, holder, map[string]any{"typ": "kb+jwt"}, claims)
}

func selfie(t *testing.T, person string, light people.Light) string {
	t.Helper()
	p, ok := people.Find(person)
	if !ok {
		t.Fatal(person)
	}
	picture, err := p.Selfie(people.Conditions{Light: light, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(picture)
}

func (b *bench) faceCheck(presentation, picture string) (int, map[string]any) {
	b.t.Helper()
	text, err := json.Marshal(map[string]string{"presentation": presentation, "selfie": picture})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.post("/face-check", "application/json", "", string(text))
}

type receipt struct {
	Type    string `json:"vct"`
	Issued  int64  `json:"iat"`
	Expires int64  `json:"exp"`
	Confirm struct {
		Key jose.JWK `json:"jwk"`
	} `json:"cnf"`
	Results []struct {
		Source string  `json:"sourceVcJti"`
		Photo  string  `json:"sourcePhotoDigest"`
		Score  float64 `json:"matchConfidenceScore"`
	} `json:"faceCheckResults"`
}

func readReceipt(t *testing.T, answer map[string]any) receipt {
	t.Helper()
	compact, ok := strings.CutSuffix(answer["receipt"].(string), "~") //nolint:forcetypeassert // fails the test
	var r receipt
	if opened(t, compact, &r); !ok {
		t.Fatal("a receipt without its tilde")
	}
	return r
}

func TestFaceCheckScores(t *testing.T) {
	b := setUp(t)
	holder := newKey(t)
	issued, err := b.Issue("ada.lindqvist", jose.JWK{Key: holder.Public()})
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		person   string
		light    people.Light
		min, max float64
	}{
		"herself": {"ada.lindqvist", people.Good, 70, 100}, "herself in poor light": {"ada.lindqvist", people.Poor, 1, 70}, "another": {"tomasz.nowak", people.Good, 0, 50},
	} {
		status, answer := b.faceCheck(b.shown(issued.Credential, holder, nil), selfie(t, row.person, row.light))
		if status != http.StatusOK {
			t.Fatalf("%s: %d %v", name, status, answer)
		}
		r := readReceipt(t, answer)
		if len(r.Results) != 1 || r.Results[0].Score < row.min || r.Results[0].Score > row.max {
			t.Errorf("%s: %+v", name, r.Results)
		}
		if r.Type != "urn:regain:face-check-receipt:1" || r.Results[0].Source != issued.JTI || !holder.PublicKey.Equal(r.Confirm.Key.Key) || r.Expires-r.Issued != 600 {
			t.Errorf("%s: the receipt is of %s for %d seconds", name, r.Results[0].Source, r.Expires-r.Issued)
		}
		if !strings.Contains(payloadOf(t, issued.Credential), r.Results[0].Photo) {
			t.Errorf("%s: the photo's digest is not in the Verified ID", name)
		}
	}
}

func payloadOf(t *testing.T, credential string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(credential, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestFaceChecksThatAreRefused(t *testing.T) {
	b := setUp(t)
	holder := newKey(t)
	issued, err := b.Issue("ada.lindqvist", jose.JWK{Key: holder.Public()})
	if err != nil {
		t.Fatal(err)
	}
	picture := selfie(t, "ada.lindqvist", people.Good)
	good := func(change map[string]any) string { return b.shown(issued.Credential, holder, change) }
	for name, row := range map[string]struct{ presentation, selfie, code string }{
		"another audience":    {good(map[string]any{"aud": "https://x.example"}), picture, "invalid_presentation"},
		"another's key":       {b.shown(issued.Credential, newKey(t), nil), picture, "invalid_presentation"},
		"another sd_hash":     {good(map[string]any{"sd_hash": "x"}), picture, "invalid_presentation"},
		"long ago":            {good(map[string]any{"iat": b.now.Add(-time.Hour).Unix()}), picture, "invalid_presentation"},
		"a made-up nonce":     {good(map[string]any{"nonce": "x"}), picture, "invalid_nonce"},
		"no portrait":         {strings.Split(issued.Credential, "~")[0] + "~", picture, "invalid_presentation"},
		"not a presentation":  {"x", picture, "invalid_presentation"},
		"selfie not base64":   {good(nil), "%", "invalid_selfie"},
		"selfie not a JPEG":   {good(nil), "AAAA", "invalid_selfie"},
		"nothing":             {"", "", "invalid_request"},
		"another's signature": {strings.Replace(good(nil), ".", ".A", 1), picture, "invalid_presentation"},
	} {
		status, answer := b.faceCheck(row.presentation, row.selfie)
		if status != http.StatusBadRequest || answer["error"] != row.code {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	if status, _ := b.faceCheck(good(nil), strings.Repeat("A", 600<<10)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a selfie of 600 KiB: %d", status)
	}
	used := good(nil)
	for i, want := range []int{http.StatusOK, http.StatusBadRequest} {
		if status, answer := b.faceCheck(used, picture); status != want {
			t.Errorf("use %d of a presentation: %d %v", i+1, status, answer)
		}
	}
}
