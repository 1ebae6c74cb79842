package jwtvc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/internal/fetch"
	"regain/verifier/did"
	"regain/verifier/jwtvc"
	"regain/verifier/verifiertest"
)

// scene is a presentation in order.
type scene struct {
	now            time.Time
	issuer, holder *verifiertest.Identity
	vc, vp         *verifiertest.JWT
	inside         func(vcs []any) []any // changes what is inside the VP
}

func newScene(t testing.TB, algorithm string) *scene {
	t.Helper()
	s := &scene{now: verifiertest.NewClock().Now(), issuer: verifiertest.NewJWKIdentity(t, algorithm), holder: verifiertest.NewIONIdentity(t, algorithm, "authentication")}
	s.vc, s.vp = verifiertest.NewVC(s.issuer, s.holder, s.now), verifiertest.NewVP(s.holder, s.now)
	return s
}

func (s *scene) present(t testing.TB) string {
	t.Helper()
	if s.vp.VP() != nil {
		list := []any{s.vc.Sign(t)}
		if s.inside != nil {
			list = s.inside(list)
		}
		s.vp.VP()["verifiableCredential"] = list
	}
	return s.vp.Sign(t)
}

func (s *scene) parse(t testing.TB) (*jwtvc.Parsed, error) {
	t.Helper()
	return jwtvc.ParseInsecure(s.present(t), 0)
}

func (s *scene) binding() jwtvc.Binding {
	return jwtvc.Binding{Nonce: verifiertest.Nonce, Audience: verifiertest.Audience, Now: s.now}
}

// offline is a fetcher for what must not need one.
type offline struct{}

func (offline) Get(context.Context, string, string) (fetch.Response, error) {
	return fetch.Response{}, fetch.ErrNetwork
}

func newResolver(t testing.TB, from did.Fetcher) *did.Resolver {
	t.Helper()
	r, err := did.New(did.Config{MaxTTL: time.Hour, Fetch: from, Clock: verifiertest.NewClock().Now})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPresentation(t *testing.T) {
	for _, algorithm := range []string{"ES256", "ES256K", "EdDSA"} {
		s := newScene(t, algorithm)
		parsed, err := s.parse(t)
		if err != nil {
			t.Fatal(err)
		}
		holder, err := parsed.VerifyHolder(t.Context(), newResolver(t, offline{}), s.binding())
		if err != nil || holder.DID.String() != s.holder.DID || !holder.Same(jwtvc.Holder{Key: s.holder.Public()}) || holder.Same(jwtvc.Holder{Key: s.issuer.Public()}) {
			t.Errorf("%s: holder: %v", algorithm, err)
		}
		issuer, err := parsed.VerifyIssuer(t.Context(), newResolver(t, offline{}))
		if err != nil || issuer.String() != s.issuer.DID {
			t.Errorf("%s: issuer: %v", algorithm, err)
		}
	}
}

func TestClaims(t *testing.T) {
	s := newScene(t, "ES256")
	s.vc.VC()["credentialStatus"] = map[string]any{"id": "urn:uuid:1", "type": "RevocationList2021Status", "statusListIndex": 31}
	s.vc.Subject()["photo"] = "another picture"
	s.vc.Claims["status"] = map[string]any{"status_list": map[string]any{"idx": 7, "uri": "https://issuer.example/1"}}
	parsed, err := s.parse(t)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"@context": []any{"https://www.w3.org/2018/credentials/v1"}, "type": []any{"VerifiableCredential", verifiertest.VCType},
		"issuer": s.issuer.DID, "id": s.vc.Claims["jti"], "issuanceDate": "2031-05-04T12:00:00Z", "expirationDate": "2032-05-04T12:00:00Z",
		"credentialSubject": map[string]any{
			"id": s.holder.DID, "firstName": "Ada", "lastName": "Lovelace", "portrait": s.vc.Subject()["portrait"], "photo": "another picture",
		},
		"credentialStatus": map[string]any{"id": "urn:uuid:1", "type": "RevocationList2021Status", "statusListIndex": json.Number("31")},
		"status":           map[string]any{"status_list": map[string]any{"idx": json.Number("7"), "uri": "https://issuer.example/1"}},
	}
	if got := parsed.Claims(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if !slices.Equal(parsed.Types(), []string{"VerifiableCredential", verifiertest.VCType}) || parsed.ID() != s.vc.Claims["jti"] || parsed.Issuer() != s.issuer.DID || parsed.Subject() != s.holder.DID {
		t.Errorf("types %v, id %s", parsed.Types(), parsed.ID())
	}
	if want := []string{verifiertest.Hash(s.vc.Subject()["portrait"].(string)), verifiertest.Hash("another picture")}; !slices.Equal(parsed.Digests(), want) {
		t.Errorf("digests are %v", parsed.Digests())
	}
	if entry, there := parsed.Status(); !there || entry["type"] != "RevocationList2021Status" {
		t.Errorf("status is %v, %t", entry, there)
	}
	if parsed.Certificates() != nil {
		t.Error("it has certificates")
	}
	for name, want := range map[string]int64{"iat": s.now.Unix(), "nbf": s.now.Unix(), "exp": s.now.AddDate(1, 0, 0).Unix()} {
		if got, there, err := parsed.Time(name); err != nil || !there || got != want {
			t.Errorf("%s: %d, %t, %v", name, got, there, err)
		}
	}
}

// TestClaimsWithout reads a VC that says as little as it may, and one that says everything twice.
func TestClaimsWithout(t *testing.T) {
	s := newScene(t, "ES256")
	for _, name := range []string{"iat", "nbf", "exp", "jti", "sub"} {
		delete(s.vc.Claims, name)
	}
	delete(s.vc.Subject(), "portrait")
	parsed, err := s.parse(t)
	if err != nil {
		t.Fatal(err)
	}
	_, status := parsed.Status()
	if parsed.ID() != "" || parsed.Subject() != "" || parsed.Digests() != nil || status {
		t.Errorf("%q, %q, %v, %t", parsed.ID(), parsed.Subject(), parsed.Digests(), status)
	}
	for _, name := range []string{"iat", "nbf", "exp"} {
		if _, there, err := parsed.Time(name); there || err != nil {
			t.Errorf("%s: %t, %v", name, there, err)
		}
	}
	s.vc.VC()["issuanceDate"], s.vc.VC()["expirationDate"] = "2031-05-04T14:00:00.75+02:00", "2031-05-04T12:00:01Z"
	s.vc.VC()["id"], s.vc.VC()["issuer"] = "urn:a", map[string]any{"name": "An issuer"}
	s.vc.Subject()["id"] = s.holder.DID
	for range 2 { // first from the VC alone, then from both
		if parsed, err = s.parse(t); err != nil {
			t.Fatal(err)
		}
		issuer, _ := parsed.Claims()["issuer"].(map[string]any)
		if issuer["id"] != s.issuer.DID || issuer["name"] != "An issuer" || parsed.ID() != "urn:a" || parsed.Subject() != s.holder.DID {
			t.Errorf("issuer %v, id %s", issuer, parsed.ID())
		}
		for name, want := range map[string]int64{"nbf": s.now.Unix(), "exp": s.now.Unix() + 1} {
			if got, there, err := parsed.Time(name); got != want || !there || err != nil {
				t.Errorf("%s: %d, %t, %v", name, got, there, err)
			}
		}
		s.vc.Claims["jti"], s.vc.Claims["nbf"], s.vc.Claims["exp"], s.vc.Claims["sub"] = "urn:a", float64(s.now.Unix())+0.5, s.now.Unix()+1, s.holder.DID
		issuer["id"] = s.issuer.DID
		s.vc.VC()["issuer"] = issuer
	}
}

// TestParseRefuses breaks one thing of a presentation in order.
func TestParseRefuses(t *testing.T) {
	type change = func(s *scene)
	for name, row := range map[string]struct {
		change change
		why    string
	}{
		"VP: alg none":        {func(s *scene) { s.vp.Header["alg"] = "none" }, "alg is not accepted"},
		"VP: alg HS256":       {func(s *scene) { s.vp.Header["alg"] = "HS256" }, "alg is not accepted"},
		"VP: alg ES384":       {func(s *scene) { s.vp.Header["alg"] = "ES384" }, "alg is not accepted"},
		"VP: typ":             {func(s *scene) { s.vp.Header["typ"] = "kb+jwt" }, "typ is not accepted"},
		"VP: crit":            {func(s *scene) { s.vp.Header["crit"] = []string{"exp"} }, "header has crit"},
		"VP: jwk":             {func(s *scene) { s.vp.Header["jwk"] = map[string]any{} }, "header has jwk"},
		"VP: certificates":    {func(s *scene) { s.vp.Header["x5c"] = []string{"AAAA"} }, "VP has certificates, but the holder's key is in its DID document or in cnf"},
		"VP: no vp":           {func(s *scene) { delete(s.vp.Claims, "vp") }, "it is not a JWT with vp and without vc"},
		"VP: vp and vc":       {func(s *scene) { s.vp.Claims["vc"] = s.vc.VC() }, "it is not a JWT with vp and without vc"},
		"VP: vp no object":    {func(s *scene) { s.vp.Claims["vp"] = []any{} }, "it is not a JWT with vp and without vc"},
		"VP: no context":      {func(s *scene) { delete(s.vp.VP(), "@context") }, "@context is not that of the data model 1.1"},
		"VP: another context": {func(s *scene) { s.vp.VP()["@context"] = []any{"https://www.w3.org/ns/credentials/v2"} }, "@context is not that of the data model 1.1"},
		"VP: context in another place": {func(s *scene) {
			s.vp.VP()["@context"] = []any{"https://a.example", "https://www.w3.org/2018/credentials/v1"}
		}, "@context is not that of the data model 1.1"},
		"VP: no type":             {func(s *scene) { delete(s.vp.VP(), "type") }, "type is not an array of up to 16"},
		"VP: another type":        {func(s *scene) { s.vp.VP()["type"] = []any{"VerifiableCredential"} }, "type has no VerifiablePresentation"},
		"VP: another holder":      {func(s *scene) { s.vp.VP()["holder"] = s.issuer.DID }, "holder is not iss"},
		"VP: a holder of no type": {func(s *scene) { s.vp.VP()["holder"] = map[string]any{"id": 1} }, "holder is not iss"},
		"VP: no VC":               {func(s *scene) { s.inside = func([]any) []any { return []any{} } }, "verifiableCredential is not an array, is too long, or has no credential 0"},
		"VP: five VCs": {func(s *scene) {
			s.inside = func(list []any) []any { return append(list, list[0], list[0], list[0], list[0]) }
		}, "verifiableCredential is not an array, is too long, or has no credential 0"},
		"VP: a VC in JSON":         {func(s *scene) { s.inside = func([]any) []any { return []any{s.vc.VC()} } }, "verifiableCredential is not a JWT"},
		"VP: a VP inside":          {func(s *scene) { s.vc.Claims = s.vp.Claims }, "it is not a JWT with vc and without vp"},
		"VP: too long":             {func(s *scene) { s.vp.Claims["pad"] = strings.Repeat("a", 256<<10) }, "longer than 262144 characters"},
		"VP: deep":                 {func(s *scene) { s.vp.Claims["pad"] = deep(20) }, "not strict JSON: nested too deep"},
		"VC: alg none":             {func(s *scene) { s.vc.Header["alg"] = "none" }, "alg is not accepted"},
		"VC: alg HS256":            {func(s *scene) { s.vc.Header["alg"] = "HS256" }, "alg is not accepted"},
		"VC: typ":                  {func(s *scene) { s.vc.Header["typ"] = "vc+sd-jwt" }, "typ is not accepted"},
		"VC: no vc":                {func(s *scene) { delete(s.vc.Claims, "vc") }, "it is not a JWT with vc and without vp"},
		"VC: vc and vp":            {func(s *scene) { s.vc.Claims["vp"] = s.vp.VP() }, "it is not a JWT with vc and without vp"},
		"VC: no context":           {func(s *scene) { delete(s.vc.VC(), "@context") }, "@context is not that of the data model 1.1"},
		"VC: context no list":      {func(s *scene) { s.vc.VC()["@context"] = "https://www.w3.org/2018/credentials/v1" }, "@context is not that of the data model 1.1"},
		"VC: another context":      {func(s *scene) { s.vc.VC()["@context"] = []any{"https://www.w3.org/ns/credentials/v2"} }, "@context is not that of the data model 1.1"},
		"VC: no type":              {func(s *scene) { delete(s.vc.VC(), "type") }, "type is not an array of up to 16"},
		"VC: another type":         {func(s *scene) { s.vc.VC()["type"] = []any{verifiertest.VCType} }, "type has no VerifiableCredential"},
		"VC: a type no string":     {func(s *scene) { s.vc.VC()["type"] = []any{"VerifiableCredential", 1} }, "a type is not a string"},
		"VC: many types":           {func(s *scene) { s.vc.VC()["type"] = slices.Repeat([]any{"VerifiableCredential"}, 17) }, "type is not an array of up to 16"},
		"VC: no subject":           {func(s *scene) { delete(s.vc.VC(), "credentialSubject") }, "credentialSubject is not an object"},
		"VC: two subjects":         {func(s *scene) { s.vc.VC()["credentialSubject"] = []any{s.vc.Subject(), s.vc.Subject()} }, "credentialSubject is not an object"},
		"VC: no iss":               {func(s *scene) { delete(s.vc.Claims, "iss") }, "iss is missing"},
		"VC: iss no string":        {func(s *scene) { s.vc.Claims["iss"] = 1 }, "iss is missing"},
		"VC: another issuer":       {func(s *scene) { s.vc.VC()["issuer"] = s.holder.DID }, "iss is not what the VC says"},
		"VC: another issuer's id":  {func(s *scene) { s.vc.VC()["issuer"] = map[string]any{"id": s.holder.DID} }, "iss is not what the VC says"},
		"VC: an issuer of no type": {func(s *scene) { s.vc.VC()["issuer"] = 1 }, "issuer is neither a string nor an object"},
		"VC: an issuer's id null":  {func(s *scene) { s.vc.VC()["issuer"] = map[string]any{"id": nil} }, "iss is not what the VC says"},
		"VC: another subject":      {func(s *scene) { s.vc.Subject()["id"] = s.issuer.DID }, "sub is not what the VC says"},
		"VC: a subject null":       {func(s *scene) { s.vc.Subject()["id"] = nil }, "sub is not what the VC says"},
		"VC: sub no string":        {func(s *scene) { s.vc.Claims["sub"] = 1 }, "sub is not a string"},
		"VC: another id":           {func(s *scene) { s.vc.VC()["id"] = "urn:other" }, "jti is not what the VC says"},
		"VC: jti no string":        {func(s *scene) { s.vc.Claims["jti"] = 1 }, "jti is not a string"},
		"VC: id no string":         {func(s *scene) { delete(s.vc.Claims, "jti"); s.vc.VC()["id"] = 1 }, "id is not a string"},
		"VC: another issuanceDate": {func(s *scene) { s.vc.VC()["issuanceDate"] = "2031-05-04T12:00:01Z" }, "nbf is not what the VC says"},
		"VC: another expiration":   {func(s *scene) { s.vc.VC()["expirationDate"] = "2099-05-04T12:00:00Z" }, "exp is not what the VC says"},
		"VC: a date without zone":  {func(s *scene) { s.vc.VC()["expirationDate"] = "2032-05-04T12:00:00" }, "expirationDate is not a date"},
		"VC: a date no string":     {func(s *scene) { s.vc.VC()["issuanceDate"] = 1 }, "issuanceDate is not a date"},
		"VC: a date long ago":      {func(s *scene) { delete(s.vc.Claims, "nbf"); s.vc.VC()["issuanceDate"] = "1969-05-04T12:00:00Z" }, "issuanceDate is not a date"},
		"VC: iat no number":        {func(s *scene) { s.vc.Claims["iat"] = "1" }, "iat is not a NumericDate"},
		"VC: nbf no number":        {func(s *scene) { s.vc.Claims["nbf"] = "1" }, "nbf is not a NumericDate"},
		"VC: exp no number":        {func(s *scene) { s.vc.Claims["exp"] = nil }, "exp is not a NumericDate"},
		"VC: status a list":        {func(s *scene) { s.vc.VC()["credentialStatus"] = []any{map[string]any{"type": "StatusList2021Entry"}} }, "credentialStatus is not an object with a type"},
		"VC: status null":          {func(s *scene) { s.vc.VC()["credentialStatus"] = nil }, "credentialStatus is not an object with a type"},
		"VC: status without type":  {func(s *scene) { s.vc.VC()["credentialStatus"] = map[string]any{"id": "urn:1"} }, "credentialStatus is not an object with a type"},
		"VC: two status":           {func(s *scene) { s.vc.VC()["status"], s.vc.Claims["status"] = map[string]any{}, map[string]any{} }, "status stands twice"},
		"VC: deep":                 {func(s *scene) { s.vc.VC()["pad"] = deep(20) }, "not strict JSON: nested too deep"},
	} {
		s := newScene(t, "ES256K")
		row.change(s)
		parsed, err := s.parse(t)
		if !errors.Is(err, jwtvc.ErrMalformed) || !strings.Contains(err.Error(), row.why) || parsed != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "Lovelace") || strings.Contains(err.Error(), "did:")) {
			t.Errorf("%s: the error says who: %v", name, err)
		}
	}
}

func deep(levels int) any {
	value := any("x")
	for range levels {
		value = []any{value}
	}
	return value
}

// TestParseRefusesNamesThatRepeat writes a name twice, in the header and in the payload of each JWT.
func TestParseRefusesNamesThatRepeat(t *testing.T) {
	s := newScene(t, "ES256")
	for _, jwt := range []*verifiertest.JWT{s.vc, s.vp} {
		header, claims := string(verifiertest.JSON(t, map[string]any{"alg": "ES256", "kid": jwt.Header["kid"]})), string(verifiertest.JSON(t, jwt.Claims))
		for name, text := range map[string][2]string{
			"header":  {strings.Replace(header, `"alg":`, `"alg":"none","alg":`, 1), claims},
			"payload": {header, strings.Replace(claims, `"iss":`, `"iss":"did:web:other.example","iss":`, 1)},
			"inside":  {header, strings.Replace(claims, `"@context":`, `"@context":[],"@context":`, 1)},
		} {
			signed := jwt.Signer.SignRaw(t, []byte(text[0]), []byte(text[1]))
			if jwt == s.vc {
				signed = verifiertest.NewVP(s.holder, s.now, signed).Sign(t)
			}
			if _, err := jwtvc.ParseInsecure(signed, 0); !errors.Is(err, jwtvc.ErrMalformed) || !strings.Contains(err.Error(), "a name stands twice") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestParseTakes(t *testing.T) {
	for name, change := range map[string]func(s *scene){
		"no typ":             func(s *scene) { s.vc.Header["typ"], s.vp.Header["typ"] = nil, nil },
		"a type that is one": func(s *scene) { s.vp.VP()["type"] = "VerifiablePresentation" },
		"a holder":           func(s *scene) { s.vp.VP()["holder"] = s.holder.DID },
		"more contexts": func(s *scene) {
			s.vc.VC()["@context"] = []any{"https://www.w3.org/2018/credentials/v1", "https://a.example", map[string]any{}}
		},
		"everything twice": func(s *scene) {
			s.vc.VC()["issuer"], s.vc.VC()["id"], s.vc.Subject()["id"] = s.issuer.DID, s.vc.Claims["jti"], s.holder.DID
			s.vc.VC()["issuanceDate"], s.vc.VC()["expirationDate"] = "2031-05-04T12:00:00.5Z", "2032-05-04T14:00:00+02:00"
		},
	} {
		s := newScene(t, "EdDSA")
		change(s)
		parsed, err := s.parse(t)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := parsed.VerifyHolder(t.Context(), newResolver(t, offline{}), s.binding()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := parsed.VerifyIssuer(t.Context(), newResolver(t, offline{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParsedRedactsItself(t *testing.T) {
	s := newScene(t, "ES256K")
	parsed, err := s.parse(t)
	if err != nil {
		t.Fatal(err)
	}
	holder, err := parsed.VerifyHolder(t.Context(), newResolver(t, offline{}), s.binding())
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal([]any{parsed, parsed.Credential, holder})
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%v %+v %#v %s %q %v %+v %v %#v", parsed, parsed, parsed, parsed, parsed, parsed.Credential, holder, holder, &holder) +
		string(encoded) + parsed.LogValue().String() + holder.LogValue().String()
	if each := fmt.Sprint(parsed, parsed.Credential, holder); each != "jwt-vc[redacted] jwt-vc[redacted] holder[redacted]" {
		t.Errorf("printed as %s", each)
	}
	if strings.Contains(text, "Lovelace") || strings.Contains(text, "did:ion") || strings.Contains(text, "did:jwk") || !strings.Contains(text, "redacted") {
		t.Errorf("got %s", text)
	}
}
