package verifier_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"regain/internal/costtest"
	"regain/internal/publickey/publickeytest"
	"regain/verifier"
	"regain/verifier/verifiertest"
)

// repeated is an array of n elements.
func repeated(n int, element any) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = element
	}
	return list
}

// nested is n objects in each other.
func nested(n int) (value any) {
	value = 0
	for range n {
		value = map[string]any{"": value}
	}
	return value
}

// longest is as many bytes as a credential may have, before base64.
const longest = 180 << 10

// worstChain has every key as long as it may be, and three authorities of one name that may all have signed the leaf.
func worstChain(t testing.TB, key *verifiertest.Holder) verifiertest.Party {
	t.Helper()
	giant := publickeytest.RSA(8192, math.MaxInt32)
	chain := publickeytest.Chain(t, &key.Key.PublicKey, giant)
	for range 2 {
		chain = append(chain, publickeytest.Certificate(t, publickeytest.RSA(8192, math.MaxInt32)))
	}
	return verifiertest.Party{Key: key.Key, Chain: chain}
}

// The worst SD-JWT VCs, with good signatures: of an issuer that is trusted, or of one that the holder made up.
func TestWorstSDJWT(t *testing.T) {
	const disclosures = 126
	for name, change := range map[string]func(t *testing.T, d *verifiertest.Draft){
		"a usual one":            func(*testing.T, *verifiertest.Draft) {},
		"an array of numbers":    func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = repeated(longest/2, 0) },
		"the most numbers":       func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = repeated(4_000, 0) },
		"the most objects":       func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = repeated(2_000, map[string]any{"": 0}) },
		"deep nesting":           func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = repeated(280, nested(13)) },
		"nesting without an end": func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = nested(9_000) },
		"digests of nothing":     func(_ *testing.T, d *verifiertest.Draft) { d.Claims["_sd"] = digests(d, 3_900, "%043x") },
		"short digests":          func(_ *testing.T, d *verifiertest.Draft) { d.Claims["_sd"] = digests(d, 4_000, "%x") },
		"one digest again":       func(_ *testing.T, d *verifiertest.Draft) { d.Claims["_sd"] = repeated(4_000, "same") },
		"many members":           func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = manyMembers(4_000) },
		"a long string":          func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = strings.Repeat("x", longest) },
		"a string of escapes":    func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = strings.Repeat("\x01", longest/6) },
		"placeholders":           func(_ *testing.T, d *verifiertest.Draft) { d.Claims["x"] = repeated(2_000, map[string]any{"...": "x"}) },
		"too many disclosures":   func(t *testing.T, d *verifiertest.Draft) { conceal(t, d, 1_000, "x") },
		"disclosures of a string": func(t *testing.T, d *verifiertest.Draft) {
			conceal(t, d, disclosures, strings.Repeat("x", longest*3/4/disclosures))
		},
		"disclosures of numbers": func(t *testing.T, d *verifiertest.Draft) {
			conceal(t, d, disclosures, repeated(27, 0))
		},
		"disclosures of objects": func(t *testing.T, d *verifiertest.Draft) {
			conceal(t, d, disclosures, repeated(14, map[string]any{"": 0}))
		},
		"disclosures of members":   func(t *testing.T, d *verifiertest.Draft) { conceal(t, d, disclosures, manyMembers(28)) },
		"a disclosure of numbers":  func(t *testing.T, d *verifiertest.Draft) { conceal(t, d, 1, repeated(4_000, 0)) },
		"an authority like others": func(t *testing.T, d *verifiertest.Draft) { d.SignedBy(worstChain(t, verifiertest.NewHolder(t))) },
		"a huge number":            func(_ *testing.T, d *verifiertest.Draft) { d.Claims["exp"] = number(longest) },
	} {
		s := newScene(t)
		change(t, s.id)
		check(t, s, "SD-JWT VC: "+name)
		s = newScene(t)
		change(t, s.receipt)
		check(t, s, "receipt: "+name)
	}
}

func check(t *testing.T, s *scene, name string) {
	t.Helper()
	p, v := s.presentation(t), s.verifier(t)
	read(t, name, s, p)
	costtest.Check(t, name, func() {
		s.log.Reset()
		_, _ = v.Verify(t.Context(), p, s.expect)
	})
}

// read holds that a presentation is read to its end, if its name does not say that it goes too far: what is refused at
// the door measures nothing.
func read(t *testing.T, name string, s *scene, p verifier.Presentation) {
	t.Helper()
	_, err := s.verifier(t).Verify(t.Context(), p, s.expect)
	far := slices.ContainsFunc([]string{"too", "without an end", "long", "huge", "again", "placeholders", "an array"}, func(word string) bool { return strings.Contains(name, word) })
	if err != nil && !far {
		t.Errorf("%s: %v", name, err)
	}
}

// digests are those of a draft, and n of nothing.
func digests(d *verifiertest.Draft, n int, format string) []string {
	list, _ := d.Claims["_sd"].([]string)
	for i := range n {
		list = append(list, fmt.Sprintf(format, i))
	}
	return list
}

func manyMembers(n int) map[string]any {
	members := make(map[string]any, n)
	for i := range n {
		members[fmt.Sprintf("%x", i)] = 0
	}
	return members
}

func conceal(t *testing.T, d *verifiertest.Draft, n int, value any) {
	t.Helper()
	d.Claims["_sd"], d.Disclosures = nil, nil
	for i := range n {
		d.Conceal(t, fmt.Sprint("claim ", i), value)
	}
}

// number is a number of so many digits.
type number int

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) { return []byte(strings.Repeat("9", int(n))), nil }

// The worst mdocs, with good signatures.
func TestWorstMdoc(t *testing.T) {
	for name, change := range map[string]func(s *licence){
		"a usual one":              func(*licence) {},
		"elements":                 func(s *licence) { elements(s, 450, "") },
		"elements in namespaces":   func(s *licence) { elementsIn(s, 490) },
		"elements of a string":     func(s *licence) { elements(s, 60, strings.Repeat("x", 2_500)) },
		"elements of items":        func(s *licence) { elements(s, 15, repeated(500, 0)) },
		"elements of maps":         func(s *licence) { elements(s, 3, repeated(450, verifiertest.NewMap("", 0))) },
		"elements of nested items": func(s *licence) { elements(s, 4, repeated(33, arrays(6))) },
		"too many items":           func(s *licence) { elements(s, 1, repeated(longest, 0)) },
		"nesting without an end":   func(s *licence) { elements(s, 1, arrays(10_000)) },
		"digests of nothing":       func(s *licence) { moreDigests(s, 490) },
		"an authority like others": func(s *licence) { s.mdoc.SignedBy(worstChain(t, verifiertest.NewHolder(t))) },
	} {
		s := newLicence(t)
		change(s)
		text := s.holder.PresentMDoc(t, s.mdoc, s.device)
		s.receipt = s.issuer.MDocReceipt(s.holder, s.mdoc, 86.31)
		p := s.presentation(t)
		p.VerifiedID = text
		v := s.verifier(t)
		read(t, name, s.scene, p)
		costtest.Check(t, "mdoc: "+name, func() {
			s.log.Reset()
			_, _ = v.Verify(t.Context(), p, s.expect)
		})
	}
}

func elements(s *licence, n int, value any) {
	for i := range n {
		s.mdoc.Add(verifiertest.MDocNamespace, fmt.Sprint("element ", i), value)
	}
}

// elementsIn adds elements in as many namespaces as they need.
func elementsIn(s *licence, n int) {
	for i := range n {
		s.mdoc.Add(fmt.Sprint("namespace ", i/400), fmt.Sprint("element ", i), 0)
	}
}

func arrays(n int) (value any) {
	value = 0
	for range n {
		value = []any{value}
	}
	return value
}

// moreDigests has the issuer sign digests of elements that are withheld.
func moreDigests(s *licence, n int) {
	for i := range n {
		s.mdoc.Add(verifiertest.MDocNamespace, fmt.Sprint("element ", i), 0).Withheld = true
	}
}

// The worst JWT VCs, with good signatures, in one VP; and the worst of the ID token and the DIDs that come with it.
func TestWorstJWTVC(t *testing.T) {
	subject := func(value any) func(t *testing.T, s *card) {
		return func(_ *testing.T, s *card) {
			s.vc.Subject()["x"], s.receipt.Subject()["x"] = value, value
		}
	}
	many := func(n int, value any) func(t *testing.T, s *card) {
		return func(t *testing.T, s *card) {
			t.Helper()
			s.vc.Subject()["x"] = value
			s.more = repeated(n, s.vc.Sign(t))
		}
	}
	for name, change := range map[string]func(t *testing.T, s *card){
		"a usual one":            func(*testing.T, *card) {},
		"the most numbers":       subject(repeated(4_000, 0)),
		"the most objects":       subject(repeated(2_000, map[string]any{"": 0})),
		"too many numbers":       subject(repeated(40_000, 0)),
		"deep nesting":           subject(repeated(330, nested(10))),
		"nesting without an end": subject(nested(5_000)),
		"many members":           subject(manyMembers(4_000)),
		"strings":                subject(strings.Repeat("x", 50<<10)),
		"too many credentials":   many(100, ""),
		"credentials of objects": many(2, repeated(1_900, map[string]any{"": 0})),
		"too many types":         func(_ *testing.T, s *card) { s.vc.VC()["type"] = repeated(4_000, "VerifiableCredential") },
		"too many contexts": func(_ *testing.T, s *card) {
			s.vc.VC()["@context"] = repeated(4_000, "https://www.w3.org/2018/credentials/v1")
		},
		"too long an ID token":     func(_ *testing.T, s *card) { s.token.Claims["x"] = strings.Repeat("x", 60<<10) },
		"an ID token of objects":   func(_ *testing.T, s *card) { s.token.Claims["x"] = repeated(2_000, map[string]any{"": 0}) },
		"a huge number":            func(_ *testing.T, s *card) { s.vc.Claims["exp"] = number(longest / 2) },
		"too long a DID":           func(_ *testing.T, s *card) { s.vc.Claims["sub"] = "did:jwk:" + strings.Repeat("e", longest/2) },
		"too long a key's address": func(_ *testing.T, s *card) { s.vc.Header["kid"] = "did:jwk:" + strings.Repeat("e", 11<<10) + "#0" },
	} {
		for _, algorithm := range []string{"ES256K", "EdDSA"} {
			s := newCard(t, algorithm)
			change(t, s)
			vcs := append([]any{s.vc.Sign(t), s.receipt.Sign(t)}, s.more...)
			vp := verifiertest.NewVP(s.presenter, s.clock.Now())
			vp.VP()["verifiableCredential"] = vcs
			text := vp.Sign(t)
			p, v := verifier.Presentation{VerifiedID: text, FaceCheck: text, FaceCheckAt: 1, IDToken: s.token.Sign(t)}, s.verifier(t)
			read(t, name, s.scene, p)
			costtest.Check(t, "JWT VC, "+algorithm+": "+name, func() {
				s.log.Reset()
				_, _ = v.Verify(t.Context(), p, s.expect)
			})
		}
	}
}
