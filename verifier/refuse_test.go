package verifier_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"regain/verifier"
	"regain/verifier/verifiertest"
)

// TestVerifyRefuses breaks one thing of a presentation in order. Each is an attack or a broken wallet, never an outcome.
func TestVerifyRefuses(t *testing.T) {
	for name, breakIt := range map[string]func(t *testing.T, s *scene){
		"another nonce":              func(_ *testing.T, s *scene) { s.idBind.Claims["nonce"] = "another" },
		"another nonce, receipt":     func(_ *testing.T, s *scene) { s.faceBind.Claims["nonce"] = "another" },
		"no nonce":                   func(_ *testing.T, s *scene) { s.idBind.Claims["nonce"] = nil },
		"another audience":           func(_ *testing.T, s *scene) { s.idBind.Claims["aud"] = "x509_hash:other" },
		"another audience, receipt":  func(_ *testing.T, s *scene) { s.faceBind.Claims["aud"] = "x509_hash:other" },
		"audience in a list":         func(_ *testing.T, s *scene) { s.idBind.Claims["aud"] = []string{verifiertest.Audience} },
		"another hash":               func(_ *testing.T, s *scene) { s.idBind.Claims["sd_hash"] = verifiertest.Hash("x") },
		"too old":                    func(_ *testing.T, s *scene) { s.idBind.Claims["iat"] = s.clock.Now().Add(-6 * time.Minute).Unix() },
		"from the future":            func(_ *testing.T, s *scene) { s.idBind.Claims["iat"] = s.clock.Now().Add(2 * time.Minute).Unix() },
		"no time":                    func(_ *testing.T, s *scene) { s.idBind.Claims["iat"] = nil },
		"binding typ":                func(_ *testing.T, s *scene) { s.idBind.Header["typ"] = "JWT" },
		"binding alg none":           func(_ *testing.T, s *scene) { s.idBind.Header["alg"] = "none" },
		"binding brings its own key": func(t *testing.T, s *scene) { s.idBind.Header["jwk"] = verifiertest.JWK(t, s.holder.Key) },
		"another type":               func(_ *testing.T, s *scene) { s.id.Claims["vct"] = "urn:other" },
		"another receipt type":       func(_ *testing.T, s *scene) { s.receipt.Claims["vct"] = verifiertest.IdentityType },
		"no type":                    func(_ *testing.T, s *scene) { delete(s.id.Claims, "vct") },
		"issuer alg none":            func(_ *testing.T, s *scene) { s.id.Header["alg"] = "none" },
		"issuer alg HS256":           func(_ *testing.T, s *scene) { s.id.Header["alg"] = "HS256" },
		"issuer typ":                 func(_ *testing.T, s *scene) { s.id.Header["typ"] = "JWT" },
		"no certificates":            func(_ *testing.T, s *scene) { delete(s.id.Header, "x5c") },
		"jwk beside x5c":             func(t *testing.T, s *scene) { s.id.Header["jwk"] = verifiertest.JWK(t, s.issuer.Signs.Key) },
		"jku beside x5c":             func(_ *testing.T, s *scene) { s.id.Header["jku"] = "https://issuer.example/jwks" },
		"crit":                       func(_ *testing.T, s *scene) { s.id.Header["crit"] = []string{"exp"} },
		"signed by another key":      func(t *testing.T, s *scene) { s.id.Signer.Key = verifiertest.NewKey(t) },
		"receipt by another key":     func(t *testing.T, s *scene) { s.receipt.Signer.Key = verifiertest.NewKey(t) },
		"no holder":                  func(_ *testing.T, s *scene) { delete(s.id.Claims, "cnf") },
		"receipt without holder":     func(_ *testing.T, s *scene) { delete(s.receipt.Claims, "cnf") },
		"presented by another":       func(t *testing.T, s *scene) { s.holder = verifiertest.NewHolder(t) },
		"disclosure sent twice":      func(_ *testing.T, s *scene) { s.id.Disclosures = append(s.id.Disclosures, s.id.Disclosures[0]) },
		"disclosure of the holder's": func(t *testing.T, s *scene) {
			s.id.Disclosures = append(s.id.Disclosures, verifiertest.Disclose(t, "given_name", "Mallory"))
		},
		"score too high":      func(_ *testing.T, s *scene) { s.receipt.Result()["matchConfidenceScore"] = 100.01 },
		"score below zero":    func(_ *testing.T, s *scene) { s.receipt.Result()["matchConfidenceScore"] = -1 },
		"score in quotes":     func(_ *testing.T, s *scene) { s.receipt.Result()["matchConfidenceScore"] = "86" },
		"score out of range":  func(_ *testing.T, s *scene) { s.receipt.Result()["matchConfidenceScore"] = json.Number("1e999") },
		"no score":            func(_ *testing.T, s *scene) { delete(s.receipt.Result(), "matchConfidenceScore") },
		"no results":          func(_ *testing.T, s *scene) { s.receipt.Claims["faceCheckResults"] = []any{} },
		"results no list":     func(_ *testing.T, s *scene) { s.receipt.Claims["faceCheckResults"] = s.receipt.Result() },
		"receipt has no time": func(_ *testing.T, s *scene) { delete(s.receipt.Claims, "iat") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			breakIt(t, s)
			if _, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect); !errors.Is(err, verifier.ErrRefused) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestVerifyRefusesTexts changes the text after everything was signed.
func TestVerifyRefusesTexts(t *testing.T) {
	for name, change := range map[string]func(verifier.Presentation) verifier.Presentation{
		"empty":      func(verifier.Presentation) verifier.Presentation { return verifier.Presentation{} },
		"no receipt": func(p verifier.Presentation) verifier.Presentation { p.FaceCheck = ""; return p },
		"swapped": func(p verifier.Presentation) verifier.Presentation {
			p.VerifiedID, p.FaceCheck = p.FaceCheck, p.VerifiedID
			return p
		},
		"twice the same": func(p verifier.Presentation) verifier.Presentation { p.FaceCheck = p.VerifiedID; return p },
		"without key binding": func(p verifier.Presentation) verifier.Presentation {
			p.VerifiedID = p.VerifiedID[:strings.LastIndexByte(p.VerifiedID, '~')+1]
			return p
		},
		"the other's binding": func(p verifier.Presentation) verifier.Presentation {
			own, other := strings.LastIndexByte(p.VerifiedID, '~'), strings.LastIndexByte(p.FaceCheck, '~')
			p.VerifiedID = p.VerifiedID[:own] + p.FaceCheck[other:]
			return p
		},
		"a disclosure taken away": func(p verifier.Presentation) verifier.Presentation {
			parts := strings.Split(p.VerifiedID, "~")
			p.VerifiedID = strings.Join(append(parts[:1:1], parts[2:]...), "~")
			return p
		},
		"disclosures in another order": func(p verifier.Presentation) verifier.Presentation {
			parts := strings.Split(p.VerifiedID, "~")
			parts[1], parts[2] = parts[2], parts[1]
			p.VerifiedID = strings.Join(parts, "~")
			return p
		},
		"padding":    func(p verifier.Presentation) verifier.Presentation { p.VerifiedID += "="; return p },
		"line break": func(p verifier.Presentation) verifier.Presentation { p.VerifiedID += "\n"; return p },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			if _, err := s.verifier(t).Verify(t.Context(), change(s.presentation(t)), s.expect); !errors.Is(err, verifier.ErrRefused) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestVerifyRefusesStrangersFirst holds that a replay is a refusal also when the issuer is nobody we trust.
func TestVerifyRefusesStrangersFirst(t *testing.T) {
	s := newScene(t)
	s.rules = verifiertest.New(t, s.clock.Now).Rules()
	v := s.verifier(t)
	if got, err := v.Verify(t.Context(), s.presentation(t), s.expect); err != nil || got.ValidationFailure() != verifier.Untrusted {
		t.Fatalf("in order: got %v, %v", got.ValidationFailure(), err)
	}
	s.idBind.Claims["nonce"] = "another"
	if _, err := v.Verify(t.Context(), s.presentation(t), s.expect); !errors.Is(err, verifier.ErrRefused) {
		t.Errorf("another nonce: got %v", err)
	}
	s.idBind = verifiertest.Bind(s.clock.Now())
	s.id.Signer.Key = verifiertest.NewKey(t)
	if _, err := v.Verify(t.Context(), s.presentation(t), s.expect); !errors.Is(err, verifier.ErrRefused) {
		t.Errorf("forged signature: got %v", err)
	}
}
