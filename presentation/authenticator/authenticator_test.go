package authenticator_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"regain/presentation"
	"regain/presentation/authenticator"
	"regain/presentation/dcql"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

const did = "did:web:recover.example.org"

func config(t testing.TB) authenticator.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return authenticator.Config{Endpoint: "openid-vc://", DID: did, KeyID: "request-1", Key: key, Name: "Example Organisation", Purpose: "Recover your account"}
}

func query(t testing.TB) dcql.Query {
	t.Helper()
	q, err := dcql.Recovery(dcql.RecoveryParams{
		Format: dcql.FormatJWTVC, VerifiedIDTypes: []string{"VerifiableCredential VerifiedIdentity"}, Claims: []dcql.Path{dcql.Names("credentialSubject", "firstName")},
		FaceCheckFormat: dcql.FormatJWTVC, FaceCheckTypes: []string{"VerifiableCredential FaceCheckReceipt"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func asked(t testing.TB) (*authenticator.Profile, authenticator.Request) {
	t.Helper()
	p, err := authenticator.New(config(t))
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.NewRequest(authenticator.RequestParams{
		RedirectURI: "https://recover.example.org/r", Query: query(t), Issuers: []string{"did:web:proofing.example"}, Lifetime: 5 * time.Minute,
	}, rand.Reader, noon)
	if err != nil {
		t.Fatal(err)
	}
	return p, r
}

// What Microsoft's public wallet library checks of a request, and the profile's text demands.
func TestRequestObject(t *testing.T) {
	cfg := config(t)
	p, err := authenticator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.NewRequest(authenticator.RequestParams{RedirectURI: "https://recover.example.org/r", Query: query(t), Issuers: []string{"did:web:b", "did:web:a.example"}, Lifetime: time.Minute}, rand.Reader, noon)
	if err != nil {
		t.Fatal(err)
	}
	object, err := p.RequestObject(r, noon)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(string(object), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || signed.Signatures[0].Protected.KeyID != did+"#request-1" {
		t.Fatalf("%v, kid %v", err, signed.Signatures[0].Protected.KeyID)
	}
	payload, err := signed.Verify(cfg.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	text := string(payload)
	for _, part := range []string{
		`"response_type":"id_token"`, `"response_mode":"post"`, `"scope":"openid"`, `"client_id":"did:web:recover.example.org"`, `"redirect_uri":"https://recover.example.org/r"`,
		`"subject_syntax_types_supported":["did:ion","did:web","did:jwk"]`, `"jwt_vp":{"alg":["ES256K","ES256","EdDSA"]}`, `"jwt_vc":{"alg":["ES256K"`,
		`"client_name":"Example Organisation"`, `"schema":[{"uri":"VerifiedIdentity"}]`, `"path":["$.vc.credentialSubject.firstName"]`,
		`"path":["$.issuer","$.vc.issuer","$.iss"],"filter":{"type":"string","pattern":"^did:web:a\\.example$|^did:web:b$"}`, `"schema":[{"uri":"FaceCheckReceipt"}]`,
		`"nonce":"` + r.Nonce + `"`, `"state":"` + r.State + `"`, fmt.Sprintf(`"exp":%d`, noon.Add(time.Minute).Unix()),
	} {
		if !strings.Contains(text, part) {
			t.Errorf("it lacks %s:\n%s", part, text)
		}
	}
	if strings.Count(text, `"pattern"`) != 1 {
		t.Errorf("the issuers of the Verified ID are asked of %d credentials", strings.Count(text, `"pattern"`))
	}
	anybody, err := p.NewRequest(authenticator.RequestParams{RedirectURI: "https://recover.example.org/r", Query: query(t), Lifetime: time.Minute}, rand.Reader, noon.Add(time.Second/2))
	if err != nil || !anybody.ExpiresAt.Equal(noon.Add(time.Minute)) {
		t.Fatalf("ends at %v, %v", anybody.ExpiresAt, err)
	}
	if object, err = p.RequestObject(anybody, noon); err != nil {
		t.Fatal(err)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(strings.Split(string(object), ".")[1]); err != nil || strings.Contains(string(raw), `"filter"`) {
		t.Errorf("without issuers: %s, %v", raw, err)
	}
	if strings.Contains(text, "portrait") || strings.Contains(text, "photo") {
		t.Error("it asks for the picture")
	}
	if link := p.Link("https://recover.example.org/q?x=1"); link != "openid-vc://?request_uri=https%3A%2F%2Frecover.example.org%2Fq%3Fx%3D1" {
		t.Errorf("link %s", link)
	}
	if _, err := p.RequestObject(r, noon.Add(time.Minute)); !errors.Is(err, presentation.ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
	for name, lacks := range map[string]func(*authenticator.Request){
		"everything": func(r *authenticator.Request) { *r = authenticator.Request{ExpiresAt: r.ExpiresAt} },
		"its nonce":  func(r *authenticator.Request) { r.Nonce = "" }, "its state": func(r *authenticator.Request) { r.State = "" }, "its id": func(r *authenticator.Request) { r.ID = "" },
	} {
		damaged := r
		lacks(&damaged)
		if _, err := p.RequestObject(damaged, noon); err == nil || !strings.Contains(err.Error(), "was not made by NewRequest") {
			t.Errorf("one that lacks %s: %v", name, err)
		}
		if _, err := damaged.Open(url.Values{"state": {""}}, noon); err == nil || !strings.Contains(err.Error(), "was not made by NewRequest") {
			t.Errorf("one that lacks %s is answered: %v", name, err)
		}
	}
	cfg.Endpoint = "https://wallet.example/?x=1"
	if p, err = authenticator.New(cfg); err != nil || p.Link("https://r.example") != "https://wallet.example/?x=1&request_uri=https%3A%2F%2Fr.example" {
		t.Errorf("link %s, %v", p.Link("https://r.example"), err)
	}
}

func TestProfilesThatNoWalletWouldTake(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*authenticator.Config)
		why    string
	}{
		"no endpoint":   {func(c *authenticator.Config) { c.Endpoint = "" }, "does not lead to a wallet"},
		"a script":      {func(c *authenticator.Config) { c.Endpoint = "javascript://x" }, "does not lead to a wallet"},
		"no DID":        {func(c *authenticator.Config) { c.DID = "recover.example.org" }, "client_id: give our DID"},
		"a DID URL":     {func(c *authenticator.Config) { c.DID = did + "#k" }, "client_id: give our DID"},
		"no key id":     {func(c *authenticator.Config) { c.KeyID = "" }, "client_id: give our DID"},
		"no name":       {func(c *authenticator.Config) { c.Name = "" }, "client_name is required: the wallet shows it to the person as the name of the verifier"},
		"no key":        {func(c *authenticator.Config) { c.Key = nil }, "request_signing.key is required"},
		"another curve": {func(c *authenticator.Config) { c.Key, _ = ecdsa.GenerateKey(elliptic.P384(), rand.Reader) }, "request_signing.key is not on P-256"},
	} {
		cfg := config(t)
		row.change(&cfg)
		if _, err := authenticator.New(cfg); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestQueriesThatCannotBeAsked(t *testing.T) {
	p, _ := asked(t)
	for name, row := range map[string]struct {
		change func(q *dcql.Query)
		why    string
	}{
		"another format": {func(q *dcql.Query) {
			q.Credentials[0].Format, q.Credentials[0].Meta = dcql.FormatSDJWT, &dcql.Meta{VCTValues: []string{"x"}}
		}, "verified_id: wallets of this kind hold JWT VCs, asked for by one set of types and no claim sets"},
		"two sets of types": {func(q *dcql.Query) { q.Credentials[0].Meta.TypeValues = [][]string{{"A"}, {"B"}} }, "verified_id: wallets of this kind hold JWT VCs, asked for by one set of types and no claim sets"},
		"claim sets": {func(q *dcql.Query) {
			q.Credentials[0].Claims[0].ID, q.Credentials[0].ClaimSets = "a", [][]string{{"a"}}
		}, "verified_id: wallets of this kind hold JWT VCs, asked for by one set of types and no claim sets"},
		"alternatives":      {func(q *dcql.Query) { q.CredentialSets = []dcql.CredentialSet{{Options: [][]string{{"verified_id"}}}} }, "wallets of this kind do not support credential_sets"},
		"every element":     {func(q *dcql.Query) { q.Credentials[0].Claims[0].Path = dcql.Path{dcql.Name("a"), dcql.Every()} }, "verified_id: [\"a\",null]: wallets of this kind support paths of plain names only"},
		"a name with a dot": {func(q *dcql.Query) { q.Credentials[0].Claims[0].Path = dcql.Names("a.b") }, "verified_id: [\"a.b\"]: wallets of this kind support paths of plain names only"},
	} {
		q := query(t)
		row.change(&q)
		if _, err := p.NewRequest(authenticator.RequestParams{RedirectURI: "https://x.example/", Query: q, Lifetime: time.Minute}, rand.Reader, noon); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for life, ok := range map[time.Duration]bool{0: false, time.Second - 1: false, time.Second: true, presentation.MaxLifetime: true, presentation.MaxLifetime + 1: false, time.Hour: false} {
		_, err := p.NewRequest(authenticator.RequestParams{RedirectURI: "https://x.example/", Query: query(t), Lifetime: life}, rand.Reader, noon)
		if (err == nil) != ok || err != nil && !strings.Contains(err.Error(), "is not between 1s and 15m0s") {
			t.Errorf("a lifetime of %s: %v", life, err)
		}
	}
	good := authenticator.RequestParams{RedirectURI: "https://x.example/", Query: query(t), Lifetime: time.Minute}
	for n, ok := range map[int]bool{0: false, 23: false, 71: false, 72: true} {
		if r, err := p.NewRequest(good, strings.NewReader(strings.Repeat("x", n)), noon); (err == nil) != ok || !ok && (r.State != "" || !strings.Contains(err.Error(), "making a presentation request: ")) {
			t.Errorf("%d bytes of randomness: %v", n, err)
		}
	}
	good.Query = dcql.Query{}
	if _, err := p.NewRequest(good, rand.Reader, noon); err == nil || !strings.Contains(err.Error(), "making a presentation request: ") {
		t.Errorf("no query: %v", err)
	}
}

// answer is what a wallet posts: one presentation with both credentials in it.
type answer struct {
	submission map[string]any
	form       url.Values
}

func answerTo(r authenticator.Request) answer {
	descriptor := func(id string, n int) map[string]any {
		return map[string]any{"id": id, "format": "jwt_vp", "path": "$", "path_nested": map[string]any{"id": id, "format": "jwt_vc", "path": fmt.Sprintf("$.verifiableCredential[%d]", n)}}
	}
	return answer{
		submission: map[string]any{"id": "s", "definition_id": r.ID, "descriptor_map": []any{descriptor("verified_id", 0), descriptor("face_check", 1)}},
		form:       url.Values{"vp_token": {"a.b.c"}, "state": {r.State}},
	}
}

func (a answer) descriptor(i int) map[string]any {
	return a.submission["descriptor_map"].([]any)[i].(map[string]any) //nolint:forcetypeassert // made by answerTo
}

func (a answer) post(t testing.TB) url.Values {
	t.Helper()
	if a.form.Has("id_token") {
		return a.form
	}
	raw, err := json.Marshal(map[string]any{"iss": "https://self-issued.me/v2/openid-vc", "_vp_token": map[string]any{"presentation_submission": a.submission}})
	if err != nil {
		t.Fatal(err)
	}
	a.form.Set("id_token", "e30."+base64.RawURLEncoding.EncodeToString(raw)+".eA")
	return a.form
}

func TestOpen(t *testing.T) {
	_, r := asked(t)
	got, err := r.Open(answerTo(r).post(t), noon)
	if err != nil || got.Presentations["verified_id"] != (authenticator.PresentationRef{Presentation: "a.b.c"}) || got.Presentations["face_check"].Credential != 1 || got.IDToken == "" {
		t.Errorf("%d presentations, %v", len(got.Presentations), err)
	}
	if text := fmt.Sprintf("%v %+v %#v", got.Presentations, got.Presentations, got.Presentations); strings.Contains(text, "a.b.c") {
		t.Errorf("it shows %s", text)
	}
	// As a newer wallet writes the path, and with a presentation for each.
	a := answerTo(r)
	a.form["vp_token"] = []string{"a.b.c", "d.e.f"}
	a.descriptor(0)["path"], a.descriptor(1)["path"] = "$[0]", "$[1]"
	a.descriptor(1)["path_nested"] = map[string]any{"format": "jwt_vc", "path": "$.vp.verifiableCredential[0]"}
	if got, err = r.Open(a.post(t), noon); err != nil || got.Presentations["face_check"].Presentation != "d.e.f" {
		t.Errorf("two presentations: %v", err)
	}
	// As OpenID4VP had it in 2022: an array in one parameter.
	a = answerTo(r)
	a.form.Set("vp_token", `["a.b.c"]`)
	if got, err = r.Open(a.post(t), noon); err != nil || got.Presentations["verified_id"].Presentation != "a.b.c" {
		t.Errorf("an array: %v", err)
	}
	// As much as there may be: four presentations, the fourth credential of the last, and one of the greatest length.
	a = answerTo(r)
	a.form["vp_token"] = []string{strings.Repeat("x", 256<<10), "b", "c", "d"}
	a.descriptor(1)["path"], a.descriptor(0)["path"] = "$[3]", "$[0]"
	a.descriptor(1)["path_nested"] = map[string]any{"format": "jwt_vc", "path": "$.verifiableCredential[3]"}
	if got, err = r.Open(a.post(t), noon); err != nil || got.Presentations["face_check"] != (authenticator.PresentationRef{Presentation: "d", Credential: 3}) {
		t.Errorf("as much as there may be: %v", err)
	}
	if said := fmt.Sprint(got, got.Presentations["face_check"]); said != "answer[redacted] presentation[redacted]" {
		t.Errorf("printed as %s", said)
	}
	// A request survives its storage.
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var stored authenticator.Request
	if err := json.Unmarshal(data, &stored); err != nil {
		t.Fatal(err)
	}
	if _, err := stored.Open(answerTo(r).post(t), noon); err != nil {
		t.Error(err)
	}
}

func TestAnswersThatAreRefused(t *testing.T) {
	nested := func(path string) map[string]any { return map[string]any{"format": "jwt_vc", "path": path} }
	for name, row := range map[string]struct {
		change func(a answer)
		err    error
		why    string // part of the error
	}{
		"no state":                 {func(a answer) { a.form.Del("state") }, presentation.ErrMalformed, "malformed wallet message: state is missing or stands twice"},
		"another state":            {func(a answer) { a.form.Set("state", "x") }, presentation.ErrState, "response belongs to another request"},
		"two states":               {func(a answer) { a.form.Add("state", "x") }, presentation.ErrMalformed, "malformed wallet message: state is missing or stands twice"},
		"no presentation":          {func(a answer) { a.form.Del("vp_token") }, presentation.ErrMalformed, "malformed wallet message: vp_token is missing, or stands too often"},
		"too many":                 {func(a answer) { a.form["vp_token"] = make([]string, 5) }, presentation.ErrMalformed, "malformed wallet message: vp_token is missing, or stands too often"},
		"too large":                {func(a answer) { a.form.Set("vp_token", strings.Repeat("x", 300<<10)) }, presentation.ErrTooLarge, "wallet message is too large: vp_token"},
		"an array of numbers":      {func(a answer) { a.form.Set("vp_token", "[1]") }, presentation.ErrMalformed, "malformed wallet message: vp_token is no array of texts"},
		"an empty array":           {func(a answer) { a.form.Set("vp_token", "[]") }, presentation.ErrMalformed, "malformed wallet message: vp_token is missing, or stands too often"},
		"an ID token too large":    {func(a answer) { a.form.Set("id_token", strings.Repeat("x", 64<<10)) }, presentation.ErrTooLarge, "wallet message is too large: id_token"},
		"no JWT":                   {func(a answer) { a.form.Set("id_token", "x") }, presentation.ErrMalformed, "malformed wallet message: id_token is no JWT"},
		"not base64":               {func(a answer) { a.form.Set("id_token", "e30.!.eA") }, presentation.ErrMalformed, "malformed wallet message: id_token is not base64url"},
		"not JSON":                 {func(a answer) { a.form.Set("id_token", "e30.eA.eA") }, presentation.ErrMalformed, "malformed wallet message: id_token: not strict JSON: no value"},
		"no submission":            {func(a answer) { a.form.Set("id_token", "e30.e30.eA") }, presentation.ErrState, "response belongs to another request: the submission is for another definition"},
		"another definition":       {func(a answer) { a.submission["definition_id"] = "x" }, presentation.ErrState, "response belongs to another request: the submission is for another definition"},
		"no map":                   {func(a answer) { delete(a.submission, "descriptor_map") }, presentation.ErrMalformed, "malformed wallet message: descriptor_map is missing, empty or too long"},
		"not asked for":            {func(a answer) { a.descriptor(0)["id"] = "passport" }, presentation.ErrNotAsked, "response holds a presentation that was not asked for"},
		"answered twice":           {func(a answer) { a.descriptor(1)["id"] = "verified_id" }, presentation.ErrNotAsked, "response holds a presentation that was not asked for: verified_id is answered twice"},
		"no Face Check":            {func(a answer) { a.submission["descriptor_map"] = []any{a.descriptor(0)} }, presentation.ErrMissing, "response lacks a presentation: answer does not satisfy the query: credential face_check is missing"},
		"a path to nowhere":        {func(a answer) { a.descriptor(0)["path"] = "$.x" }, presentation.ErrMalformed, "malformed wallet message: descriptor_map: verified_id: unsupported format or path"},
		"a presentation not there": {func(a answer) { a.descriptor(0)["path"] = "$[1]" }, presentation.ErrMissing, "response lacks a presentation: the submission names a presentation that was not sent"},
		"a credential too far":     {func(a answer) { a.descriptor(0)["path_nested"] = nested("$.verifiableCredential[9]") }, presentation.ErrMalformed, "malformed wallet message: descriptor_map: verified_id: unsupported format or path"},
		"wallets of this kind do not support credential_sets": {func(a answer) { a.descriptor(0)["path_nested"] = nested("$.verifiableCredential") }, presentation.ErrMalformed, "malformed wallet message: descriptor_map: verified_id: unsupported format or path"},
		"no nested path": {func(a answer) { delete(a.descriptor(0), "path_nested") }, presentation.ErrMalformed, "malformed wallet message: descriptor_map: verified_id: unsupported format or path"},
		"another format inside": {func(a answer) {
			a.descriptor(0)["path_nested"] = map[string]any{"format": "ldp_vc", "path": "$.verifiableCredential[0]"}
		}, presentation.ErrMalformed, "verified_id: unsupported format or path"},
		"the fifth credential":    {func(a answer) { a.descriptor(0)["path_nested"] = nested("$.verifiableCredential[4]") }, presentation.ErrMalformed, "verified_id: unsupported format or path"},
		"the sixth credential":    {func(a answer) { a.descriptor(0)["path_nested"] = nested("$.verifiableCredential[5]") }, presentation.ErrMalformed, "verified_id: unsupported format or path"},
		"an empty map":            {func(a answer) { a.submission["descriptor_map"] = []any{} }, presentation.ErrMalformed, "descriptor_map is missing, empty or too long"},
		"a map of nine":           {func(a answer) { a.submission["descriptor_map"] = slices.Repeat([]any{a.descriptor(0)}, 9) }, presentation.ErrMalformed, "descriptor_map is missing, empty or too long"},
		"a map of eight":          {func(a answer) { a.submission["descriptor_map"] = slices.Repeat([]any{a.descriptor(0)}, 8) }, presentation.ErrNotAsked, "verified_id is answered twice"},
		"a character too long":    {func(a answer) { a.form.Set("vp_token", strings.Repeat("x", 256<<10+1)) }, presentation.ErrTooLarge, "wallet message is too large: vp_token"},
		"an array too long":       {func(a answer) { a.form.Set("vp_token", "["+strings.Repeat(" ", 256<<10)+"]") }, presentation.ErrTooLarge, "wallet message is too large: vp_token"},
		"an ID token just within": {func(a answer) { a.form.Set("id_token", strings.Repeat("x", 32<<10)) }, presentation.ErrMalformed, "id_token is no JWT"},
		"an ID token too long":    {func(a answer) { a.form.Set("id_token", strings.Repeat("x", 32<<10+1)) }, presentation.ErrTooLarge, "wallet message is too large: id_token"},
		"another format":          {func(a answer) { a.descriptor(0)["format"] = "ldp_vp" }, presentation.ErrMalformed, "malformed wallet message: descriptor_map: verified_id: unsupported format or path"},
	} {
		_, r := asked(t)
		a := answerTo(r)
		row.change(a)
		if got, err := r.Open(a.post(t), noon); !errors.Is(err, row.err) || err != nil && !strings.Contains(err.Error(), row.why) || got.Presentations != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, r := asked(t)
	if _, err := r.Open(answerTo(r).post(t), noon.Add(5*time.Minute)); !errors.Is(err, presentation.ErrExpired) {
		t.Errorf("too late: %v", err)
	}
	if _, err := (authenticator.Request{ExpiresAt: noon.Add(time.Hour)}).Open(url.Values{"state": {""}}, noon); err == nil || !strings.Contains(err.Error(), "was not made by NewRequest") {
		t.Error("a request that nobody made opens")
	}
}

// Whatever is posted, Open does not panic, and what it finds is what was asked for.
func FuzzOpen(f *testing.F) {
	p, _ := asked(f)
	// With secrets that are the same in each process: the one that has the seeds is not the one that runs them.
	r, err := p.NewRequest(authenticator.RequestParams{RedirectURI: "https://recover.example.org/r", Query: query(f), Lifetime: time.Minute}, strings.NewReader(strings.Repeat("x", 72)), noon)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(answerTo(r).post(f).Get("id_token"), "a.b.c")
	f.Add("e30.e30.e30", "")
	f.Fuzz(func(t *testing.T, token, vp string) {
		got, err := r.Open(url.Values{"id_token": {token}, "vp_token": {vp}, "state": {r.State}}, noon)
		if err == nil && (len(got.Presentations) != 2 || got.Presentations["verified_id"].Presentation != vp) {
			t.Errorf("accepted %d", len(got.Presentations))
		}
	})
}
