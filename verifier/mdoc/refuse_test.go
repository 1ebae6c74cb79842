package mdoc_test

import (
	"errors"
	"strings"
	"testing"

	"regain/verifier/mdoc"
	"regain/verifier/verifiertest"
)

func document(response *verifiertest.Map) *verifiertest.Map {
	return response.Get("documents").([]any)[0].(*verifiertest.Map)
}

func write(t testing.TB, response *verifiertest.Map) string {
	t.Helper()
	return verifiertest.Encode(verifiertest.CBOR(t, response))
}

// nested is a value of so many arrays.
func nested(depth int) verifiertest.Raw {
	return verifiertest.Raw(strings.Repeat("\x81", depth) + "\x00")
}

func tagged(number uint64, content any) verifiertest.Tag {
	return verifiertest.Tag{Number: number, Content: content}
}

// TestParseRefuses breaks one thing of an mdoc before its issuer signs it: the issuer may be careless, or the holder may
// have put together what was never issued together.
func TestParseRefuses(t *testing.T) {
	type draft = verifiertest.MDoc
	validity := func(name string, value any) func(*testing.T, *draft) {
		return func(_ *testing.T, d *draft) { d.MSO.At("validityInfo").Set(name, value) }
	}
	key := func(label, value any) func(*testing.T, *draft) {
		return func(_ *testing.T, d *draft) { d.MSO.At("deviceKeyInfo").At("deviceKey").Set(label, value) }
	}
	item := func(name string, value any) func(*testing.T, *draft) {
		return func(_ *testing.T, d *draft) { d.Items[0].Set(name, value) }
	}
	sealed := func(change func(*testing.T, *draft)) func(*testing.T, *draft) {
		return func(t *testing.T, d *draft) { d.Seal(t); change(t, d) }
	}
	mso := func(name string, value any) func(*testing.T, *draft) {
		return func(_ *testing.T, d *draft) { d.MSO.Set(name, value) }
	}
	header := func(label, value any) func(*testing.T, *draft) {
		return func(_ *testing.T, d *draft) { d.Protected.Set(label, value) }
	}
	for name, change := range map[string]func(t *testing.T, d *draft){
		"MSO version":           mso("version", "1.1"),
		"no MSO version":        func(_ *testing.T, d *draft) { d.MSO.Delete("version") },
		"version no text":       mso("version", []byte("1.0")),
		"version in a tag":      mso("version", tagged(1234, "1.0")),
		"digest algorithm":      mso("digestAlgorithm", "SHA-1"),
		"no digest algorithm":   func(_ *testing.T, d *draft) { d.MSO.Delete("digestAlgorithm") },
		"another docType":       mso("docType", "org.iso.23220.photoid.1"),
		"no docType at all":     func(_ *testing.T, d *draft) { d.DocType = ""; d.MSO.Delete("docType") },
		"a member twice":        func(_ *testing.T, d *draft) { d.MSO.Add("docType", d.DocType) },
		"unknown member twice":  func(_ *testing.T, d *draft) { d.MSO.Add("x", 1); d.MSO.Add("x", 2) },
		"no validity":           func(_ *testing.T, d *draft) { d.MSO.Delete("validityInfo") },
		"no signed":             func(_ *testing.T, d *draft) { d.MSO.At("validityInfo").Delete("signed") },
		"no validFrom":          func(_ *testing.T, d *draft) { d.MSO.At("validityInfo").Delete("validFrom") },
		"no validUntil":         func(_ *testing.T, d *draft) { d.MSO.At("validityInfo").Delete("validUntil") },
		"date without a tag":    validity("validUntil", "2032-05-04T12:00:00Z"),
		"date in seconds":       validity("validUntil", tagged(1, 1_900_000_000)),
		"full-date for a tdate": validity("validUntil", tagged(1004, "2032-05-04")),
		"no date in a tdate":    validity("validUntil", tagged(0, "tomorrow")),
		"date twice": func(_ *testing.T, d *draft) {
			d.MSO.At("validityInfo").Add("validUntil", tagged(0, "2099-01-01T00:00:00Z"))
		},

		"no device key":       func(_ *testing.T, d *draft) { d.MSO.At("deviceKeyInfo").Delete("deviceKey") },
		"key of another type": key(1, 1),
		"another curve":       key(-1, 2),
		"a private key":       key(-4, make([]byte, 32)),
		"no y":                func(_ *testing.T, d *draft) { d.MSO.At("deviceKeyInfo").At("deviceKey").Delete(-3) },
		"compressed":          key(-3, true),
		"x too short":         key(-2, make([]byte, 31)),
		"x too long":          key(-2, make([]byte, 33)),
		"x a list of numbers": key(-2, []any{1, 2}),
		"off the curve":       key(-2, make([]byte, 32)),
		"x twice":             func(_ *testing.T, d *draft) { d.MSO.At("deviceKeyInfo").At("deviceKey").Add(-2, make([]byte, 32)) },

		"no alg":             func(_ *testing.T, d *draft) { d.Protected.Delete(1) },
		"alg ES384":          header(1, -35),
		"alg by name":        header(1, "ES256"),
		"alg with long head": header(1, verifiertest.Raw("\x38\x06")),
		"alg in a tag":       header(1, tagged(1234, -7)),
		"alg twice":          func(_ *testing.T, d *draft) { d.Protected.Add(1, -7) },
		"crit":               header(2, []any{1}),
		"crit not signed":    func(_ *testing.T, d *draft) { d.Unprotected.Set(2, []any{1}) },
		"alg not signed":     func(_ *testing.T, d *draft) { d.Unprotected.Set(1, -7) },
		"certificates empty": func(_ *testing.T, d *draft) { d.Unprotected.Set(33, []any{}) },
		"certificate empty":  func(_ *testing.T, d *draft) { d.Unprotected.Set(33, []byte{}) },
		"five certificates": func(_ *testing.T, d *draft) {
			one := d.Signer.Chain[0]
			d.Unprotected.Set(33, []any{one, one, one, one, one})
		},
		"certificate a number": func(_ *testing.T, d *draft) { d.Unprotected.Set(33, 1) },
		"certificate in text":  func(_ *testing.T, d *draft) { d.Unprotected.Set(33, []any{"MIIB"}) },

		"no digestID":           func(_ *testing.T, d *draft) { d.Items[0].Delete("digestID") },
		"digestID below zero":   sealed(item("digestID", -1)),
		"digestID in quotes":    sealed(item("digestID", "0")),
		"random too short":      item("random", make([]byte, 15)),
		"no random":             func(_ *testing.T, d *draft) { d.Items[0].Delete("random") },
		"no identifier":         func(_ *testing.T, d *draft) { d.Items[0].Delete("elementIdentifier") },
		"identifier empty":      item("elementIdentifier", ""),
		"no value":              func(_ *testing.T, d *draft) { d.Items[0].Delete("elementValue") },
		"value twice":           func(_ *testing.T, d *draft) { d.Items[0].Add("elementValue", "Bea") },
		"value of two names":    item("elementValue", verifiertest.Raw("\xa2\x61a\x01\x61a\x02")),
		"keys that are no text": item("elementValue", verifiertest.NewMap(1, 2)),
		"value not UTF-8":       item("elementValue", verifiertest.Raw("\x61\xff")),
		"names not UTF-8":       item("elementValue", verifiertest.Raw("\xa1\x61\xff\x00")),
		"value endless":         item("elementValue", verifiertest.Raw("\x9f\xff")),
		"text in pieces":        item("elementValue", verifiertest.Raw("\x7f\x61a\xff")),
		"tdate of a number":     item("elementValue", tagged(0, 1)),
		"a bomb of depth":       item("elementValue", nested(16)),
		"a deep bomb":           item("elementValue", nested(150_000)),
		"a bomb of tags":        item("elementValue", verifiertest.Raw(strings.Repeat("\xc6", 20)+"\x00")),
		"a bomb of length":      item("elementValue", verifiertest.Raw("\x9b\x7f\xff\xff\xff\xff\xff\xff\xff")),
		"a bomb of text":        item("elementValue", verifiertest.Raw("\x7b\xff\xff\xff\xff\xff\xff\xff\xff")),
		"a long array":          item("elementValue", verifiertest.Raw("\x99\x02\x01"+strings.Repeat("\x00", 513))),
		"element twice":         func(_ *testing.T, d *draft) { d.Add(verifiertest.MDocNamespace, "given_name", "Bea") },
		"one digestID for two": sealed(func(_ *testing.T, d *draft) {
			d.Add(verifiertest.MDocNamespace, "alias", "Bea").Set("digestID", 0)
		}),
		"too many elements": func(_ *testing.T, d *draft) {
			for i := range 513 {
				d.Add(verifiertest.MDocNamespace, strings.Repeat("x", i+1), 1)
			}
		},
		"too many elements together": func(_ *testing.T, d *draft) {
			for i := range 513 {
				d.Add([]string{"a", "b"}[i%2], strings.Repeat("x", i+1), 1)
			}
		},
		"too long": func(_ *testing.T, d *draft) { d.Add(verifiertest.MDocNamespace, "portrait2", make([]byte, 192<<10)) },
		"altered element": sealed(func(_ *testing.T, d *draft) {
			d.Element("given_name").Set("elementValue", "Bea")
		}),
		"another's element": sealed(func(_ *testing.T, d *draft) {
			d.Add(verifiertest.MDocNamespace, "alias", "Bea")
		}),
		"element in another place": sealed(func(_ *testing.T, d *draft) {
			d.Element("given_name").Namespace = "org.iso.18013.5.1.UT"
		}),
		"missing digest": sealed(func(_ *testing.T, d *draft) {
			d.MSO.At("valueDigests").At(verifiertest.MDocNamespace).Delete(0)
		}),
		"digest of another algorithm": sealed(func(_ *testing.T, d *draft) {
			d.MSO.Set("digestAlgorithm", "SHA-512")
		}),
		"digest cut short": sealed(func(t *testing.T, d *draft) {
			d.MSO.At("valueDigests").At(verifiertest.MDocNamespace).Set(0, d.Digest(t, d.Items[0])[:31])
		}),
		"digest twice": sealed(func(_ *testing.T, d *draft) {
			d.MSO.At("valueDigests").At(verifiertest.MDocNamespace).Add(0, make([]byte, 32))
		}),
		"digests no bytes": sealed(func(_ *testing.T, d *draft) {
			d.MSO.At("valueDigests").At(verifiertest.MDocNamespace).Set(0, "x")
		}),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			change(t, s.draft)
			if _, err := mdoc.ParseInsecure(s.present(t)); !errors.Is(err, mdoc.ErrMalformed) {
				t.Errorf("got %v", err)
			} else if text := err.Error(); strings.Contains(text, "Bea") || strings.Contains(text, "given_name") {
				t.Errorf("it quotes: %s", text)
			}
		})
	}
}

// TestParseRefusesResponses breaks one thing of what the device sends, which nobody signed.
func TestParseRefusesResponses(t *testing.T) {
	type tree = verifiertest.Map
	response := func(name string, value any) func(*testing.T, *tree) {
		return func(_ *testing.T, r *tree) { r.Set(name, value) }
	}
	in := func(part, name string, value any) func(*testing.T, *tree) {
		return func(_ *testing.T, r *tree) { document(r).At(part).Set(name, value) }
	}
	issuerAuth := func(i int, value any) func(*testing.T, *tree) {
		return func(_ *testing.T, r *tree) { document(r).At("issuerSigned").Get("issuerAuth").([]any)[i] = value }
	}
	signature := func(i int, value any) func(*testing.T, *tree) {
		return func(_ *testing.T, r *tree) {
			document(r).At("deviceSigned").At("deviceAuth").Get("deviceSignature").([]any)[i] = value
		}
	}
	for name, change := range map[string]func(t *testing.T, r *tree){
		"version":          response("version", "1.1"),
		"no version":       func(_ *testing.T, r *tree) { r.Delete("version") },
		"status":           response("status", 10),
		"no status":        func(_ *testing.T, r *tree) { r.Delete("status") },
		"status a float":   response("status", 0.0),
		"documentErrors":   response("documentErrors", []any{}),
		"errors":           func(_ *testing.T, r *tree) { document(r).Set("errors", verifiertest.NewMap()) },
		"no documents":     func(_ *testing.T, r *tree) { r.Delete("documents") },
		"empty documents":  response("documents", []any{}),
		"two documents":    func(_ *testing.T, r *tree) { r.Set("documents", []any{document(r), document(r)}) },
		"documents no map": response("documents", []any{1}),
		"documents null":   response("documents", []any{nil}),
		"documents twice":  func(_ *testing.T, r *tree) { r.Add("documents", r.Get("documents")) },
		"unknown twice":    func(_ *testing.T, r *tree) { r.Add("x", 1); r.Add("x", 1) },
		"another spelling": func(_ *testing.T, r *tree) { r.Add("Status", 0); r.Delete("status") },
		"docType":          func(_ *testing.T, r *tree) { document(r).Set("docType", "org.iso.23220.photoid.1") },
		"no docType":       func(_ *testing.T, r *tree) { document(r).Delete("docType") },
		"no issuerSigned":  func(_ *testing.T, r *tree) { document(r).Delete("issuerSigned") },
		"no deviceSigned":  func(_ *testing.T, r *tree) { document(r).Delete("deviceSigned") },

		"namespaces a list": in("issuerSigned", "nameSpaces", []any{}),
		"namespace a map":   in("issuerSigned", "nameSpaces", verifiertest.NewMap("a", verifiertest.NewMap())),
		"namespace twice": func(_ *testing.T, r *tree) {
			n := document(r).At("issuerSigned").At("nameSpaces")
			n.Add(verifiertest.MDocNamespace, []any{})
		},
		"element not wrapped": in("issuerSigned", "nameSpaces", verifiertest.NewMap(verifiertest.MDocNamespace, []any{verifiertest.NewMap("digestID", 0)})),
		"element in bytes":    in("issuerSigned", "nameSpaces", verifiertest.NewMap(verifiertest.MDocNamespace, []any{[]byte{0xa0}})),
		"element of a tag":    in("issuerSigned", "nameSpaces", verifiertest.NewMap(verifiertest.MDocNamespace, []any{tagged(24, "x")})),
		"element of nothing":  in("issuerSigned", "nameSpaces", verifiertest.NewMap(verifiertest.MDocNamespace, []any{tagged(24, []byte{})})),
		"element and more":    in("issuerSigned", "nameSpaces", verifiertest.NewMap(verifiertest.MDocNamespace, []any{tagged(24, []byte{0xa0, 0})})),

		"no issuerAuth": func(_ *testing.T, r *tree) { document(r).At("issuerSigned").Delete("issuerAuth") },
		"issuerAuth in its tag": func(_ *testing.T, r *tree) {
			i := document(r).At("issuerSigned")
			i.Set("issuerAuth", tagged(18, i.Get("issuerAuth")))
		},
		"issuerAuth of three": func(_ *testing.T, r *tree) {
			i := document(r).At("issuerSigned")
			i.Set("issuerAuth", i.Get("issuerAuth").([]any)[:3])
		},
		"issuerAuth of five": func(_ *testing.T, r *tree) {
			i := document(r).At("issuerSigned")
			i.Set("issuerAuth", append(i.Get("issuerAuth").([]any), 1))
		},
		"protected a map":          issuerAuth(0, verifiertest.NewMap(1, -7)),
		"protected empty":          issuerAuth(0, []byte{}),
		"protected and more":       issuerAuth(0, []byte("\xa1\x01\x26\x00")),
		"protected list":           issuerAuth(0, []byte("\x82\x01\x26")),
		"unprotected a list":       issuerAuth(1, []any{}),
		"no payload":               issuerAuth(2, nil),
		"payload not wrapped":      issuerAuth(2, []byte{0xa0}),
		"payload of nothing":       issuerAuth(2, []byte{}),
		"payload cut":              issuerAuth(2, []byte{0xd8, 24, 0x45, 0xa0}),
		"payload and more":         issuerAuth(2, []byte{0xd8, 24, 0x41, 0xa0, 0}),
		"payload no map":           issuerAuth(2, []byte{0xd8, 24, 0x41, 0x80}),
		"signature too short":      issuerAuth(3, make([]byte, 63)),
		"signature too long":       issuerAuth(3, make([]byte, 65)),
		"signature of numbers":     issuerAuth(3, make([]any, 64)),
		"signature in text":        issuerAuth(3, strings.Repeat("x", 64)),
		"device signature short":   signature(3, make([]byte, 63)),
		"device alg":               signature(0, []byte("\xa1\x01\x05")),
		"device payload":           signature(2, []byte{}),
		"device payload undefined": signature(2, verifiertest.Raw("\xf7")),
		"device certificates":      signature(1, verifiertest.NewMap(33, []byte{1})),

		"no device namespaces":        func(_ *testing.T, r *tree) { document(r).At("deviceSigned").Delete("nameSpaces") },
		"device namespaces a map":     in("deviceSigned", "nameSpaces", verifiertest.NewMap()),
		"device namespaces a list":    in("deviceSigned", "nameSpaces", tagged(24, []byte{0x80})),
		"device namespaces of lists":  in("deviceSigned", "nameSpaces", tagged(24, []byte("\xa1\x61a\x80"))),
		"a device namespace twice":    in("deviceSigned", "nameSpaces", tagged(24, []byte("\xa2\x61a\xa0\x61a\xa0"))),
		"a device element twice":      in("deviceSigned", "nameSpaces", tagged(24, []byte("\xa1\x61a\xa2\x61b\x01\x61b\x02"))),
		"a bomb in device namespaces": in("deviceSigned", "nameSpaces", tagged(24, []byte("\xa1\x61a\xa1\x61b"+string(nested(20))))),
		"no deviceAuth":               func(_ *testing.T, r *tree) { document(r).At("deviceSigned").Delete("deviceAuth") },
		"deviceAuth empty":            in("deviceSigned", "deviceAuth", verifiertest.NewMap()),
		"signature and MAC":           func(_ *testing.T, r *tree) { document(r).At("deviceSigned").At("deviceAuth").Set("deviceMac", []any{}) },
		"signature twice": func(_ *testing.T, r *tree) {
			document(r).At("deviceSigned").At("deviceAuth").Add("deviceSignature", nil)
		},
		"signature null": func(_ *testing.T, r *tree) {
			document(r).At("deviceSigned").At("deviceAuth").Set("deviceSignature", nil)
		},
		"a bomb where nothing is read": response("x", nested(20)),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			r := s.holder.Respond(t, s.draft, s.device)
			change(t, r)
			if _, err := mdoc.ParseInsecure(write(t, r)); !errors.Is(err, mdoc.ErrMalformed) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestParseRefusesOtherSpellings changes a text in ways that a lenient reader would not notice.
func TestParseRefusesOtherSpellings(t *testing.T) {
	s := newScene(t)
	response := s.holder.Respond(t, s.draft, s.device)
	raw := verifiertest.CBOR(t, response)
	text := verifiertest.Encode(raw)
	if _, err := mdoc.ParseInsecure(text); err != nil {
		t.Fatal(err)
	}
	endless := append(append([]byte{0xbf}, raw[1:]...), 0xff)
	for name, changed := range map[string]string{
		"empty":                    "",
		"padding":                  text + "=",
		"line break":               text[:8] + "\n" + text[8:],
		"a space":                  text + " ",
		"standard base64":          strings.NewReplacer("-", "+", "_", "/").Replace(text),
		"loose bits":               verifiertest.Encode(raw[:1])[:1] + "b",
		"bytes after it":           verifiertest.Encode(append(raw[:len(raw):len(raw)], 0)),
		"two responses":            verifiertest.Encode(append(raw[:len(raw):len(raw)], raw...)),
		"cut off":                  verifiertest.Encode(raw[:len(raw)-1]),
		"indefinite length":        verifiertest.Encode(endless),
		"described as CBOR":        verifiertest.Encode(append([]byte{0xd9, 0xd9, 0xf7}, raw...)),
		"wrapped":                  verifiertest.Encode(verifiertest.CBOR(t, tagged(24, raw))),
		"in an array":              verifiertest.Encode(append([]byte{0x81}, raw...)),
		"too long":                 strings.Repeat("A", 256<<10+1),
		"a bomb as long as may be": verifiertest.Encode([]byte("\xa1\x61x" + strings.Repeat("\x81", 190<<10))),
	} {
		if _, err := mdoc.ParseInsecure(changed); !errors.Is(err, mdoc.ErrMalformed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
