package mdoc_test

import (
	"errors"
	"fmt"
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
	for name, row := range map[string]struct {
		change func(t *testing.T, d *draft)
		why    string
	}{
		"MSO version":           {mso("version", "1.1"), "MSO is not of version 1.0"},
		"no MSO version":        {func(_ *testing.T, d *draft) { d.MSO.Delete("version") }, "MSO is not of version 1.0"},
		"version no text":       {mso("version", []byte("1.0")), "MSO: a value has the wrong type"},
		"version in a tag":      {mso("version", tagged(1234, "1.0")), "MSO: a value has the wrong type"},
		"digest algorithm":      {mso("digestAlgorithm", "SHA-1"), "digestAlgorithm is not SHA-256, SHA-384 or SHA-512"},
		"no digest algorithm":   {func(_ *testing.T, d *draft) { d.MSO.Delete("digestAlgorithm") }, "digestAlgorithm is not SHA-256, SHA-384 or SHA-512"},
		"another docType":       {mso("docType", "org.iso.23220.photoid.1"), "docType is missing or differs from that of the MSO"},
		"no docType at all":     {func(_ *testing.T, d *draft) { d.DocType = ""; d.MSO.Delete("docType") }, "docType is missing or differs from that of the MSO"},
		"a member twice":        {func(_ *testing.T, d *draft) { d.MSO.Add("docType", d.DocType) }, "MSO: duplicate key in a map"},
		"unknown member twice":  {func(_ *testing.T, d *draft) { d.MSO.Add("x", 1); d.MSO.Add("x", 2) }, "MSO: duplicate key in a map"},
		"no validity":           {func(_ *testing.T, d *draft) { d.MSO.Delete("validityInfo") }, "validityInfo lacks a date"},
		"signed in another tag": {validity("signed", tagged(1004, "2031-05-04T12:00:00Z")), "MSO: a value has the wrong type"},
		"signed in no tag":      {validity("signed", "2031-05-04T12:00:00Z"), "MSO: a value has the wrong type"},
		"signed in seconds":     {validity("signed", tagged(0, 1935662400)), "MSO: not the expected CBOR"},
		"signed in bytes":       {validity("signed", tagged(0, []byte("2031-05-04T12:00:00Z"))), "MSO: not the expected CBOR"},
		"digestID too large":    {item("digestID", verifiertest.Raw("\x1b\x80\x00\x00\x00\x00\x00\x00\x00")), "a value has the wrong type"},
		"digestID a text":       {item("digestID", "0"), "not the expected CBOR"},
		"digestID in a tag":     {item("digestID", tagged(1234, 0)), "a value has the wrong type"},
		"a wide MSO": {func(_ *testing.T, d *draft) {
			for i := range 513 {
				d.MSO.Set(fmt.Sprint("member", i), 1)
			}
		}, "MSO: more than 512 in an array or map"},
		"no signed":             {func(_ *testing.T, d *draft) { d.MSO.At("validityInfo").Delete("signed") }, "validityInfo lacks a date"},
		"no validFrom":          {func(_ *testing.T, d *draft) { d.MSO.At("validityInfo").Delete("validFrom") }, "validityInfo lacks a date"},
		"no validUntil":         {func(_ *testing.T, d *draft) { d.MSO.At("validityInfo").Delete("validUntil") }, "validityInfo lacks a date"},
		"date without a tag":    {validity("validUntil", "2032-05-04T12:00:00Z"), "MSO: a value has the wrong type"},
		"date in seconds":       {validity("validUntil", tagged(1, 1_900_000_000)), "MSO: a value has the wrong type"},
		"full-date for a tdate": {validity("validUntil", tagged(1004, "2032-05-04")), "MSO: a value has the wrong type"},
		"no date in a tdate":    {validity("validUntil", tagged(0, "tomorrow")), "MSO: a value has the wrong type"},
		"date twice": {func(_ *testing.T, d *draft) {
			d.MSO.At("validityInfo").Add("validUntil", tagged(0, "2099-01-01T00:00:00Z"))
		}, "MSO: duplicate key in a map"},

		"no device key":       {func(_ *testing.T, d *draft) { d.MSO.At("deviceKeyInfo").Delete("deviceKey") }, "deviceKey is missing or has the wrong type"},
		"key of another type": {key(1, 1), "deviceKey is not a public key on P-256"},
		"another curve":       {key(-1, 2), "deviceKey is not a public key on P-256"},
		"a private key":       {key(-4, make([]byte, 32)), "deviceKey is not a public key on P-256"},
		"no y":                {func(_ *testing.T, d *draft) { d.MSO.At("deviceKeyInfo").At("deviceKey").Delete(-3) }, "deviceKey: malformed: x or y is not 32 bytes"},
		"compressed":          {key(-3, true), "deviceKey: a value has the wrong type"},
		"x too short":         {key(-2, make([]byte, 31)), "deviceKey: malformed: x or y is not 32 bytes"},
		"x too long":          {key(-2, make([]byte, 33)), "deviceKey: malformed: x or y is not 32 bytes"},
		"x a list of numbers": {key(-2, []any{1, 2}), "deviceKey: a value has the wrong type"},
		"off the curve":       {key(-2, make([]byte, 32)), "deviceKey: malformed: it is not on its curve"},
		"x twice":             {func(_ *testing.T, d *draft) { d.MSO.At("deviceKeyInfo").At("deviceKey").Add(-2, make([]byte, 32)) }, "deviceKey: duplicate key in a map"},

		"no alg":             {func(_ *testing.T, d *draft) { d.Protected.Delete(1) }, "IssuerAuth: alg is not ES256"},
		"alg ES384":          {header(1, -35), "IssuerAuth: alg is not ES256"},
		"alg by name":        {header(1, "ES256"), "IssuerAuth: alg is not ES256"},
		"alg with long head": {header(1, verifiertest.Raw("\x38\x06")), "IssuerAuth: alg is not ES256"},
		"alg in a tag":       {header(1, tagged(1234, -7)), "IssuerAuth: alg is not ES256"},
		"alg twice":          {func(_ *testing.T, d *draft) { d.Protected.Add(1, -7) }, "IssuerAuth: protected header: duplicate key in a map"},
		"crit":               {header(2, []any{1}), "IssuerAuth: crit, or alg in the unprotected header"},
		"crit not signed":    {func(_ *testing.T, d *draft) { d.Unprotected.Set(2, []any{1}) }, "IssuerAuth: crit, or alg in the unprotected header"},
		"alg not signed":     {func(_ *testing.T, d *draft) { d.Unprotected.Set(1, -7) }, "IssuerAuth: crit, or alg in the unprotected header"},
		"certificates empty": {func(_ *testing.T, d *draft) { d.Unprotected.Set(33, []any{}) }, "x5chain has not 1 to 4 certificates"},
		"certificate empty":  {func(_ *testing.T, d *draft) { d.Unprotected.Set(33, []byte{}) }, "x5chain has an empty certificate"},
		"five certificates": {func(_ *testing.T, d *draft) {
			one := d.Signer.Chain[0]
			d.Unprotected.Set(33, []any{one, one, one, one, one})
		}, "x5chain has not 1 to 4 certificates"},
		"certificate a number": {func(_ *testing.T, d *draft) { d.Unprotected.Set(33, 1) }, "x5chain is missing or has the wrong type"},
		"certificate in text":  {func(_ *testing.T, d *draft) { d.Unprotected.Set(33, []any{"MIIB"}) }, "x5chain: a value has the wrong type"},

		"no digestID":           {func(_ *testing.T, d *draft) { d.Items[0].Delete("digestID") }, "an element lacks digestID, 16 bytes of random, its name or its value"},
		"digestID below zero":   {sealed(item("digestID", -1)), "an element lacks digestID, 16 bytes of random, its name or its value"},
		"digestID in quotes":    {sealed(item("digestID", "0")), "an element: a value has the wrong type"},
		"random too short":      {item("random", make([]byte, 15)), "an element lacks digestID, 16 bytes of random, its name or its value"},
		"no random":             {func(_ *testing.T, d *draft) { d.Items[0].Delete("random") }, "an element lacks digestID, 16 bytes of random, its name or its value"},
		"no identifier":         {func(_ *testing.T, d *draft) { d.Items[0].Delete("elementIdentifier") }, "an element lacks digestID, 16 bytes of random, its name or its value"},
		"identifier empty":      {item("elementIdentifier", ""), "an element lacks digestID, 16 bytes of random, its name or its value"},
		"no value":              {func(_ *testing.T, d *draft) { d.Items[0].Delete("elementValue") }, "an element lacks digestID, 16 bytes of random, its name or its value"},
		"value twice":           {func(_ *testing.T, d *draft) { d.Items[0].Add("elementValue", "Bea") }, "an element: duplicate key in a map"},
		"value of two names":    {item("elementValue", verifiertest.Raw("\xa2\x61a\x01\x61a\x02")), "an element's map: duplicate key in a map"},
		"keys that are no text": {item("elementValue", verifiertest.NewMap(1, 2)), "an element's map: not the expected CBOR"},
		"value not UTF-8":       {item("elementValue", verifiertest.Raw("\x61\xff")), "an element's value: a value has the wrong type"},
		"names not UTF-8":       {item("elementValue", verifiertest.Raw("\xa1\x61\xff\x00")), "an element's map: not the expected CBOR"},
		"value endless":         {item("elementValue", verifiertest.Raw("\x9f\xff")), "an element: indefinite length"},
		"text in pieces":        {item("elementValue", verifiertest.Raw("\x7f\x61a\xff")), "an element: indefinite length"},
		"tdate of a number":     {item("elementValue", tagged(0, 1)), "an element: not the expected CBOR"},
		"a bomb of depth":       {item("elementValue", nested(16)), "an element: nested deeper than 16"},
		"a deep bomb":           {item("elementValue", nested(150_000)), "an element: more than 16384 items altogether"},
		"a bomb of tags":        {item("elementValue", verifiertest.Raw(strings.Repeat("\xc6", 20)+"\x00")), "an element: nested deeper than 16"},
		"a bomb of length":      {item("elementValue", verifiertest.Raw("\x9b\x7f\xff\xff\xff\xff\xff\xff\xff")), "an element: more than 512 in an array or map"},
		"a bomb of text":        {item("elementValue", verifiertest.Raw("\x7b\xff\xff\xff\xff\xff\xff\xff\xff")), "an element: not the expected CBOR"},
		"a long array":          {item("elementValue", verifiertest.Raw("\x99\x02\x01"+strings.Repeat("\x00", 513))), "an element: more than 512 in an array or map"},
		"element twice":         {func(_ *testing.T, d *draft) { d.Add(verifiertest.MDocNamespace, "given_name", "Bea") }, "an element or a digestID is duplicated"},
		"one digestID for two": {sealed(func(_ *testing.T, d *draft) {
			d.Add(verifiertest.MDocNamespace, "alias", "Bea").Set("digestID", 0)
		}), "an element or a digestID is duplicated"},
		"too many elements": {func(_ *testing.T, d *draft) {
			for i := range 513 {
				d.Add(verifiertest.MDocNamespace, strings.Repeat("x", i+1), 1)
			}
		}, "DeviceResponse: more than 512 in an array or map"},
		"too many elements together": {func(_ *testing.T, d *draft) {
			for i := range 513 {
				d.Add([]string{"a", "b"}[i%2], strings.Repeat("x", i+1), 1)
			}
		}, "more than 512 elements"},
		"too long": {func(_ *testing.T, d *draft) { d.Add(verifiertest.MDocNamespace, "portrait2", make([]byte, 192<<10)) }, "longer than 262144 characters"},
		"altered element": {sealed(func(_ *testing.T, d *draft) {
			d.Element("given_name").Set("elementValue", "Bea")
		}), "an element does not match the digest that the issuer signed"},
		"another's element": {sealed(func(_ *testing.T, d *draft) {
			d.Add(verifiertest.MDocNamespace, "alias", "Bea")
		}), "an element does not match the digest that the issuer signed"},
		"element in another place": {sealed(func(_ *testing.T, d *draft) {
			d.Element("given_name").Namespace = "org.iso.18013.5.1.UT"
		}), "an element does not match the digest that the issuer signed"},
		"missing digest": {sealed(func(_ *testing.T, d *draft) {
			d.MSO.At("valueDigests").At(verifiertest.MDocNamespace).Delete(0)
		}), "an element does not match the digest that the issuer signed"},
		"digest of another algorithm": {sealed(func(_ *testing.T, d *draft) {
			d.MSO.Set("digestAlgorithm", "SHA-512")
		}), "an element does not match the digest that the issuer signed"},
		"digest cut short": {sealed(func(t *testing.T, d *draft) {
			d.MSO.At("valueDigests").At(verifiertest.MDocNamespace).Set(0, d.Digest(t, d.Items[0])[:31])
		}), "an element does not match the digest that the issuer signed"},
		"digest twice": {sealed(func(_ *testing.T, d *draft) {
			d.MSO.At("valueDigests").At(verifiertest.MDocNamespace).Add(0, make([]byte, 32))
		}), "MSO: duplicate key in a map"},
		"digests no bytes": {sealed(func(_ *testing.T, d *draft) {
			d.MSO.At("valueDigests").At(verifiertest.MDocNamespace).Set(0, "x")
		}), "MSO: a value has the wrong type"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			row.change(t, s.draft)
			if _, err := mdoc.ParseInsecure(s.present(t)); !errors.Is(err, mdoc.ErrMalformed) || !strings.Contains(err.Error(), row.why) {
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
	for name, row := range map[string]struct {
		change func(t *testing.T, r *tree)
		why    string
	}{
		"version":          {response("version", "1.1"), "DeviceResponse is not of version 1.0"},
		"no version":       {func(_ *testing.T, r *tree) { r.Delete("version") }, "DeviceResponse is not of version 1.0"},
		"status":           {response("status", 10), "DeviceResponse reports an error"},
		"no status":        {func(_ *testing.T, r *tree) { r.Delete("status") }, "DeviceResponse reports an error"},
		"status a float":   {response("status", 0.0), "DeviceResponse reports an error"},
		"documentErrors":   {response("documentErrors", []any{}), "DeviceResponse reports an error"},
		"errors":           {func(_ *testing.T, r *tree) { document(r).Set("errors", verifiertest.NewMap()) }, "the document reports errors"},
		"no documents":     {func(_ *testing.T, r *tree) { r.Delete("documents") }, "DeviceResponse does not have exactly one document"},
		"empty documents":  {response("documents", []any{}), "DeviceResponse does not have exactly one document"},
		"two documents":    {func(_ *testing.T, r *tree) { r.Set("documents", []any{document(r), document(r)}) }, "DeviceResponse does not have exactly one document"},
		"documents no map": {response("documents", []any{1}), "DeviceResponse: not the expected CBOR"},
		"documents null":   {response("documents", []any{nil}), "IssuerAuth is missing or has the wrong type"},
		"documents twice":  {func(_ *testing.T, r *tree) { r.Add("documents", r.Get("documents")) }, "DeviceResponse: duplicate key in a map"},
		"unknown twice":    {func(_ *testing.T, r *tree) { r.Add("x", 1); r.Add("x", 1) }, "DeviceResponse: duplicate key in a map"},
		"another spelling": {func(_ *testing.T, r *tree) { r.Add("Status", 0); r.Delete("status") }, "DeviceResponse reports an error"},
		"docType":          {func(_ *testing.T, r *tree) { document(r).Set("docType", "org.iso.23220.photoid.1") }, "docType is missing or differs from that of the MSO"},
		"no docType":       {func(_ *testing.T, r *tree) { document(r).Delete("docType") }, "docType is missing or differs from that of the MSO"},
		"no issuerSigned":  {func(_ *testing.T, r *tree) { document(r).Delete("issuerSigned") }, "IssuerAuth is missing or has the wrong type"},
		"no deviceSigned":  {func(_ *testing.T, r *tree) { document(r).Delete("deviceSigned") }, "deviceSigned's nameSpaces is not an embedded CBOR item (tag 24)"},

		"namespaces a list": {in("issuerSigned", "nameSpaces", []any{}), "DeviceResponse: not the expected CBOR"},
		"namespace a map":   {in("issuerSigned", "nameSpaces", verifiertest.NewMap("a", verifiertest.NewMap())), "DeviceResponse: not the expected CBOR"},
		"namespace twice": {func(_ *testing.T, r *tree) {
			n := document(r).At("issuerSigned").At("nameSpaces")
			n.Add(verifiertest.MDocNamespace, []any{})
		}, "DeviceResponse: duplicate key in a map"},
		"element not wrapped": {in("issuerSigned", "nameSpaces", verifiertest.NewMap(verifiertest.MDocNamespace, []any{verifiertest.NewMap("digestID", 0)})), "an element is not an embedded CBOR item (tag 24)"},
		"element in bytes":    {in("issuerSigned", "nameSpaces", verifiertest.NewMap(verifiertest.MDocNamespace, []any{[]byte{0xa0}})), "an element is not an embedded CBOR item (tag 24)"},
		"element of a tag":    {in("issuerSigned", "nameSpaces", verifiertest.NewMap(verifiertest.MDocNamespace, []any{tagged(24, "x")})), "an element is not an embedded CBOR item (tag 24)"},
		"element of nothing":  {in("issuerSigned", "nameSpaces", verifiertest.NewMap(verifiertest.MDocNamespace, []any{tagged(24, []byte{})})), "an element is missing or has the wrong type"},
		"element and more":    {in("issuerSigned", "nameSpaces", verifiertest.NewMap(verifiertest.MDocNamespace, []any{tagged(24, []byte{0xa0, 0})})), "an element: bytes follow it"},

		"no issuerAuth": {func(_ *testing.T, r *tree) { document(r).At("issuerSigned").Delete("issuerAuth") }, "IssuerAuth is missing or has the wrong type"},
		"issuerAuth in its tag": {func(_ *testing.T, r *tree) {
			i := document(r).At("issuerSigned")
			i.Set("issuerAuth", tagged(18, i.Get("issuerAuth")))
		}, "IssuerAuth is missing or has the wrong type"},
		"issuerAuth of three": {func(_ *testing.T, r *tree) {
			i := document(r).At("issuerSigned")
			i.Set("issuerAuth", i.Get("issuerAuth").([]any)[:3])
		}, "IssuerAuth: not the expected CBOR"},
		"issuerAuth of five": {func(_ *testing.T, r *tree) {
			i := document(r).At("issuerSigned")
			i.Set("issuerAuth", append(i.Get("issuerAuth").([]any), 1))
		}, "IssuerAuth: not the expected CBOR"},
		"protected a map":          {issuerAuth(0, verifiertest.NewMap(1, -7)), "IssuerAuth: a value has the wrong type"},
		"protected empty":          {issuerAuth(0, []byte{}), "IssuerAuth: protected header is missing or has the wrong type"},
		"protected and more":       {issuerAuth(0, []byte("\xa1\x01\x26\x00")), "IssuerAuth: protected header: bytes follow it"},
		"protected list":           {issuerAuth(0, []byte("\x82\x01\x26")), "IssuerAuth: protected header is missing or has the wrong type"},
		"unprotected a list":       {issuerAuth(1, []any{}), "IssuerAuth: not the expected CBOR"},
		"no payload":               {issuerAuth(2, nil), "IssuerAuth has no payload"},
		"payload not wrapped":      {issuerAuth(2, []byte{0xa0}), "IssuerAuth's payload is not an embedded CBOR item (tag 24)"},
		"payload of nothing":       {issuerAuth(2, []byte{}), "IssuerAuth's payload is not an embedded CBOR item (tag 24)"},
		"payload cut":              {issuerAuth(2, []byte{0xd8, 24, 0x45, 0xa0}), "IssuerAuth's payload is not an embedded CBOR item (tag 24)"},
		"payload and more":         {issuerAuth(2, []byte{0xd8, 24, 0x41, 0xa0, 0}), "IssuerAuth's payload is not an embedded CBOR item (tag 24)"},
		"payload no map":           {issuerAuth(2, []byte{0xd8, 24, 0x41, 0x80}), "MSO is missing or has the wrong type"},
		"signature too short":      {issuerAuth(3, make([]byte, 63)), "IssuerAuth: signature is not 64 bytes"},
		"signature too long":       {issuerAuth(3, make([]byte, 65)), "IssuerAuth: signature is not 64 bytes"},
		"signature of numbers":     {issuerAuth(3, make([]any, 64)), "IssuerAuth: a value has the wrong type"},
		"signature in text":        {issuerAuth(3, strings.Repeat("x", 64)), "IssuerAuth: a value has the wrong type"},
		"device signature short":   {signature(3, make([]byte, 63)), "DeviceSignature: signature is not 64 bytes"},
		"device alg":               {signature(0, []byte("\xa1\x01\x05")), "DeviceSignature: alg is not ES256"},
		"device payload":           {signature(2, []byte{}), "the payload of DeviceSignature is not detached"},
		"device payload undefined": {signature(2, verifiertest.Raw("\xf7")), "the payload of DeviceSignature is not detached"},
		"device certificates":      {signature(1, verifiertest.NewMap(33, []byte{1})), "DeviceSignature has certificates, but its key is in the MSO"},

		"no device namespaces":        {func(_ *testing.T, r *tree) { document(r).At("deviceSigned").Delete("nameSpaces") }, "deviceSigned's nameSpaces is not an embedded CBOR item (tag 24)"},
		"device namespaces a map":     {in("deviceSigned", "nameSpaces", verifiertest.NewMap()), "deviceSigned's nameSpaces is not an embedded CBOR item (tag 24)"},
		"device namespaces a list":    {in("deviceSigned", "nameSpaces", tagged(24, []byte{0x80})), "deviceSigned's nameSpaces is missing or has the wrong type"},
		"device namespaces of lists":  {in("deviceSigned", "nameSpaces", tagged(24, []byte("\xa1\x61a\x80"))), "deviceSigned's nameSpaces: not the expected CBOR"},
		"a device namespace twice":    {in("deviceSigned", "nameSpaces", tagged(24, []byte("\xa2\x61a\xa0\x61a\xa0"))), "deviceSigned's nameSpaces: duplicate key in a map"},
		"a device element twice":      {in("deviceSigned", "nameSpaces", tagged(24, []byte("\xa1\x61a\xa2\x61b\x01\x61b\x02"))), "deviceSigned's nameSpaces: duplicate key in a map"},
		"a bomb in device namespaces": {in("deviceSigned", "nameSpaces", tagged(24, []byte("\xa1\x61a\xa1\x61b"+string(nested(20))))), "deviceSigned's nameSpaces: nested deeper than 16"},
		"no deviceAuth":               {func(_ *testing.T, r *tree) { document(r).At("deviceSigned").Delete("deviceAuth") }, "deviceAuth has neither a signature nor a MAC, or both"},
		"deviceAuth empty":            {in("deviceSigned", "deviceAuth", verifiertest.NewMap()), "deviceAuth has neither a signature nor a MAC, or both"},
		"signature and MAC":           {func(_ *testing.T, r *tree) { document(r).At("deviceSigned").At("deviceAuth").Set("deviceMac", []any{}) }, "deviceAuth has neither a signature nor a MAC, or both"},
		"signature twice": {func(_ *testing.T, r *tree) {
			document(r).At("deviceSigned").At("deviceAuth").Add("deviceSignature", nil)
		}, "DeviceResponse: duplicate key in a map"},
		"signature null": {func(_ *testing.T, r *tree) {
			document(r).At("deviceSigned").At("deviceAuth").Set("deviceSignature", nil)
		}, "DeviceSignature is missing or has the wrong type"},
		"a bomb where nothing is read": {response("x", nested(20)), "DeviceResponse: nested deeper than 16"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			r := s.holder.Respond(t, s.draft, s.device)
			row.change(t, r)
			if _, err := mdoc.ParseInsecure(write(t, r)); !errors.Is(err, mdoc.ErrMalformed) || !strings.Contains(err.Error(), row.why) {
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
	for name, row := range map[string]struct {
		changed string
		why     string
	}{
		"empty":                    {"", "DeviceResponse is missing or has the wrong type"},
		"padding":                  {text + "=", "not base64url in its canonical form"},
		"line break":               {text[:8] + "\n" + text[8:], "not base64url in its canonical form"},
		"a space":                  {text + " ", "not base64url in its canonical form"},
		"standard base64":          {strings.NewReplacer("-", "+", "_", "/").Replace(text), "not base64url in its canonical form"},
		"loose bits":               {verifiertest.Encode(raw[:1])[:1] + "b", "not base64url in its canonical form"},
		"bytes after it":           {verifiertest.Encode(append(raw[:len(raw):len(raw)], 0)), "DeviceResponse: bytes follow it"},
		"two responses":            {verifiertest.Encode(append(raw[:len(raw):len(raw)], raw...)), "DeviceResponse: bytes follow it"},
		"cut off":                  {verifiertest.Encode(raw[:len(raw)-1]), "DeviceResponse: not the expected CBOR"},
		"indefinite length":        {verifiertest.Encode(endless), "DeviceResponse: indefinite length"},
		"described as CBOR":        {verifiertest.Encode(append([]byte{0xd9, 0xd9, 0xf7}, raw...)), "DeviceResponse is missing or has the wrong type"},
		"wrapped":                  {verifiertest.Encode(verifiertest.CBOR(t, tagged(24, raw))), "DeviceResponse is missing or has the wrong type"},
		"in an array":              {verifiertest.Encode(append([]byte{0x81}, raw...)), "DeviceResponse is missing or has the wrong type"},
		"too long":                 {strings.Repeat("A", 256<<10+1), "longer than 262144 characters"},
		"a bomb as long as may be": {verifiertest.Encode([]byte("\xa1\x61x" + strings.Repeat("\x81", 190<<10))), "DeviceResponse: more than 16384 items altogether"},
	} {
		if _, err := mdoc.ParseInsecure(row.changed); !errors.Is(err, mdoc.ErrMalformed) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
