package authenticator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/wallet"
	"regain/conformance/wallet/address"
	"regain/conformance/wallet/authenticator/exchange"
)

const (
	requestMediaType = "application/jwt"
	profileName      = "JWT-interop-profile-0.0.1" // what the Android library says that it prefers
	oldestRequest    = 24 * time.Hour
	maxDefinitions   = 8
)

// requestObject is the payload of the signed request (profile, Self-Issued OP Request Object).
type requestObject struct {
	ResponseType string   `json:"response_type"`
	ResponseMode string   `json:"response_mode"`
	Scope        string   `json:"scope"`
	ClientID     string   `json:"client_id"`
	RedirectURI  string   `json:"redirect_uri"`
	Nonce        string   `json:"nonce"`
	State        *string  `json:"state"`
	Prompt       string   `json:"prompt"`
	Audience     string   `json:"aud"`
	IssuedAt     *float64 `json:"iat"`
	NotBefore    *float64 `json:"nbf"`
	Expires      *float64 `json:"exp"`
	Claims       struct {
		VPToken json.RawMessage `json:"vp_token"`
	} `json:"claims"`
	Registration registration `json:"registration"`
}

// registration is what a verifier says about itself (profile, Verifier/RP Registration Metadata).
type registration struct {
	Name     string   `json:"client_name"`
	Purpose  string   `json:"client_purpose"`
	Subjects []string `json:"subject_syntax_types_supported"`
	Formats  struct {
		VP algorithms `json:"jwt_vp"`
		VC algorithms `json:"jwt_vc"`
	} `json:"vp_formats"`
}

type algorithms struct {
	Names []string `json:"alg"`
}

// fetchRequest gets the request object. The library sends no Accept and takes 404 for a request
// whose time is over.
func (w *Wallet) fetchRequest(ctx context.Context, l link) (string, error) {
	answer, err := w.agent.Get(ctx, l.requestURI, http.Header{"Prefer": {profileName}})
	var refused *wallet.ResponseError
	if errors.As(err, &refused) && refused.Status == http.StatusNotFound {
		return "", turnDown("invalid_request", "%w", wallet.ErrExpired)
	}
	if err != nil {
		return "", fmt.Errorf("fetching the request: %w", err)
	}
	if answer.MediaType != requestMediaType {
		return "", turnDown("invalid_request", "the request is not %s", requestMediaType)
	}
	return string(answer.Body), nil
}

// authenticate verifies that the request object is signed by a key of its client_id, a DID, which
// is all that says who asks.
func (w *Wallet) authenticate(ctx context.Context, compact string, l link) (requestObject, did.Document, error) {
	token, err := jose.Parse(compact)
	if err != nil {
		return requestObject{}, did.Document{}, turnDown("invalid_request", "authenticating it: %w", err)
	}
	signed, err := w.resolver.Verify(ctx, token)
	if err != nil {
		return requestObject{}, did.Document{}, turnDown("invalid_request", "authenticating it: %w", err)
	}
	var o requestObject
	if err := json.Unmarshal(signed.Payload, &o); err != nil {
		return requestObject{}, did.Document{}, turnDown("invalid_request", "its claims are not the JSON expected")
	}
	if o.ClientID != signed.DID {
		return requestObject{}, did.Document{}, turnDown("invalid_request", "the DID in its kid is not its client_id")
	}
	if l.clientID != "" && l.clientID != o.ClientID {
		return requestObject{}, did.Document{}, turnDown("invalid_request", "client_id inside is not the one outside")
	}
	return o, signed.Document, nil
}

// check holds the request against the rules that need nothing but the request and the time.
func (o requestObject) check(now time.Time) error {
	switch {
	case o.ResponseType != "id_token":
		return turnDown("invalid_request", "response_type is not id_token")
	case o.ResponseMode != "post":
		return turnDown("invalid_request", "response_mode is not post")
	case o.Scope != "openid":
		return turnDown("invalid_scope", "scope is not openid")
	case o.Prompt == "create":
		return turnDown("invalid_request", "it offers a credential, and this wallet gets them elsewhere")
	case o.Nonce == "":
		return turnDown("invalid_request", "nonce is missing")
	case o.State == nil: // the Android library's form encoder fails without one
		return turnDown("invalid_request", "state is missing")
	}
	if err := address.CheckEndpoint(o.RedirectURI); err != nil {
		return turnDown("invalid_request", "redirect_uri: %w", err)
	}
	return o.checkTimes(now)
}

func (o requestObject) checkTimes(now time.Time) error {
	if o.Expires == nil {
		return turnDown("invalid_request", "exp is missing")
	}
	if !now.Before(unix(*o.Expires)) || o.IssuedAt != nil && unix(*o.IssuedAt).Before(now.Add(-oldestRequest)) {
		return turnDown("invalid_request", "%w", wallet.ErrExpired)
	}
	for _, t := range []*float64{o.IssuedAt, o.NotBefore} {
		if t != nil && unix(*t).After(now.Add(clockSkew)) {
			return turnDown("invalid_request", "iat or nbf lies in the future")
		}
	}
	return nil
}

// check makes sure that the verifier takes what wallets of this kind send: the Android library
// insists on did:ion and ES256K whatever it holds itself, and the holder's own must be among them.
func (r registration) check(holder did.Identity, method did.Method) error {
	for _, want := range []did.Method{did.ION, method} {
		if !slices.Contains(r.Subjects, string(want)) {
			return turnDown("subject_syntax_types_not_supported", "subject_syntax_types_supported lacks %s", want)
		}
	}
	for _, want := range []string{jose.ES256K, holder.Algorithm()} {
		if !slices.Contains(r.Formats.VP.Names, want) {
			return turnDown("vp_formats_not_supported", "vp_formats.jwt_vp.alg lacks %s", want)
		}
	}
	if !slices.Contains(r.Formats.VC.Names, jose.ES256K) {
		return turnDown("vp_formats_not_supported", "vp_formats.jwt_vc.alg lacks %s", jose.ES256K)
	}
	return nil
}

// definitions reads claims.vp_token: an object, or an array when each definition wants a
// presentation of its own.
func (o requestObject) definitions() ([]exchange.Definition, error) {
	type token struct {
		Definition json.RawMessage `json:"presentation_definition"`
	}
	var several []token
	if err := json.Unmarshal(o.Claims.VPToken, &several); err != nil {
		several = make([]token, 1)
		if err := json.Unmarshal(o.Claims.VPToken, &several[0]); err != nil {
			return nil, turnDown("invalid_request", "claims.vp_token is neither an object nor an array of them")
		}
	}
	if len(several) == 0 || len(several) > maxDefinitions {
		return nil, turnDown("invalid_request", "claims.vp_token holds no presentation definition, or too many")
	}
	var all []exchange.Definition
	seen := map[string]bool{}
	for _, t := range several {
		d, err := exchange.Parse(t.Definition)
		if err != nil {
			return nil, turnDown("invalid_request", "%w", err)
		}
		for _, descriptor := range d.Descriptors {
			if seen[descriptor.ID] { // the library finds the definition by it
				return nil, turnDown("invalid_request", "two input descriptors have one id")
			}
			seen[descriptor.ID] = true
		}
		all = append(all, d)
	}
	return all, nil
}
