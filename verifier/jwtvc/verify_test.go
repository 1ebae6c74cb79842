package jwtvc_test

import (
	"crypto/x509"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"regain/verifier/did"
	"regain/verifier/jwtvc"
	"regain/verifier/verifiertest"
)

func TestVerifyHolder(t *testing.T) {
	type change = func(t *testing.T, s *scene, want *jwtvc.Binding)
	at := func(d time.Duration) change {
		return func(_ *testing.T, _ *scene, w *jwtvc.Binding) { w.Now = w.Now.Add(d) }
	}
	claim := func(name string, value any) change {
		return func(_ *testing.T, s *scene, _ *jwtvc.Binding) { s.vp.Claims[name] = value }
	}
	for name, tt := range map[string]struct {
		change change
		ok     bool
		why    string // part of the error
	}{
		"in order":         {at(0), true, ""},
		"five minutes old": {at(5 * time.Minute), true, ""},
		"a second older":   {at(5*time.Minute + time.Second), false, "iat, or nbf in its place, is missing or too old"},
		"a minute ahead":   {at(-time.Minute), true, ""},
		"a second more":    {at(-time.Minute - time.Second), false, "nbf is in the future or is not a date"},
		"expired":          {func(_ *testing.T, s *scene, w *jwtvc.Binding) { s.vp.Claims["exp"] = w.Now.Unix() }, false, "exp is past or is not a date"},
		"never expires":    {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { delete(s.vp.Claims, "exp") }, true, ""},
		"no iat":           {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { delete(s.vp.Claims, "iat") }, true, ""},
		"no nbf":           {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { delete(s.vp.Claims, "nbf") }, true, ""},
		"neither":          {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { delete(s.vp.Claims, "nbf"); delete(s.vp.Claims, "iat") }, false, "iat, or nbf in its place, is missing or too old"},
		"neither, but a \"\"": {func(_ *testing.T, s *scene, w *jwtvc.Binding) {
			delete(s.vp.Claims, "nbf")
			delete(s.vp.Claims, "iat")
			s.vp.Claims[""] = w.Now.Unix()
		}, false, "iat, or nbf in its place, is missing or too old"},
		"old iat, new nbf": {func(_ *testing.T, s *scene, w *jwtvc.Binding) { s.vp.Claims["iat"] = w.Now.Add(-time.Hour).Unix() }, false, "iat, or nbf in its place, is missing or too old"},
		"new iat, old nbf": {func(_ *testing.T, s *scene, w *jwtvc.Binding) { s.vp.Claims["nbf"] = w.Now.Add(-time.Hour).Unix() }, true, ""},
		"nbf ahead":        {func(_ *testing.T, s *scene, w *jwtvc.Binding) { s.vp.Claims["nbf"] = w.Now.Add(time.Hour).Unix() }, false, "nbf is in the future or is not a date"},
		"iat in quotes":    {claim("iat", "1"), false, "iat is in the future or is not a date"},
		"nbf null":         {claim("nbf", nil), false, "nbf is in the future or is not a date"},
		"exp in quotes":    {claim("exp", "1"), false, "exp is past or is not a date"},

		"another nonce":        {func(_ *testing.T, _ *scene, w *jwtvc.Binding) { w.Nonce = "other" }, false, "nonce is not the one asked for"},
		"no nonce":             {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { delete(s.vp.Claims, "nonce") }, false, "nonce is not the one asked for"},
		"nothing expected":     {func(_ *testing.T, s *scene, w *jwtvc.Binding) { w.Nonce = ""; s.vp.Claims["nonce"] = "" }, false, "nonce is not the one asked for"},
		"no audience expected": {func(_ *testing.T, s *scene, w *jwtvc.Binding) { w.Audience = ""; s.vp.Claims["aud"] = "" }, false, "aud is not the one asked for"},
		"another audience":     {claim("aud", "did:web:other.example"), false, "aud is not the one asked for"},
		"bare client id":       {claim("aud", strings.TrimPrefix(verifiertest.Audience, "x509_hash:")), false, "aud is not the one asked for"},
		"audience in a list":   {claim("aud", []any{verifiertest.Audience}), true, ""},
		"two audiences":        {claim("aud", []any{verifiertest.Audience, "did:web:other.example"}), false, "aud is not the one asked for"},
		"no audience in list":  {claim("aud", []any{}), false, "aud is not the one asked for"},
		"audience no string":   {claim("aud", []any{[]any{verifiertest.Audience}}), false, "aud is not the one asked for"},

		"kid relative":         {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { s.vp.Header["kid"] = "#key-1" }, true, ""},
		"no kid":               {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { s.vp.Header["kid"] = nil }, false, "VP: kid: malformed DID or DID document: not a DID URL with a fragment"},
		"kid without hash":     {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { s.vp.Header["kid"] = "key-1" }, false, "VP: kid: malformed DID or DID document: not a DID URL with a fragment"},
		"kid without fragment": {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { s.vp.Header["kid"] = s.holder.DID }, false, "VP: kid: malformed DID or DID document: not a DID URL with a fragment"},
		"kid of no key":        {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { s.vp.Header["kid"] = "#key-2" }, false, "VP: DID has no such key for this purpose: not in the document, or of an unsupported type"},
		"kid of another DID":   {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { s.vp.Header["kid"] = s.issuer.KeyID }, false, "VP: kid is of another DID than iss"},
		"kid and key of others": {func(t *testing.T, s *scene, _ *jwtvc.Binding) {
			thief := verifiertest.NewJWKIdentity(t, "ES256K") // all in order but for iss, which is what is read
			s.vp.Signer, s.vp.Header["kid"] = thief.Signer, thief.KeyID
		}, false, "VP: kid is of another DID than iss"},
		"another key":        {func(t *testing.T, s *scene, _ *jwtvc.Binding) { s.vp.Signer = verifiertest.NewSigner(t, "ES256K") }, false, "VP: signature does not verify"},
		"the issuer's key":   {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { s.vp.Signer = s.issuer.Signer }, false, "VP: signature does not verify"},
		"alg of another key": {func(t *testing.T, s *scene, _ *jwtvc.Binding) { s.vp.Signer = verifiertest.NewSigner(t, "EdDSA") }, false, "VP: signature does not verify: the key type does not match alg"},
		"key that only asserts": {func(t *testing.T, s *scene, _ *jwtvc.Binding) {
			s.heldBy(verifiertest.NewIONIdentity(t, "ES256K", "assertionMethod"))
		}, false, "VP: DID has no such key for this purpose: not listed under authentication"},
		"a holder with did:jwk": {func(t *testing.T, s *scene, _ *jwtvc.Binding) { s.heldBy(verifiertest.NewJWKIdentity(t, "EdDSA")) }, true, ""},

		"VP of somebody else": {func(t *testing.T, s *scene, _ *jwtvc.Binding) {
			thief := verifiertest.NewJWKIdentity(t, "ES256K") // a VP in order, of a VC that is not theirs
			s.vp.Signer, s.vp.Header["kid"], s.vp.Claims["iss"] = thief.Signer, thief.KeyID, thief.DID
		}, false, "VP has another iss than the VC's sub"},
		"no iss":          {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { delete(s.vp.Claims, "iss") }, false, "VP has no iss, or the VC no sub"},
		"iss no DID":      {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { s.vp.Claims["iss"], s.vc.Claims["sub"] = "me", "me" }, false, "VP: iss: malformed DID or DID document: not a DID"},
		"VC about nobody": {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { delete(s.vc.Claims, "sub") }, false, "VP has no iss, or the VC no sub"},
		"sub in VC alone": {func(_ *testing.T, s *scene, _ *jwtvc.Binding) {
			delete(s.vc.Claims, "sub")
			s.vc.Subject()["id"] = s.holder.DID
		}, true, ""},
		"neither iss nor sub": {func(_ *testing.T, s *scene, _ *jwtvc.Binding) { delete(s.vc.Claims, "sub"); delete(s.vp.Claims, "iss") }, false, "VP has no iss, or the VC no sub"},
		"DID in short form": {func(_ *testing.T, s *scene, _ *jwtvc.Binding) {
			short := s.holder.DID[:strings.LastIndexByte(s.holder.DID, ':')]
			s.vc.Claims["sub"], s.vp.Claims["iss"], s.vp.Header["kid"] = short, short, short+"#key-1"
		}, false, "VP: unsupported DID method or form: did:ion in its short form needs a node of its ledger; the long form does not"},
		"DID with another delta": {func(t *testing.T, s *scene, _ *jwtvc.Binding) {
			// The thief's key under the holder's suffix: what the hashes are for.
			thief := verifiertest.NewSigner(t, "ES256K")
			ion := verifiertest.NewION(thief.JWK(t))
			_ = ion.DID(t)
			forged := ion.Long(t, strings.Split(s.holder.DID, ":")[2])
			s.vc.Claims["sub"], s.vp.Claims["iss"], s.vp.Header["kid"], s.vp.Signer = forged, forged, forged+"#key-1", thief
		}, false, "VP: malformed DID or DID document: suffix is not the hash of suffixData"},

		"cnf of the holder": {func(t *testing.T, s *scene, _ *jwtvc.Binding) {
			s.vc.Claims["cnf"] = map[string]any{"jwk": s.holder.JWK(t)}
		}, true, ""},
		"cnf alone": {func(t *testing.T, s *scene, _ *jwtvc.Binding) {
			s.vc.Claims["cnf"] = map[string]any{"jwk": s.holder.JWK(t)}
			delete(s.vc.Claims, "sub")
			delete(s.vp.Claims, "iss")
			s.vp.Header["kid"] = nil
		}, true, ""},
		"cnf of another, VP of the DID": {func(t *testing.T, s *scene, _ *jwtvc.Binding) {
			s.vc.Claims["cnf"] = map[string]any{"jwk": verifiertest.NewSigner(t, "ES256K").JWK(t)}
		}, false, "VP: signature does not verify"},
		"cnf, and another iss": {func(t *testing.T, s *scene, _ *jwtvc.Binding) {
			s.vc.Claims["cnf"] = map[string]any{"jwk": s.holder.JWK(t)}
			s.vp.Claims["iss"] = s.issuer.DID
		}, false, "VP has another iss than the VC's sub"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "ES256K")
			want := s.binding()
			tt.change(t, s, &want)
			parsed, err := s.parse(t)
			if err != nil {
				t.Fatal(err)
			}
			holder, err := parsed.VerifyHolder(t.Context(), newResolver(t, offline{}), want)
			if tt.ok && (err != nil || !holder.Same(jwtvc.Holder{Key: s.holder.Public()})) {
				t.Errorf("got %v", err)
			}
			if !tt.ok && (!errors.Is(err, jwtvc.ErrHolder) || err != nil && !strings.Contains(err.Error(), tt.why) || holder.Key != nil) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// heldBy starts again with another holder.
func (s *scene) heldBy(holder *verifiertest.Identity) {
	s.holder = holder
	s.vc, s.vp = verifiertest.NewVC(s.issuer, holder, s.now), verifiertest.NewVP(holder, s.now)
}

func TestVerifyHolderConfirmation(t *testing.T) {
	s := newScene(t, "ES256")
	private := s.holder.JWK(t)
	private["d"] = private["x"]
	for name, row := range map[string]struct {
		cnf any
		why string
	}{
		"null":          {nil, "malformed JWS: cnf has no jwk"},
		"no object":     {"x", "malformed JWS: cnf has no jwk"},
		"nothing":       {map[string]any{}, "malformed JWS: cnf has no jwk"},
		"kid":           {map[string]any{"kid": s.holder.KeyID}, "malformed JWS: cnf has no jwk"},
		"no jwk":        {map[string]any{"jwk": "x"}, "malformed JWS: cnf has no jwk"},
		"another curve": {map[string]any{"jwk": map[string]any{"kty": "EC", "crv": "P-384"}}, "cnf.jwk: malformed JWS: JWK: a kind of key that is not used here"},
		"private":       {map[string]any{"jwk": private}, "cnf.jwk: malformed JWS: JWK: a private key: it has the member d"},
	} {
		s.vc.Claims["cnf"] = row.cnf
		parsed, err := s.parse(t)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parsed.VerifyHolder(t.Context(), newResolver(t, offline{}), s.binding()); !errors.Is(err, jwtvc.ErrMalformed) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A key alone names nobody, whatever the VP says of itself.
	s.vc.Claims["cnf"] = map[string]any{"jwk": s.holder.JWK(t)}
	delete(s.vc.Claims, "sub")
	parsed, err := s.parse(t)
	if err != nil {
		t.Fatal(err)
	}
	holder, err := parsed.VerifyHolder(t.Context(), newResolver(t, offline{}), s.binding())
	if err != nil || holder.DID != (did.DID{}) {
		t.Errorf("got %v, %v", holder.DID, err)
	}
}

func TestVerifyIssuer(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(t *testing.T, s *scene)
		ok     bool
		why    string // part of the error
	}{
		"in order":             {func(*testing.T, *scene) {}, true, ""},
		"kid relative":         {func(_ *testing.T, s *scene) { s.vc.Header["kid"] = "#0" }, true, ""},
		"no kid":               {func(_ *testing.T, s *scene) { s.vc.Header["kid"] = nil }, false, "VC: kid: malformed DID or DID document: not a DID URL with a fragment"},
		"kid of no key":        {func(_ *testing.T, s *scene) { s.vc.Header["kid"] = "#1" }, false, "VC: DID has no such key for this purpose: not in the document, or of an unsupported type"},
		"kid of another DID":   {func(_ *testing.T, s *scene) { s.vc.Header["kid"], s.vc.Signer = s.holder.KeyID, s.holder.Signer }, false, "VC: kid is of another DID than iss"},
		"signed by the holder": {func(_ *testing.T, s *scene) { s.vc.Signer = s.holder.Signer }, false, "VC: signature does not verify"},
		"another key":          {func(t *testing.T, s *scene) { s.vc.Signer = verifiertest.NewSigner(t, "ES256K") }, false, "VC: signature does not verify"},
		"is no array, or has elements of the wrong type": {func(t *testing.T, s *scene) { s.vc.Signer = verifiertest.NewSigner(t, "ES256") }, false, "VC: signature does not verify: the key type does not match alg"},
		"iss is a URL": {func(_ *testing.T, s *scene) { s.vc.Claims["iss"] = "https://issuer.example" }, false, "VC: iss: malformed DID or DID document: not a DID"},
		"iss of a short form": {func(_ *testing.T, s *scene) {
			s.vc.Claims["iss"] = s.holder.DID[:strings.LastIndexByte(s.holder.DID, ':')]
			s.vc.Header["kid"] = "#key-1"
		}, false, "VC: unsupported DID method or form: did:ion in its short form needs a node of its ledger; the long form does not"},
		"a key that only authenticates": {func(t *testing.T, s *scene) {
			s.issuer = verifiertest.NewIONIdentity(t, "ES256K", "authentication")
			s.vc = verifiertest.NewVC(s.issuer, s.holder, s.now)
		}, false, "VC: DID has no such key for this purpose: not listed under assertionMethod"},
		"an issuer with did:ion": {func(t *testing.T, s *scene) {
			s.issuer = verifiertest.NewIONIdentity(t, "EdDSA", "assertionMethod")
			s.vc = verifiertest.NewVC(s.issuer, s.holder, s.now)
		}, true, ""},
		"certificates beside": {func(t *testing.T, s *scene) { s.vc.Header["x5c"] = []string{"AAAA"} }, false, "VC has certificates"},
	} {
		s := newScene(t, "ES256K")
		tt.change(t, s)
		parsed, err := s.parse(t)
		if err != nil {
			t.Fatal(err)
		}
		issuer, err := parsed.VerifyIssuer(t.Context(), newResolver(t, offline{}))
		if tt.ok && (err != nil || issuer.String() != s.issuer.DID) || !tt.ok && (!errors.Is(err, jwtvc.ErrIssuer) || err != nil && !strings.Contains(err.Error(), tt.why) || issuer != (did.DID{})) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestVerifyAltered changes a payload after it was signed.
func TestVerifyAltered(t *testing.T) {
	s := newScene(t, "EdDSA")
	parts := strings.Split(s.vc.Sign(t), ".")
	s.vc.Subject()["firstName"] = "Mallory"
	altered := parts[0] + "." + verifiertest.Encode(verifiertest.JSON(t, s.vc.Claims)) + "." + parts[2]
	parsed, err := jwtvc.ParseInsecure(verifiertest.NewVP(s.holder, s.now, altered).Sign(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parsed.VerifyIssuer(t.Context(), newResolver(t, offline{})); !errors.Is(err, jwtvc.ErrIssuer) {
		t.Errorf("altered VC: %v", err)
	}
	parts = strings.Split(s.present(t), ".")
	claims := maps.Clone(s.vp.Claims)
	claims["nonce"] = "another"
	if parsed, err = jwtvc.ParseInsecure(parts[0]+"."+verifiertest.Encode(verifiertest.JSON(t, claims))+"."+parts[2], 0); err != nil {
		t.Fatal(err)
	}
	want := s.binding()
	want.Nonce = "another"
	if _, err := parsed.VerifyHolder(t.Context(), newResolver(t, offline{}), want); !errors.Is(err, jwtvc.ErrHolder) {
		t.Errorf("altered VP: %v", err)
	}
}

// TestVerifyOverTheWeb has issuer and holder with did:web, there and gone.
func TestVerifyOverTheWeb(t *testing.T) {
	site := verifiertest.NewSite(t)
	s := newScene(t, "ES256K")
	s.issuer = site.Identity("ES256")
	s.heldBy(s.issuer) // about itself, for once
	parsed, err := s.parse(t)
	if err != nil {
		t.Fatal(err)
	}
	resolver := newResolver(t, site.Fetcher())
	if _, err := parsed.VerifyHolder(t.Context(), resolver, s.binding()); err != nil {
		t.Error(err)
	}
	if issuer, err := parsed.VerifyIssuer(t.Context(), resolver); err != nil || issuer.String() != site.DID {
		t.Error(err)
	}
	before := site.Requests.Load()
	stranger := s.binding()
	stranger.Nonce = "other"
	if _, err := parsed.VerifyHolder(t.Context(), resolver, stranger); !errors.Is(err, jwtvc.ErrHolder) || site.Requests.Load() != before {
		t.Errorf("a stranger had a document fetched: %v", err)
	}
	site.Pages["/.well-known/did.json"] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	resolver = newResolver(t, site.Fetcher())
	if _, err := parsed.VerifyHolder(t.Context(), resolver, s.binding()); !errors.Is(err, did.ErrUnresolvable) || errors.Is(err, jwtvc.ErrHolder) {
		t.Errorf("holder, in an outage: %v", err)
	}
	if _, err := parsed.VerifyIssuer(t.Context(), resolver); !errors.Is(err, did.ErrUnresolvable) || errors.Is(err, jwtvc.ErrIssuer) {
		t.Errorf("issuer, in an outage: %v", err)
	}
}

func TestVerifyChain(t *testing.T) {
	s := newScene(t, "ES256")
	authority := verifiertest.NewAuthority(t, "Anchor of tests", s.now)
	chain := authority.Certify(t, s.issuer.Public(), nil)
	s.vc.Certify(chain)
	s.vc.Claims["iss"] = "https://issuer.example"
	parsed, err := s.parse(t)
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed.Certificates()) != 1 {
		t.Fatalf("%d certificates", len(parsed.Certificates()))
	}
	leaf, err := x509.ParseCertificate(parsed.Certificates()[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.VerifyChain(leaf.PublicKey); err != nil {
		t.Error(err)
	}
	for name, key := range map[string]any{"another key": s.holder.Public(), "no key": nil} {
		if err := parsed.VerifyChain(key); !errors.Is(err, jwtvc.ErrIssuer) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := parsed.VerifyIssuer(t.Context(), newResolver(t, offline{})); !errors.Is(err, jwtvc.ErrIssuer) {
		t.Errorf("as a DID: %v", err)
	}
	plain, err := newScene(t, "ES256").parse(t)
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.VerifyChain(leaf.PublicKey); !errors.Is(err, jwtvc.ErrIssuer) {
		t.Errorf("without certificates: %v", err)
	}
}

func TestFaceCheckReceipt(t *testing.T) {
	s := newScene(t, "ES256K")
	receipt := verifiertest.NewFaceCheckVC(s.issuer, s.holder, s.vc, 86.31, s.now)
	source, err := s.parse(t)
	if err != nil {
		t.Fatal(err)
	}
	s.vc = receipt
	parsed, err := s.parse(t)
	if err != nil {
		t.Fatal(err)
	}
	subject, _ := parsed.Claims()["credentialSubject"].(map[string]any)
	results, _ := subject["faceCheckResults"].([]any)
	first, _ := results[0].(map[string]any)
	if first["sourceVcJti"] != source.ID() || first["sourcePhotoDigest"] != source.Digests()[0] {
		t.Errorf("it names %v and %v", first["sourceVcJti"], first["sourcePhotoDigest"])
	}
}
