package did_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"regain/verifier/did"
	"regain/verifier/internal/jws"
	"regain/verifier/verifiertest"
)

func TestResolveIONVectors(t *testing.T) {
	for name, tt := range map[string]struct {
		did, fragment string
		jwk           map[string]any
		origins       []string
	}{
		"ion-sdk": {vectorSDK, "publicKeyModel1Id", map[string]any{
			"kty": "EC", "crv": "secp256k1", "x": "tXSKB_rubXS7sCjXqupVJEzTcW3MsjmEvq1YpXn96Zg", "y": "dOicXqbjFxoGJ-K0-GJ1kHYJqic_D_OMuUwkQ7Ol6nk",
		}, nil},
		"wallet library": {vectorWallet, "testKey", map[string]any{
			"kty": "EC", "crv": "secp256k1", "x": "Ir5lqT2yDCXdWI8HgMj2erz9HVChFFv4Bd70oDqclvs", "y": "_uSQb2NNO3MMnsS83ByMxayGbk3ODYxAlMx-_YOw5oc",
		}, nil},
		"profile": {vectorProfile, "key-1", map[string]any{
			"kty": "EC", "crv": "secp256k1", "x": "0DByK_buTNM5ljoJeFDMIoqEaCv92e25H6qj_36zYbs", "y": "dY6MXrr70VZ_1VfHuBELDGzPk8Nxbpv1B76f6NnpVF8",
		}, []string{"https://erickuhn19.com"}},
		"profile, Ed25519": {vectorEd25519, "key-1", map[string]any{
			"kty": "OKP", "crv": "Ed25519", "x": "TriPiNxl1CeLUaDBYzR7x7uLBhnVEo0hH0_yopHwtd0",
		}, nil},
	} {
		id := parse(t, tt.did)
		document, err := newResolver(t, nothing{}).Resolve(t.Context(), id)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want, err := jws.Key(tt.jwk)
		if err != nil {
			t.Fatal(err)
		}
		key, err := document.Key(did.URL{DID: id, Fragment: tt.fragment}, did.Authentication)
		if err != nil || !jws.SameKey(key, want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := document.Key(did.URL{DID: id, Fragment: tt.fragment}, did.AssertionMethod); !errors.Is(err, did.ErrNoKey) {
			t.Errorf("%s: it may make assertions: %v", name, err)
		}
		if !slices.Equal(document.LinkedDomains(), tt.origins) {
			t.Errorf("%s: origins are %v", name, document.LinkedDomains())
		}
	}
}

func TestResolveIONRefusesTheShortForm(t *testing.T) {
	short := vectorSDK[:strings.LastIndexByte(vectorSDK, ':')]
	_, err := newResolver(t, nothing{}).Resolve(t.Context(), parse(t, short))
	if !errors.Is(err, did.ErrUnsupported) || !strings.Contains(err.Error(), "short form") {
		t.Errorf("got %v", err)
	}
	for _, text := range []string{strings.Replace(vectorSDK, "did:ion:", "did:ion:test:", 1), vectorSDK + ":more"} {
		if _, err := newResolver(t, nothing{}).Resolve(t.Context(), parse(t, text)); !errors.Is(err, did.ErrUnsupported) {
			t.Errorf("%.20s: %v", text, err)
		}
	}
}

// first is the first entry of a list in the document of the first patch.
func first(ion *verifiertest.ION, name string) map[string]any {
	return ion.Document()[name].([]any)[0].(map[string]any)
}

func newION(t testing.TB) *verifiertest.ION {
	t.Helper()
	return verifiertest.NewION(verifiertest.NewSigner(t, "ES256K").JWK(t))
}

// TestResolveIONRefusesStates breaks one thing of a state, and hashes it as it then is.
func TestResolveIONRefusesStates(t *testing.T) {
	domains := func(endpoint any) map[string]any {
		return map[string]any{"id": "d", "type": "LinkedDomains", "serviceEndpoint": endpoint}
	}
	for name, row := range map[string]struct {
		change func(ion *verifiertest.ION)
		why    string
	}{
		"another deltaHash":       {func(ion *verifiertest.ION) { ion.SuffixData["deltaHash"] = verifiertest.Multihash([]byte("other")) }, "deltaHash is not the hash of delta, or delta is too long"},
		"deltaHash no string":     {func(ion *verifiertest.ION) { ion.SuffixData["deltaHash"] = 1 }, "deltaHash is not the hash of delta, or delta is too long"},
		"no recovery commitment":  {func(ion *verifiertest.ION) { delete(ion.SuffixData, "recoveryCommitment") }, "a commitment is missing, or no hash"},
		"commitment that is none": {func(ion *verifiertest.ION) { ion.SuffixData["recoveryCommitment"] = "EiA" }, "a commitment is missing, or no hash"},
		"commitment of SHA-512":   {func(ion *verifiertest.ION) { ion.Delta["updateCommitment"] = "E0" + verifiertest.Multihash(nil)[2:] }, "a commitment is missing, or no hash"},
		"no update commitment":    {func(ion *verifiertest.ION) { delete(ion.Delta, "updateCommitment") }, "a commitment is missing, or no hash"},
		"more in suffixData":      {func(ion *verifiertest.ION) { ion.SuffixData["more"] = "x" }, "an object of the long form has an unknown member"},
		"more in delta":           {func(ion *verifiertest.ION) { ion.Delta["more"] = "x" }, "an object of the long form has an unknown member"},
		"no patches":              {func(ion *verifiertest.ION) { ion.Delta["patches"] = []any{} }, "delta has no patches"},
		"patches no list":         {func(ion *verifiertest.ION) { ion.Delta["patches"] = map[string]any{} }, "delta has no patches"},
		"a patch no object":       {func(ion *verifiertest.ION) { ion.Delta["patches"] = []any{"replace"} }, "a patch has an action that a create operation does not allow"},
		"an unknown patch": {func(ion *verifiertest.ION) {
			ion.Patch(map[string]any{"action": "ietf-json-patch", "patches": []any{}})
		}, "a patch has an action that a create operation does not allow"},
		"a patch that removes": {func(ion *verifiertest.ION) { ion.Patch(map[string]any{"action": "remove-public-keys", "ids": []any{}}) }, "a patch has an action that a create operation does not allow"},
		"replace with nothing": {func(ion *verifiertest.ION) { ion.Patch(map[string]any{"action": "replace"}) }, "replace without a document"},
		"replace, and more": {func(ion *verifiertest.ION) {
			ion.Patch(map[string]any{"action": "replace", "document": map[string]any{}, "a": 1})
		}, "replace without a document"},
		"replace with a list": {func(ion *verifiertest.ION) { ion.Patch(map[string]any{"action": "replace", "document": []any{}}) }, "replace without a document"},
		"add keys, and more": {func(ion *verifiertest.ION) {
			ion.Patch(map[string]any{"action": "add-public-keys", "publicKeys": []any{}, "a": 1})
		}, "add-public-keys without publicKeys"},
		"add nothing, and more": {func(ion *verifiertest.ION) { ion.Patch(map[string]any{"action": "add-public-keys", "a": 1}) }, "add-public-keys without publicKeys"},
		"add no services":       {func(ion *verifiertest.ION) { ion.Patch(map[string]any{"action": "add-services", "a": 1}) }, "add-services without services"},
		"a service of a long type": {func(ion *verifiertest.ION) {
			ion.Document()["services"] = []any{map[string]any{"id": "d", "type": strings.Repeat("t", 31), "serviceEndpoint": "https://a.example"}}
		}, "a service has no type, or one too long"},
		"add keys with nothing": {func(ion *verifiertest.ION) { ion.Patch(map[string]any{"action": "add-public-keys"}) }, "add-public-keys without publicKeys"},
		"add services, and more": {func(ion *verifiertest.ION) {
			ion.Patch(map[string]any{"action": "add-services", "services": []any{}, "a": 1})
		}, "add-services without services"},
		"more in the document":   {func(ion *verifiertest.ION) { ion.Document()["alsoKnownAs"] = []any{} }, "an object of the long form has an unknown member"},
		"keys no list":           {func(ion *verifiertest.ION) { ion.Document()["publicKeys"] = map[string]any{} }, "publicKeys is not an array"},
		"two keys of one id":     {func(ion *verifiertest.ION) { k := first(ion, "publicKeys"); ion.Document()["publicKeys"] = []any{k, k} }, "an id in publicKeys is missing, not base64url, or there twice"},
		"a key without id":       {func(ion *verifiertest.ION) { delete(first(ion, "publicKeys"), "id") }, "an id in publicKeys is missing, not base64url, or there twice"},
		"a key's id with a hash": {func(ion *verifiertest.ION) { first(ion, "publicKeys")["id"] = "#key-1" }, "an id in publicKeys is missing, not base64url, or there twice"},
		"a key's id too long":    {func(ion *verifiertest.ION) { first(ion, "publicKeys")["id"] = strings.Repeat("a", 51) }, "an id in publicKeys is missing, not base64url, or there twice"},
		"a key without type":     {func(ion *verifiertest.ION) { delete(first(ion, "publicKeys"), "type") }, "a key has no type or no publicKeyJwk"},
		"a key without JWK":      {func(ion *verifiertest.ION) { delete(first(ion, "publicKeys"), "publicKeyJwk") }, "a key has no type or no publicKeyJwk"},
		"a key of somebody else": {func(ion *verifiertest.ION) { first(ion, "publicKeys")["controller"] = "did:web:other.example" }, "an object of the long form has an unknown member"},
		"no purpose in a list":   {func(ion *verifiertest.ION) { first(ion, "publicKeys")["purposes"] = []any{} }, "purposes is not an array of one or more"},
		"purposes no list":       {func(ion *verifiertest.ION) { first(ion, "publicKeys")["purposes"] = "authentication" }, "purposes is not an array of one or more"},
		"an unknown purpose":     {func(ion *verifiertest.ION) { first(ion, "publicKeys")["purposes"] = []any{"auth"} }, "a purpose is not known"},
		"a purpose twice": {func(ion *verifiertest.ION) {
			first(ion, "publicKeys")["purposes"] = []any{"authentication", "authentication"}
		}, "a purpose stands twice"},
		"a service without type": {func(ion *verifiertest.ION) {
			ion.Document()["services"] = []any{map[string]any{"id": "d", "serviceEndpoint": "a"}}
		}, "a service has no type"},
		"a service with an array": {func(ion *verifiertest.ION) { ion.Document()["services"] = []any{domains([]any{"https://a.example"})} }, "serviceEndpoint is neither a string nor an object"},
		"a service with more":     {func(ion *verifiertest.ION) { d := domains("a"); d["more"] = 1; ion.Document()["services"] = []any{d} }, "an object of the long form has an unknown member"},
		"a service no object":     {func(ion *verifiertest.ION) { ion.Document()["services"] = []any{"a"} }, "an id in services is missing"},
		"a delta too long": {func(ion *verifiertest.ION) {
			ion.Document()["services"] = []any{domains("https://" + strings.Repeat("a", 1000))}
		}, "deltaHash is not the hash of delta, or delta is too long"},
		"a number that is not whole": {func(ion *verifiertest.ION) {
			ion.Document()["services"] = []any{domains(map[string]any{"a": 1.5})}
		}, "long form is not in canonical form"},
	} {
		ion := newION(t)
		row.change(ion)
		document, err := newResolver(t, nothing{}).Resolve(t.Context(), parse(t, ion.DID(t)))
		if !errors.Is(err, did.ErrMalformed) || !strings.Contains(err.Error(), row.why) || document != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestResolveIONRefusesSpellings writes a state that is in order in ways that it must not be written.
func TestResolveIONRefusesSpellings(t *testing.T) {
	ion := newION(t)
	long := ion.DID(t)
	cut := strings.LastIndexByte(long, ':') + 1
	raw, err := base64.RawURLEncoding.DecodeString(long[cut:])
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	with := func(state string) string { return long[:cut] + verifiertest.Encode([]byte(state)) }
	other := newION(t)
	_ = other.DID(t)
	for name, row := range map[string]struct {
		changed string
		why     string
	}{
		"white space":           {with(" " + text), "long form is not in canonical form"},
		"a needless escape":     {with(strings.Replace(text, "replace", `\u0072eplace`, 1)), "long form is not in canonical form"},
		"another order":         {with(`{"suffixData":` + text[strings.Index(text, `"suffixData":`)+len(`"suffixData":`):len(text)-1] + `,"delta":` + text[len(`{"delta":`):strings.Index(text, `,"suffixData":`)] + `}`), "long form is not in canonical form"},
		"a name that repeats":   {with(strings.Replace(text, `"action":"replace"`, `"action":"replace","action":"replace"`, 1)), "a name stands twice"},
		"more beside":           {with(strings.TrimSuffix(text, "}") + `,"z":1}`), "an object of the long form has an unknown member"},
		"no suffixData":         {with(text[:strings.Index(text, `,"suffixData":`)] + "}"), "suffix is not the hash of suffixData"},
		"no delta":              {with("{" + text[strings.Index(text, `"suffixData":`):]), "deltaHash is not the hash of delta"},
		"a list":                {with("[]"), "long form: not strict JSON: not an object"},
		"no JSON":               {with("x"), "long form: not strict JSON: no value"},
		"another document":      {other.Long(t, strings.Split(long, ":")[2]), "suffix is not the hash of suffixData"},
		"altered delta":         {with(strings.Replace(text, `"key-1"`, `"key-2"`, 1)), "deltaHash is not the hash of delta"},
		"altered suffixData":    {with(strings.Replace(text, `"recoveryCommitment":"E`, `"recoveryCommitment":"F`, 1)), "suffix is not the hash of suffixData"},
		"another suffix":        {ion.Long(t, verifiertest.Multihash([]byte("other"))), "suffix is not the hash of suffixData"},
		"a suffix without code": {ion.Long(t, verifiertest.Hash("other")), "suffix is not the hash of suffixData"},
		"padding":               {long + "%3D", "long form is not base64url"},
	} {
		if row.changed == long {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := newResolver(t, nothing{}).Resolve(t.Context(), parse(t, row.changed)); !errors.Is(err, did.ErrMalformed) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResolveIONAppliesPatches(t *testing.T) {
	second, third := verifiertest.NewSigner(t, "EdDSA"), verifiertest.NewSigner(t, "EdDSA") // 1,000 bytes are soon full
	ion := verifiertest.NewION(verifiertest.NewSigner(t, "EdDSA").JWK(t))
	ion.Document()["services"] = []any{map[string]any{"id": "old", "type": "LinkedDomains", "serviceEndpoint": "https://old.example"}}
	entry := func(id string, signer *verifiertest.Signer) map[string]any {
		return map[string]any{"id": id, "type": "JsonWebKey2020", "publicKeyJwk": signer.JWK(t), "purposes": []any{"authentication"}}
	}
	ion.Patch(map[string]any{"action": "add-public-keys", "publicKeys": []any{entry("key-1", second), entry("key-2", third)}})
	ion.Patch(map[string]any{"action": "add-services", "services": []any{
		map[string]any{"id": "old", "type": "LinkedDomains", "serviceEndpoint": map[string]any{"origins": []any{"https://a.example/", "https://b.example"}}},
		map[string]any{"id": "hub", "type": "IdentityHub", "serviceEndpoint": "https://hub.example"},
	}})
	id := parse(t, ion.DID(t))
	document, err := newResolver(t, nothing{}).Resolve(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for fragment, signer := range map[string]*verifiertest.Signer{"key-1": second, "key-2": third} {
		key, err := document.Key(did.URL{DID: id, Fragment: fragment}, did.Authentication)
		if err != nil || !jws.SameKey(key, signer.Public()) {
			t.Errorf("%s: %v", fragment, err)
		}
	}
	if want := []string{"https://a.example/", "https://b.example"}; !slices.Equal(document.LinkedDomains(), want) {
		t.Errorf("origins are %v", document.LinkedDomains())
	}
	ion = newION(t)
	ion.Document()["services"] = []any{map[string]any{"id": "old", "type": "LinkedDomains", "serviceEndpoint": "https://old.example"}}
	ion.Patch(map[string]any{"action": "replace", "document": map[string]any{}})
	if document, err = newResolver(t, nothing{}).Resolve(t.Context(), parse(t, ion.DID(t))); err != nil {
		t.Fatal(err)
	}
	if _, err := document.Key(did.URL{DID: document.ID(), Fragment: "key-1"}, did.Authentication); !errors.Is(err, did.ErrNoKey) || document.LinkedDomains() != nil {
		t.Errorf("something is left after a reset: %v", err)
	}
}

// FuzzResolveION holds that what resolves has one spelling, and that one character less does not resolve.
func FuzzResolveION(f *testing.F) {
	for _, seed := range []string{vectorSDK, vectorWallet, vectorProfile, vectorEd25519} {
		suffix, state, _ := strings.Cut(strings.TrimPrefix(seed, "did:ion:"), ":")
		raw, err := base64.RawURLEncoding.DecodeString(state)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(suffix, raw)
	}
	f.Fuzz(func(t *testing.T, suffix string, state []byte) {
		id, err := did.Parse("did:ion:" + suffix + ":" + verifiertest.Encode(state))
		if err != nil {
			return
		}
		document, err := newResolver(t, nothing{}).Resolve(t.Context(), id)
		if err != nil {
			return
		}
		if document.ID() != id || suffix != verifiertest.Multihash(state[strings.LastIndex(string(state), `"suffixData":`)+len(`"suffixData":`):len(state)-1]) {
			t.Error("the suffix is not the hash of what is last in the state")
		}
	})
}
