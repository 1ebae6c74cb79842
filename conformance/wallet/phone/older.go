package phone

import (
	"context"
	"net/url"
	"strings"
	"unicode"

	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator"
)

// older is a request of the JWT VC Presentation Profile, which the authenticator answers and not
// the wallet. Everything else about a task is the same for both.
type older struct{ request *authenticator.Request }

// isOlder reports whether a link is of the profile: it has no client_id, which OpenID4VP 1.0 §5
// requires.
func isOlder(query url.Values) bool { return query.Has("request_uri") && !query.Has("client_id") }

// review has the request understood by the one that it is for.
func review(v visit, link string, query url.Values, flow wallet.Flow) (*task, error) {
	if !isOlder(query) {
		review := v.h.wallet.Review
		if flow == wallet.CrossDevice {
			review = v.h.wallet.Scan
		}
		request, err := review(v.r.Context(), link)
		return &task{request: request}, err
	}
	review := v.h.authenticator.Review
	if flow == wallet.CrossDevice {
		review = v.h.authenticator.Scan
	}
	request, err := review(v.r.Context(), link)
	if err != nil {
		return nil, err
	}
	return &task{request: outline(request), older: &older{request}}, nil
}

// outline is what a page shows of every request alike.
func outline(r *authenticator.Request) *wallet.Request {
	shown := &wallet.Request{
		Verifier: r.Verifier, Authenticated: true, Host: r.Host, Purpose: r.Purpose, Flow: r.Flow, Expires: r.Expires, Missing: r.Missing,
	}
	for _, s := range r.Shares {
		shown.Shares = append(shown.Shares, wallet.Share{
			Query: s.Descriptor, Type: s.Type, FaceCheck: s.FaceCheck, Credential: wallet.Credential{ID: s.Credential.ID, Name: s.Credential.Name},
		})
	}
	return shown
}

func (t *task) takeFaceCheck(ctx context.Context, h *handset, credentialID string) error {
	if t.older != nil {
		return h.authenticator.FaceCheck(ctx, credentialID)
	}
	return h.wallet.FaceCheck(ctx, credentialID)
}

func (t *task) share(ctx context.Context, h *handset) (string, error) {
	if t.older != nil {
		return h.authenticator.Share(ctx, t.older.request, authenticator.ShareOptions{})
	}
	return h.wallet.Share(ctx, t.request, wallet.ShareOptions{})
}

// decline says no. The profile has no words for it: the verifier waits until its time is over.
func (t *task) decline(ctx context.Context, h *handset) (string, error) {
	if t.older != nil {
		return "", nil
	}
	return h.wallet.Decline(ctx, t.request)
}

// shares shows what an answer would hold: all of a credential, for nothing in it can be held back.
func (o *older) shares() []shareView {
	var all []shareView
	for _, s := range o.request.Shares {
		shown := shareView{Title: s.Credential.Name, Holder: fullName(s.Credential), FaceCheck: s.FaceCheck}
		if s.FaceCheck {
			shown.Title = "Face Check"
			all = append(all, shown)
			continue
		}
		for _, name := range s.Credential.ClaimNames() {
			c := claimView{Label: words(name)}
			if name == "portrait" || name == "photo" {
				c.Label = "Your portrait"
			} else {
				c.Value = s.Credential.Claim(name)
			}
			shown.Claims = append(shown.Claims, c)
		}
		all = append(all, shown)
	}
	return all
}

// words turns documentType into Document type.
func words(name string) string {
	var out strings.Builder
	for i, r := range name {
		switch {
		case i == 0:
			out.WriteRune(unicode.ToUpper(r))
		case unicode.IsUpper(r):
			out.WriteByte(' ')
			out.WriteRune(unicode.ToLower(r))
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// fullName knows the names of VerifiedIdentity and of VerifiedEmployee.
func fullName(c authenticator.Credential) string {
	if name := strings.TrimSpace(c.Claim("firstName") + " " + c.Claim("lastName")); name != "" {
		return name
	}
	return strings.TrimSpace(c.Claim("givenName") + " " + c.Claim("surname"))
}

func olderCards(w *authenticator.Wallet) []card {
	var shown []card
	for _, c := range w.Credentials() {
		next := card{ID: c.ID, Name: c.Name, Issuer: c.IssuerName(), Holder: fullName(c), Portrait: c.Portrait() != nil}
		if !c.Expires.IsZero() {
			next.Expires = c.Expires.UTC().Format("2 January 2006")
		}
		shown = append(shown, next)
	}
	return shown
}
