package jwtvc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"regain/conformance/did"
	"regain/conformance/proofing/jwtvc"
)

// A VP is opened whatever DID and key its holder has.
func TestOpen(t *testing.T) {
	i := newIssuer(t)
	for _, alg := range []string{"ES256K", "ES256", "EdDSA"} {
		for _, holder := range []did.Identity{newHolder(t, did.ION, alg), newHolder(t, did.JWK, alg)} {
			id, vc, err := i.Issue(credential(holder.DID))
			if err != nil {
				t.Fatal(err)
			}
			shown, err := i.Open(vp(t, holder, presentation(holder, vc)), kind, base, noon())
			if err != nil {
				t.Fatalf("%s: %v", alg, err)
			}
			sum := sha256.Sum256([]byte(base64.RawURLEncoding.EncodeToString([]byte("a picture"))))
			if shown.ID != id || shown.Holder != holder.DID || shown.Nonce != nonce || string(shown.Portrait) != "a picture" ||
				shown.Digest != base64.RawURLEncoding.EncodeToString(sum[:]) {
				t.Errorf("%s: something else was shown", alg)
			}
		}
	}
}

// within is a change of a member that is an object.
func within(claims map[string]any, member string, change map[string]any) map[string]any {
	inner := maps.Clone(claims[member].(map[string]any))
	maps.Copy(inner, change)
	return map[string]any{member: inner}
}

// Each row changes one thing about a VP that is right.
func TestPresentationsThatAreRefused(t *testing.T) {
	i, holder, other := newIssuer(t), newHolder(t, did.ION, "ES256K"), newHolder(t, did.ION, "ES256K")
	vc := issue(t, i, credential(holder.DID))
	good := presentation(holder, vc)
	vpWith := func(change map[string]any) map[string]any { return within(good, "vp", change) }
	for name, row := range map[string]struct {
		by             did.Identity
		header, claims map[string]any
	}{
		"another audience":     {holder, nil, map[string]any{"aud": "https://x.example"}},
		"several audiences":    {holder, nil, map[string]any{"aud": []string{base, "https://x.example"}}},
		"no audience":          {holder, nil, map[string]any{"aud": nil}},
		"another's":            {other, nil, map[string]any{"iss": other.DID}},
		"another's key":        {other, map[string]any{"kid": holder.KeyID()}, nil},
		"another's name":       {other, nil, nil},
		"no iss":               {holder, nil, map[string]any{"iss": nil}},
		"a key of no name":     {holder, map[string]any{"kid": holder.DID + "#x"}, nil},
		"a relative kid":       {holder, map[string]any{"kid": "#key-1"}, nil},
		"no kid":               {holder, map[string]any{"kid": nil}, nil},
		"a DID to be fetched":  {holder, map[string]any{"kid": "did:web:x.example#key-1"}, nil},
		"another typ":          {holder, map[string]any{"typ": "vp+jwt"}, nil},
		"no typ":               {holder, map[string]any{"typ": nil}, nil},
		"long ago":             {holder, nil, map[string]any{"iat": noon().Add(-time.Hour).Unix()}},
		"far ahead":            {holder, nil, map[string]any{"iat": noon().Add(time.Hour).Unix()}},
		"no time":              {holder, nil, map[string]any{"iat": nil}},
		"not yet":              {holder, nil, map[string]any{"nbf": noon().Add(time.Hour).Unix()}},
		"expired":              {holder, nil, map[string]any{"exp": noon().Unix()}},
		"a VC too":             {holder, nil, map[string]any{"vc": map[string]any{}}},
		"no vp":                {holder, nil, map[string]any{"vp": nil}},
		"another type":         {holder, nil, vpWith(map[string]any{"type": []string{"X"}})},
		"another data model":   {holder, nil, vpWith(map[string]any{"@context": []string{"https://www.w3.org/ns/credentials/v2"}})},
		"no credential":        {holder, nil, vpWith(map[string]any{"verifiableCredential": []string{}})},
		"two credentials":      {holder, nil, vpWith(map[string]any{"verifiableCredential": []string{vc, vc}})},
		"no list":              {holder, nil, vpWith(map[string]any{"verifiableCredential": vc})},
		"about somebody else":  {holder, nil, vpWith(map[string]any{"verifiableCredential": []string{issue(t, i, credential(other.DID))}})},
		"another issuer's":     {holder, nil, vpWith(map[string]any{"verifiableCredential": []string{issue(t, newIssuer(t), credential(holder.DID))}})},
		"an altered VC":        {holder, nil, vpWith(map[string]any{"verifiableCredential": []string{strings.Replace(vc, ".ey", ".ex", 1)}})},
		"the holder's own VC":  {holder, nil, vpWith(map[string]any{"verifiableCredential": []string{vp(t, holder, map[string]any{"iss": i.DID})}})},
		"no JWT for a VC":      {holder, nil, vpWith(map[string]any{"verifiableCredential": []string{"x"}})},
		"a VP for a VC":        {holder, nil, vpWith(map[string]any{"verifiableCredential": []string{vp(t, holder, good)}})},
		"the linkage for a VC": {holder, nil, vpWith(map[string]any{"verifiableCredential": linkage(t, i)})},
	} {
		claims, header := maps.Clone(good), map[string]any{"typ": "JWT"}
		maps.Copy(claims, row.claims)
		maps.Copy(header, row.header)
		if _, err := i.Open(signBy(t, row.by, header, claims), kind, base, noon()); !errors.Is(err, jwtvc.ErrPresentation) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, compact := range map[string]string{"nothing": "", "the VC": vc, "cut": vp(t, holder, good)[:200]} {
		if _, err := i.Open(compact, kind, base, noon()); !errors.Is(err, jwtvc.ErrPresentation) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func linkage(t *testing.T, i *jwtvc.Issuer) []string {
	t.Helper()
	configuration, err := i.Configuration(noon())
	if err != nil {
		t.Fatal(err)
	}
	return configuration["linked_dids"].([]string)
}

// Each row is a VC that this issuer really signed, and that is not one to compare a face with.
func TestCredentialsThatAreRefused(t *testing.T) {
	i, holder := newIssuer(t), newHolder(t, did.JWK, "ES256")
	for name, change := range map[string]func(*jwtvc.Credential){
		"a receipt":   func(c *jwtvc.Credential) { c.Type = "FaceCheckReceipt" },
		"not yet":     func(c *jwtvc.Credential) { c.From = noon().Add(time.Minute) },
		"expired":     func(c *jwtvc.Credential) { c.Until = noon() },
		"no portrait": func(c *jwtvc.Credential) { delete(c.About, "portrait") },
		"no picture":  func(c *jwtvc.Credential) { c.About["portrait"] = "" },
		"no text":     func(c *jwtvc.Credential) { c.About["portrait"] = 7 },
		"padded":      func(c *jwtvc.Credential) { c.About["portrait"] = "QQ==" },
	} {
		c := credential(holder.DID)
		change(&c)
		if _, err := i.Open(vp(t, holder, presentation(holder, issue(t, i, c))), kind, base, noon()); !errors.Is(err, jwtvc.ErrPresentation) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Nothing that a stranger signs is a VC of this issuer.
func FuzzOpen(f *testing.F) {
	i, holder := newIssuer(f), newHolder(f, did.ION, "ES256K")
	good := presentation(holder, issue(f, i, credential("did:jwk:x")))
	f.Add(vp(f, holder, good))
	f.Add(issue(f, i, credential(holder.DID)))
	f.Fuzz(func(t *testing.T, compact string) {
		if _, err := i.Open(compact, kind, base, noon()); !errors.Is(err, jwtvc.ErrPresentation) {
			t.Errorf("%v", err)
		}
	})
}
