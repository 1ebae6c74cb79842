package provider

import (
	"maps"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"regain/provider/oauth"
)

// field is one parameter of a form-posted response.
type field struct{ Name, Value string }

// respond sends the browser to the client with an authorization response: by a navigation that repeats no form (RFC 9700
// §4.12), or by a form that submits itself (OAuth 2.0 Form Post Response Mode §2).
func (p *Provider) respond(c *gin.Context, r oauth.Response) {
	if !r.Mode.Posted() {
		location, err := r.Location()
		if err != nil {
			p.failPage(c, err)
			return
		}
		p.leave(c, location)
		return
	}
	secureHeaders(c)
	c.Header("Referrer-Policy", "no-referrer")
	setPolicy(c) // the form's one address is the client's, and where that redirects to is not for us to say
	v := view{Title: "Going back", Action: r.RedirectURI}
	for _, name := range slices.Sorted(maps.Keys(r.Parameters)) {
		v.Fields = append(v.Fields, field{name, r.Parameters.Get(name)})
	}
	p.render(c, http.StatusOK, "formpost", v)
}
