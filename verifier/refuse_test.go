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
	for name, row := range map[string]struct {
		breakIt func(t *testing.T, s *scene)
		why     string
	}{
		"another nonce":                    {func(_ *testing.T, s *scene) { s.idBind.Claims["nonce"] = "another" }, "Verified ID: not presented by the holder for this request: nonce is not the one asked for"},
		"another nonce, receipt":           {func(_ *testing.T, s *scene) { s.faceBind.Claims["nonce"] = "another" }, "Face Check receipt: not presented by the holder for this request: nonce is not the one asked for"},
		"no nonce":                         {func(_ *testing.T, s *scene) { s.idBind.Claims["nonce"] = nil }, "Verified ID: not presented by the holder for this request: nonce is not the one asked for"},
		"another audience":                 {func(_ *testing.T, s *scene) { s.idBind.Claims["aud"] = "x509_hash:other" }, "Verified ID: not presented by the holder for this request: aud is not the one asked for"},
		"another audience, receipt":        {func(_ *testing.T, s *scene) { s.faceBind.Claims["aud"] = "x509_hash:other" }, "Face Check receipt: not presented by the holder for this request: aud is not the one asked for"},
		"audience in a list":               {func(_ *testing.T, s *scene) { s.idBind.Claims["aud"] = []string{verifiertest.Audience} }, "Verified ID: not presented by the holder for this request: aud is not the one asked for"},
		"another hash":                     {func(_ *testing.T, s *scene) { s.idBind.Claims["sd_hash"] = verifiertest.Hash("x") }, "Verified ID: not presented by the holder for this request: sd_hash is not the one asked for"},
		"too old":                          {func(_ *testing.T, s *scene) { s.idBind.Claims["iat"] = s.clock.Now().Add(-6 * time.Minute).Unix() }, "Verified ID: not presented by the holder for this request: iat is too old or in the future"},
		"from the future":                  {func(_ *testing.T, s *scene) { s.idBind.Claims["iat"] = s.clock.Now().Add(2 * time.Minute).Unix() }, "Verified ID: not presented by the holder for this request: iat is too old or in the future"},
		"no time":                          {func(_ *testing.T, s *scene) { s.idBind.Claims["iat"] = nil }, "Verified ID: not presented by the holder for this request: iat is missing"},
		"binding typ":                      {func(_ *testing.T, s *scene) { s.idBind.Header["typ"] = "JWT" }, "Verified ID: not presented by the holder for this request: key binding JWT: malformed JWS: typ is"},
		"binding alg none":                 {func(_ *testing.T, s *scene) { s.idBind.Header["alg"] = "none" }, "Verified ID: not presented by the holder for this request: key binding JWT: malformed JWS: alg is"},
		"binding brings its own key":       {func(t *testing.T, s *scene) { s.idBind.Header["jwk"] = verifiertest.JWK(t, s.holder.Key) }, "Verified ID: not presented by the holder for this request: key binding JWT: malformed JWS: header has jwk"},
		"is missing or has the wrong type": {func(_ *testing.T, s *scene) { s.id.Claims["vct"] = "urn:other" }, "Verified ID: vct is not a requested one"},
		"another receipt type":             {func(_ *testing.T, s *scene) { s.receipt.Claims["vct"] = verifiertest.IdentityType }, "Face Check receipt: vct is not a requested one"},
		"no type":                          {func(_ *testing.T, s *scene) { delete(s.id.Claims, "vct") }, "Verified ID: vct is not a requested one"},
		"issuer alg none":                  {func(_ *testing.T, s *scene) { s.id.Header["alg"] = "none" }, "Verified ID: issuer's JWT: malformed JWS: alg is"},
		"issuer alg HS256":                 {func(_ *testing.T, s *scene) { s.id.Header["alg"] = "HS256" }, "Verified ID: issuer's JWT: malformed JWS: alg is"},
		"issuer typ":                       {func(_ *testing.T, s *scene) { s.id.Header["typ"] = "JWT" }, "Verified ID: issuer's JWT: malformed JWS: typ is"},
		"no certificates":                  {func(_ *testing.T, s *scene) { delete(s.id.Header, "x5c") }, "Verified ID: malformed certificate chain: there is no certificate"},
		"jwk beside x5c":                   {func(t *testing.T, s *scene) { s.id.Header["jwk"] = verifiertest.JWK(t, s.issuer.Signs.Key) }, "Verified ID: issuer's JWT: malformed JWS: header has jwk"},
		"jku beside x5c":                   {func(_ *testing.T, s *scene) { s.id.Header["jku"] = "https://issuer.example/jwks" }, "Verified ID: issuer's JWT: malformed JWS: header has jku"},
		"crit":                             {func(_ *testing.T, s *scene) { s.id.Header["crit"] = []string{"exp"} }, "Verified ID: issuer's JWT: malformed JWS: header has crit"},
		"signed by another key":            {func(t *testing.T, s *scene) { s.id.Signer.Key = verifiertest.NewKey(t) }, "Verified ID: issuer's JWT: signature does not verify"},
		"receipt by another key":           {func(t *testing.T, s *scene) { s.receipt.Signer.Key = verifiertest.NewKey(t) }, "Face Check receipt: issuer's JWT: signature does not verify"},
		"no holder":                        {func(_ *testing.T, s *scene) { delete(s.id.Claims, "cnf") }, "Verified ID: malformed JWS: cnf.jwk is missing"},
		"receipt without holder":           {func(_ *testing.T, s *scene) { delete(s.receipt.Claims, "cnf") }, "Face Check receipt: malformed JWS: cnf.jwk is missing"},
		"presented by another":             {func(t *testing.T, s *scene) { s.holder = verifiertest.NewHolder(t) }, "Verified ID: not presented by the holder for this request: key binding JWT: signature does not verify"},
		"disclosure sent twice":            {func(_ *testing.T, s *scene) { s.id.Disclosures = append(s.id.Disclosures, s.id.Disclosures[0]) }, "Verified ID: malformed JWS: a disclosure stands twice"},
		"disclosure of the holder's": {func(t *testing.T, s *scene) {
			s.id.Disclosures = append(s.id.Disclosures, verifiertest.Disclose(t, "given_name", "Mallory"))
		}, "Verified ID: malformed JWS: a disclosure has no digest"},
		"score too high":      {func(_ *testing.T, s *scene) { s.receipt.Result()["matchConfidenceScore"] = 100.01 }, "Face Check receipt: matchConfidenceScore is not a number from 0 to 100"},
		"score below zero":    {func(_ *testing.T, s *scene) { s.receipt.Result()["matchConfidenceScore"] = -1 }, "Face Check receipt: matchConfidenceScore is not a number from 0 to 100"},
		"score in quotes":     {func(_ *testing.T, s *scene) { s.receipt.Result()["matchConfidenceScore"] = "86" }, "Face Check receipt: matchConfidenceScore is not a number from 0 to 100"},
		"score out of range":  {func(_ *testing.T, s *scene) { s.receipt.Result()["matchConfidenceScore"] = json.Number("1e999") }, "Face Check receipt: matchConfidenceScore is not a number from 0 to 100"},
		"no score":            {func(_ *testing.T, s *scene) { delete(s.receipt.Result(), "matchConfidenceScore") }, "Face Check receipt: matchConfidenceScore is not a number from 0 to 100"},
		"no results":          {func(_ *testing.T, s *scene) { s.receipt.Claims["faceCheckResults"] = []any{} }, "Face Check receipt: faceCheckResults is not an array of 1 to 8"},
		"results no list":     {func(_ *testing.T, s *scene) { s.receipt.Claims["faceCheckResults"] = s.receipt.Result() }, "Face Check receipt: faceCheckResults is not an array of 1 to 8"},
		"receipt has no time": {func(_ *testing.T, s *scene) { delete(s.receipt.Claims, "iat") }, "Face Check receipt: it does not say when it was issued"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			row.breakIt(t, s)
			if _, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect); !errors.Is(err, verifier.ErrRefused) || !strings.Contains(err.Error(), row.why) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestVerifyRefusesTexts changes the text after everything was signed.
func TestVerifyRefusesTexts(t *testing.T) {
	for name, row := range map[string]struct {
		change func(verifier.Presentation) verifier.Presentation
		why    string
	}{
		"empty":      {func(verifier.Presentation) verifier.Presentation { return verifier.Presentation{} }, "Verified ID: malformed JWS: no tilde"},
		"no receipt": {func(p verifier.Presentation) verifier.Presentation { p.FaceCheck = ""; return p }, "Face Check receipt: malformed JWS: no tilde"},
		"swapped": {func(p verifier.Presentation) verifier.Presentation {
			p.VerifiedID, p.FaceCheck = p.FaceCheck, p.VerifiedID
			return p
		}, "Verified ID: vct is not a requested one"},
		"twice the same": {func(p verifier.Presentation) verifier.Presentation { p.FaceCheck = p.VerifiedID; return p }, "Face Check receipt: vct is not a requested one"},
		"without key binding": {func(p verifier.Presentation) verifier.Presentation {
			p.VerifiedID = p.VerifiedID[:strings.LastIndexByte(p.VerifiedID, '~')+1]
			return p
		}, "it has no key binding JWT"},
		"the other's binding": {func(p verifier.Presentation) verifier.Presentation {
			own, other := strings.LastIndexByte(p.VerifiedID, '~'), strings.LastIndexByte(p.FaceCheck, '~')
			p.VerifiedID = p.VerifiedID[:own] + p.FaceCheck[other:]
			return p
		}, "Verified ID: not presented by the holder for this request: sd_hash is not the one asked for"},
		"a disclosure taken away": {func(p verifier.Presentation) verifier.Presentation {
			parts := strings.Split(p.VerifiedID, "~")
			p.VerifiedID = strings.Join(append(parts[:1:1], parts[2:]...), "~")
			return p
		}, "Verified ID: not presented by the holder for this request: sd_hash is not the one asked for"},
		"disclosures in another order": {func(p verifier.Presentation) verifier.Presentation {
			parts := strings.Split(p.VerifiedID, "~")
			parts[1], parts[2] = parts[2], parts[1]
			p.VerifiedID = strings.Join(parts, "~")
			return p
		}, "Verified ID: not presented by the holder for this request: sd_hash is not the one asked for"},
		"padding":    {func(p verifier.Presentation) verifier.Presentation { p.VerifiedID += "="; return p }, "key binding JWT: malformed JWS: signature is not 64 bytes"},
		"line break": {func(p verifier.Presentation) verifier.Presentation { p.VerifiedID += "\n"; return p }, "key binding JWT: malformed JWS: signature is not 64 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			if _, err := s.verifier(t).Verify(t.Context(), row.change(s.presentation(t)), s.expect); !errors.Is(err, verifier.ErrRefused) || !strings.Contains(err.Error(), row.why) {
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
