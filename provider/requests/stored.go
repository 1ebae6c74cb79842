package requests

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// URIPrefix is how the request URIs of this server begin (RFC 9126 §2.2).
const URIPrefix = "urn:ietf:params:oauth:request_uri:"

// Stored returns the request as it is stored: its form has nothing that follows from the rest of it. A request that waits in
// memory for the person is as small as it can be, since strangers open as many as they like.
func (a Authorization) Stored() Authorization {
	form := maps.Clone(a.Form)
	for name := range a.implied() {
		delete(form, name)
	}
	if short := (Authorization{ClientID: a.ClientID, RedirectURI: a.RedirectURI, Form: form}); maps.EqualFunc(short.Restored().Form, a.Form, slices.Equal) {
		a.Form = form
	}
	a.Pushed = strings.TrimPrefix(a.Pushed, URIPrefix)
	return a
}

// Restored is the inverse of Stored. Every form names the client, so one that does not was shortened.
func (a Authorization) Restored() Authorization {
	if a.Pushed != "" {
		a.Pushed = URIPrefix + a.Pushed
	}
	if a.Form.Has("client_id") {
		return a
	}
	form := a.implied()
	maps.Copy(form, a.Form)
	a.Form = form
	return a
}

// implied returns the parameters for the core that follow from the request: this is what clean accepts, and makes.
func (a Authorization) implied() url.Values {
	form := url.Values{"client_id": {a.ClientID}, "redirect_uri": {a.RedirectURI}, "response_type": {responseTypeCode}, "state": {placeholderState}}
	if a.Form.Has("code_challenge") {
		form.Set("code_challenge_method", challengeMethod)
	}
	return form
}
