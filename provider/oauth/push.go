package oauth

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"regain/provider/contract"
	"regain/provider/problem"
	"regain/provider/pushed"
	"regain/provider/requests"
)

// Pushed is the response of the PAR endpoint (RFC 9126 §2.2).
type Pushed struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int    `json:"expires_in"` // seconds
}

// Push handles a pushed authorization request (RFC 9126 §2.1): it authenticates the client and validates the whole
// request, so that mistakes appear in the back channel and not in the person's browser.
func (s *Server) Push(r *http.Request, form url.Values) (Pushed, error) {
	client, err := s.Authenticate(r, form)
	if err != nil {
		return Pushed{}, err
	}
	if requests.IsJSON(r) && client.Contract != contract.OktaIDV {
		return Pushed{}, problem.InvalidRequest("The body must be application/x-www-form-urlencoded.")
	}
	if form.Has("request_uri") {
		return Pushed{}, problem.InvalidRequest("request_uri cannot be pushed.")
	}
	a, err := s.read(r.Context(), client, form)
	if err != nil {
		return Pushed{}, asError(err)
	}
	if a.CodeKey, err = s.possession.PushedKey(r, client, a.CodeKey); err != nil {
		return Pushed{}, err
	}
	uri, err := s.pushed.Push(r.Context(), a)
	return Pushed{RequestURI: uri, ExpiresIn: int(pushed.Lifetime / time.Second)}, err
}

// Hold keeps a validated request while the person is asked for the account, and returns its request URI.
func (s *Server) Hold(ctx context.Context, a requests.Authorization) (uri string, err error) {
	return s.pushed.Hold(ctx, a)
}

// CountVisit counts a recovery that is about to be opened by a pushed request, and refuses it if that opened too many.
func (s *Server) CountVisit(ctx context.Context, a requests.Authorization) *problem.Error {
	return s.pushed.CountVisit(ctx, a)
}
