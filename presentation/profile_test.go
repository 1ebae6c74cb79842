package presentation_test

import (
	"encoding/json"
	"strings"
	"testing"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/presentation/identity"
)

// haip is the profile that HAIP 1.0 wants, with everything that it allows.
func haip(t fatal) presentation.Profile {
	t.Helper()
	p := inBrowser(newProfile(t), presentation.MultiSigned, presentation.Signed, presentation.Unsigned)
	p.HAIP, p.Endpoint = true, "haip-vp://authorize"
	p.Others = []presentation.Signer{{Identity: newProfile(t).Identity, VerifierInfo: json.RawMessage(`[{"format":"jwt","data":"x"}]`)}}
	return p
}

func TestProfilesThatWork(t *testing.T) {
	registered, err := identity.PreRegistered("regain", "", nil)
	must(t, registered, err)
	for name, p := range map[string]presentation.Profile{
		"HAIP":                    haip(t),
		"x509_san_dns":            {Endpoint: "openid4vp://authorize", Identity: bySAN(t).who, ResponseMode: presentation.DirectPost},
		"a DID, by value":         {Endpoint: "openid4vp://authorize", Identity: byDID(t).who, ByValue: true, ResponseMode: presentation.DirectPostJWT},
		"redirect_uri":            plainProfile(),
		"redirect_uri, encrypted": {Endpoint: "openid4vp://authorize", Identity: identity.RedirectURI(), ByValue: true, ResponseMode: presentation.DirectPostJWT},
		"redirect_uri, browser":   inBrowser(plainProfile(), presentation.Unsigned),
		"registered, signed":      {Endpoint: "https://wallet.example/", Identity: byRegistration(t).who, ResponseMode: presentation.DirectPost, FetchByGet: true},
		"registered, unsigned":    {Endpoint: "https://wallet.example/", Identity: registered, ByValue: true, ResponseMode: presentation.DirectPost},
	} {
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each row starts from a profile that works and changes one thing.
func TestProfilesThatCannotWork(t *testing.T) {
	registered, err := identity.PreRegistered("regain", "", nil)
	must(t, registered, err)
	signer := func(k known) []presentation.Signer { return []presentation.Signer{{Identity: k.who}} }
	for name, row := range map[string]struct {
		change func(p *presentation.Profile)
		says   string
	}{
		"nobody asks":             {func(p *presentation.Profile) { p.Identity = nil }, "client_id_prefix"},
		"no response mode":        {func(p *presentation.Profile) { p.ResponseMode = "" }, "response_mode"},
		"a browser's mode":        {func(p *presentation.Profile) { p.ResponseMode = presentation.BrowserJWT }, "response_mode"},
		"fragment":                {func(p *presentation.Profile) { p.ResponseMode = "fragment" }, "response_mode"},
		"no endpoint":             {func(p *presentation.Profile) { p.Endpoint = "" }, "authorization_endpoint"},
		"redirect_uri is fetched": {func(p *presentation.Profile) { p.Identity = identity.RedirectURI() }, "by_value"},
		"no signature is fetched": {func(p *presentation.Profile) { p.Identity, p.ResponseMode = registered, presentation.DirectPost }, "by_value"},
		"registered, encrypted":   {func(p *presentation.Profile) { p.Identity = byRegistration(t).who }, "response_mode"},
		"a protocol twice": {func(p *presentation.Profile) {
			p.Protocols = []presentation.Protocol{presentation.Signed, presentation.Signed}
		}, "stands twice"},
		"a protocol of a draft":  {func(p *presentation.Profile) { p.Protocols = []presentation.Protocol{"openid4vp"} }, "is not one of"},
		"signed by nobody":       {func(p *presentation.Profile) { *p = inBrowser(plainProfile(), presentation.Signed) }, "signs"},
		"multi-signed by nobody": {func(p *presentation.Profile) { *p = inBrowser(plainProfile(), presentation.MultiSigned) }, "signs"},
		"others, not offered":    {func(p *presentation.Profile) { p.Others = signer(byDID(t)) }, "not offered"},
		"others, nobody":         {func(p *presentation.Profile) { *p, p.Others = multi(*p), []presentation.Signer{{}} }, "signs"},
		"others, without a key":  {func(p *presentation.Profile) { *p, p.Others = multi(*p), signer(known{who: registered}) }, "signs"},
		"others, registered":     {func(p *presentation.Profile) { *p, p.Others = multi(*p), signer(byRegistration(t)) }, "pre-registered"},
		"others, ourselves":      {func(p *presentation.Profile) { *p, p.Others = multi(*p), signer(known{who: p.Identity}) }, "twice"},
		"others, one twice":      {func(p *presentation.Profile) { *p, p.Others = multi(*p), append(signer(byDID(t)), signer(byDID(t))...) }, "twice"},
		"others, bad info": {func(p *presentation.Profile) {
			*p = multi(*p)
			p.Others = signer(byDID(t))
			p.Others[0].VerifierInfo = []byte(`[]`)
		}, "verifier_info"},
		"registered, among them": {func(p *presentation.Profile) {
			*p = multi(*p)
			p.Identity, p.ResponseMode = byRegistration(t).who, presentation.DirectPost
		}, "pre-registered"},
		"HAIP, x509_san_dns": {func(p *presentation.Profile) { p.HAIP, p.Identity = true, bySAN(t).who }, "HAIP 1.0 §5"},
		"HAIP, a DID":        {func(p *presentation.Profile) { p.HAIP, p.Identity = true, byDID(t).who }, "HAIP 1.0 §5"},
		"HAIP, redirect_uri": {func(p *presentation.Profile) { *p = plainProfile(); p.HAIP = true }, "HAIP 1.0 §5"},
		"HAIP, in the clear": {func(p *presentation.Profile) { p.HAIP, p.ResponseMode = true, presentation.DirectPost }, "HAIP 1.0 §5.1"},
		"HAIP, by value":     {func(p *presentation.Profile) { p.HAIP, p.ByValue = true, true }, "HAIP 1.0 §5.1"},
		"HAIP, openid-vc":    {func(p *presentation.Profile) { p.HAIP, p.Endpoint = true, "openid-vc://" }, "another protocol"},
		"HAIP, others":       {func(p *presentation.Profile) { *p = multi(*p); p.HAIP, p.Others = true, signer(byDID(t)) }, "HAIP 1.0 §5"},
	} {
		p := newProfile(t)
		row.change(&p)
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", name, err, row.says)
		}
		if _, err := p.NewRequest(presentation.RequestParams{}, nil, noon); err == nil {
			t.Errorf("%s: a request was made", name)
		}
	}
}

func multi(p presentation.Profile) presentation.Profile {
	return inBrowser(p, presentation.MultiSigned)
}

func TestVerifierInfo(t *testing.T) {
	p, query := newProfile(t), recoveryQuery(t)
	for info, says := range map[string]string{
		`[{"format":"jwt","data":"eyJ…"}]`: "",
		` [ {"format":"registrar_dataset","data":{"name":"x"},"credential_ids":["verified_id"]} ]` + "\n":       "",
		`[{"format":"jwt","data":"x","credential_ids":["verified_id","face_check"]},{"format":"y","data":"z"}]`: "",

		``: "strict JSON", `null`: "no array", `{}`: "no array", `"x"`: "no array", `[]`: "empty", `[1]`: "[0]", `[{}]`: "[0]", `[{"format":"jwt"}]`: "[0]",
		`[{"data":"x"}]`: "[0]", `[{"format":"","data":"x"}]`: "[0]", `[{"format":"jwt","data":""}]`: "[0]", `[{"format":"jwt","data":null}]`: "[0]",
		`[{"format":"jwt","data":7}]`: "[0]", `[{"format":"jwt","data":["x"]}]`: "[0]", `[{"Format":"jwt","Data":"x"}]`: "[0]", `[{"format":"jwt","data":"x"},7]`: "[1]",
		`[{"format":"jwt","data":"x","data":"y"}]`: "twice", `[{"format":"jwt","data":"x"}] x`: "strict JSON",
		`[{"format":"jwt","data":"x","credential_ids":[]}]`: "credential_ids", `[{"format":"jwt","data":"x","credential_ids":"verified_id"}]`: "credential_ids",
		`[{"format":"jwt","data":"x","credential_ids":[7]}]`: "credential_ids", `[{"format":"jwt","data":"x","credential_ids":["passport"]}]`: "does not ask for",
	} {
		p.VerifierInfo = json.RawMessage(info)
		err := p.Validate()
		if err == nil {
			err = p.ValidateQuery(query)
		}
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", info, err, says)
		}
	}
}

// HAIP 1.0 §5.3 and §6.1.1.1: two formats, and always a holder.
func TestHAIPQueries(t *testing.T) {
	unbound := false
	claims := []dcql.Claim{{Path: dcql.Path{dcql.Name("org.iso.18013.5.1"), dcql.Name("given_name")}}}
	for name, row := range map[string]struct {
		asked dcql.Credential
		says  string
	}{
		"an SD-JWT VC": {dcql.Credential{Format: dcql.FormatSDJWT, Meta: &dcql.Meta{VCTValues: []string{"x"}}}, ""},
		"an mdoc":      {dcql.Credential{Format: dcql.FormatMdoc, Meta: &dcql.Meta{DoctypeValue: "org.iso.18013.5.1.mDL"}, Claims: claims}, ""},
		"a JWT VC":     {dcql.Credential{Format: dcql.FormatJWTVC, Meta: &dcql.Meta{TypeValues: [][]string{{"x"}}}}, "HAIP 1.0 §5.3"},
		"an LDP VC":    {dcql.Credential{Format: dcql.FormatLDPVC, Meta: &dcql.Meta{TypeValues: [][]string{{"x"}}}}, "HAIP 1.0 §5.3"},
		"unbound":      {dcql.Credential{Format: dcql.FormatSDJWT, Meta: &dcql.Meta{VCTValues: []string{"x"}}, HolderBinding: &unbound}, "HAIP 1.0 §6.1.1.1"},
	} {
		row.asked.ID = "c"
		query := dcql.Query{Credentials: []dcql.Credential{row.asked}}
		if err := haip(t).ValidateQuery(query); (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", name, err, row.says)
		}
		if err := newProfile(t).ValidateQuery(query); err != nil {
			t.Errorf("%s, without HAIP: %v", name, err)
		}
	}
	if err := newProfile(t).ValidateQuery(dcql.Query{}); err == nil || !strings.Contains(err.Error(), "credentials has 0 entries") {
		t.Error("a query that asks for nothing was accepted")
	}
}
