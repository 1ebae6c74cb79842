package authenticatortest

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"regain/conformance/jose"
	"regain/conformance/wallet/wallettest"
)

// Answer is what a wallet posted, taken apart.
type Answer struct {
	Form          url.Values
	IDToken       Shown
	Presentations []Shown
	Credentials   map[string]Shown // by input descriptor, where the submission says that they are
}

// Facts are what a verifier has to check of an answer (profile, Validation of Authorization
// Response). Each is true of a right answer.
type Facts struct {
	State, Complete bool // the state is that of the request; both tokens are there

	Issuer, IDNonce, IDAudience, IDTimes, IDSubject, IDSigned bool // of the ID token
	Nonce, Audience, Times, Holder, Signed                    bool // of every presentation

	SameHolder bool // the ID token and the presentations are by one DID
	Answered   bool // every input descriptor leads to a credential of its type
	Bound      bool // the credentials are about whoever presents them
	Genuine    bool // and signed by the issuer
}

// Right is how the facts of a right answer look.
func Right() Facts {
	return Facts{
		true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
	}
}

// Last takes the last answer apart.
func (v *Verifier) Last() Answer {
	v.T.Helper()
	if len(v.Posts) == 0 {
		v.T.Fatal("nothing was posted")
	}
	a := Answer{Form: v.Posts[len(v.Posts)-1], Credentials: map[string]Shown{}}
	if token := a.Form.Get("id_token"); token != "" {
		a.IDToken = Read(v.T, token)
	}
	for _, text := range presentations(a.Form["vp_token"]) {
		a.Presentations = append(a.Presentations, Read(v.T, text))
	}
	for _, s := range v.submissions(a) {
		for _, e := range s.Submission.Map {
			if vc, ok := a.lead(e, len(a.Presentations)); ok {
				a.Credentials[e.ID] = Read(v.T, vc)
			}
		}
	}
	return a
}

// presentations reads a form member that repeats, or holds a JSON array.
func presentations(members []string) []string {
	var list []string
	if len(members) == 1 && json.Unmarshal([]byte(members[0]), &list) == nil {
		return list
	}
	return members
}

type token struct {
	Submission struct {
		Definition string  `json:"definition_id"`
		Map        []entry `json:"descriptor_map"`
	} `json:"presentation_submission"`
}

type entry struct {
	ID, Format, Path string
	Nested           struct{ ID, Format, Path string } `json:"path_nested"`
}

func (v *Verifier) submissions(a Answer) []token {
	v.T.Helper()
	raw := []byte(wallettest.ToJSON(v.T, a.IDToken.Claims["_vp_token"]))
	var several []token
	if json.Unmarshal(raw, &several) == nil {
		return several
	}
	var one token
	wallettest.FromJSON(v.T, raw, &one)
	return []token{one}
}

// lead follows an entry of a descriptor map to a credential.
func (a Answer) lead(e entry, total int) (string, bool) {
	at := 0
	if total > 1 {
		at = index(e.Path, "$")
	} else if e.Path != "$" {
		return "", false
	}
	within := max(index(e.Nested.Path, "$.verifiableCredential"), index(e.Nested.Path, "$.vp.verifiableCredential"))
	if e.Format != "jwt_vp" || e.Nested.Format != "jwt_vc" || e.Nested.ID != e.ID || at < 0 || at >= total || within < 0 {
		return "", false
	}
	credentials := a.Presentations[at].credentials()
	if within >= len(credentials) {
		return "", false
	}
	return credentials[within], true
}

// index reads the 1 in $[1], and is negative when it is not there.
func index(path, before string) int {
	digits, ok := strings.CutPrefix(path, before+"[")
	n, err := strconv.Atoi(strings.TrimSuffix(digits, "]"))
	if !ok || err != nil || !strings.HasSuffix(digits, "]") {
		return -1
	}
	return n
}

// Judge checks the last answer. issuer is who issued every credential in it.
func (v *Verifier) Judge(issuer Party) Facts {
	v.T.Helper()
	a := v.Last()
	f := Right()
	f.State = a.Form.Get("state") == v.State
	f.Complete = len(a.Form["id_token"]) == 1 && len(a.Presentations) > 0
	if a.IDToken.Text != "" {
		f.Issuer = a.IDToken.text("iss") == "https://self-issued.me/v2/openid-vc"
		f.IDNonce, f.IDAudience = a.IDToken.text("nonce") == v.Nonce, a.IDToken.text("aud") == v.Signs.DID
		f.IDTimes = inTime(a.IDToken)
		f.IDSubject, f.IDSigned = v.byHolder(a.IDToken, "sub")
		f.Answered = v.answered(a)
	}
	for _, vp := range a.Presentations {
		f.Nonce, f.Audience = f.Nonce && vp.text("nonce") == v.Nonce, f.Audience && vp.text("aud") == v.Signs.DID
		f.Times = f.Times && inTime(vp)
		holder, signed := v.byHolder(vp, "iss")
		f.Holder, f.Signed = f.Holder && holder, f.Signed && signed
		f.SameHolder = f.SameHolder && (a.IDToken.Text == "" || vp.text("iss") == a.IDToken.text("sub"))
		for _, text := range vp.credentials() {
			vc := Read(v.T, text)
			f.Bound = f.Bound && vc.text("sub") == vp.text("iss")
			f.Genuine = f.Genuine && vc.text("iss") == issuer.DID && jose.IsSignedBy(text, issuer.key.Public())
		}
	}
	return f
}

func inTime(s Shown) bool {
	now := float64(wallettest.Noon().Unix())
	issued, _ := s.Claims["iat"].(float64)
	expires, _ := s.Claims["exp"].(float64)
	return issued == now && expires > now
}

// byHolder reports whether the DID in kid is the one in the claim self, and whether its key signed.
func (v *Verifier) byHolder(s Shown, self string) (same, signed bool) {
	did, name := s.KID(self)
	key := HolderKey(v.T, did, name)
	return did == s.text(self), key != nil && jose.IsSignedBy(s.Text, key)
}

// answered reports whether there is an answer to every input descriptor of every definition.
func (v *Verifier) answered(a Answer) bool {
	submissions := v.submissions(a)
	if len(submissions) != len(v.Tokens) {
		return false
	}
	for i, t := range v.Tokens {
		definition, _ := t.(map[string]any)["presentation_definition"].(map[string]any)
		if submissions[i].Submission.Definition != definition["id"] {
			return false
		}
		for _, d := range definition["input_descriptors"].([]any) {
			descriptor := d.(map[string]any)
			id, _ := descriptor["id"].(string)
			kind, _ := descriptor["name"].(string)
			if vc, ok := a.Credentials[id]; !ok || !slices.Contains(vc.types(), kind) {
				return false
			}
		}
	}
	return true
}

// types returns vc.type.
func (s Shown) types() []string {
	vc, _ := s.Claims["vc"].(map[string]any)
	list, _ := vc["type"].([]any)
	var types []string
	for _, item := range list {
		if text, ok := item.(string); ok {
			types = append(types, text)
		}
	}
	return types
}
