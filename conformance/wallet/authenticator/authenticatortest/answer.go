package authenticatortest

import (
	"encoding/json"
	"net/url"
)

// Answer is what a wallet posted, taken apart.
type Answer struct {
	Form          url.Values
	IDToken       Shown
	Presentations []Shown
}

// Last takes the last answer apart.
func (v *Verifier) Last() Answer {
	v.T.Helper()
	if len(v.Posts) == 0 {
		v.T.Fatal("nothing was posted")
	}
	a := Answer{Form: v.Posts[len(v.Posts)-1]}
	if token := a.Form.Get("id_token"); token != "" {
		a.IDToken = Read(v.T, token)
	}
	for _, text := range presentations(a.Form["vp_token"]) {
		a.Presentations = append(a.Presentations, Read(v.T, text))
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
