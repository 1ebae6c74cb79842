// Package visitor walks through the main IdP's pages as a person with a passkey authenticator would.
package visitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/descope/virtualwebauthn"

	"regain/conformance/browser"
)

// Visitor is a person at one browser, with one authenticator.
type Visitor struct {
	Browser *browser.Browser

	idp           *url.URL
	authenticator virtualwebauthn.Authenticator
}

// New opens a visitor for the IdP at base.
func New(b *browser.Browser, base string) (*Visitor, error) {
	u, err := url.Parse(base)
	if err != nil || b == nil {
		return nil, errors.New("visitor: a browser and the IdP's URL are required")
	}
	return &Visitor{Browser: b, idp: u, authenticator: virtualwebauthn.NewAuthenticator()}, nil
}

// Recover goes from the sign-in page by "Other ways to sign in" and "Recover your account" to Regain's first page.
func (v *Visitor) Recover(ctx context.Context, account string) (*browser.Page, error) {
	page, err := v.Browser.Open(ctx, v.idp.String()+"/")
	if err != nil {
		return nil, err
	}
	for _, step := range []struct {
		id     string
		change url.Values
	}{{"other-ways", url.Values{"account": {account}}}, {"recover", nil}} {
		form, ok := page.Form(step.id)
		if !ok {
			return nil, fmt.Errorf("page %q has no form %s", page.Title, step.id)
		}
		if page, err = v.Browser.Submit(ctx, form, step.change); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// SignInWithPass sends the pass that the page after a recovery holds, and returns the page that asks for a passkey.
func (v *Visitor) SignInWithPass(ctx context.Context, page *browser.Page) (*browser.Page, error) {
	if !page.Has("recovered") {
		return nil, fmt.Errorf("page %q says %q, not that the account was recovered", page.Title, page.Text())
	}
	form, ok := page.Form("pass-sign-in")
	if !ok {
		return nil, errors.New("the page has no form for the pass")
	}
	next, err := v.Browser.Submit(ctx, form, nil)
	if err != nil {
		return nil, err
	}
	if !next.Has("create-passkey") {
		return nil, fmt.Errorf("page %q says %q, not that a passkey can be created", next.Title, next.Text())
	}
	return next, nil
}

// CreatePasskey creates a passkey in the visitor's authenticator.
func (v *Visitor) CreatePasskey(ctx context.Context) (*browser.Page, error) {
	options, err := v.post(ctx, "/passkey/register/begin", []byte("{}"))
	if err != nil {
		return nil, err
	}
	parsed, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		return nil, fmt.Errorf("read creation options: %w", err)
	}
	v.authenticator.Options.UserHandle = []byte(parsed.UserID)
	credential := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	if err := v.finish(ctx, "/passkey/register/finish", virtualwebauthn.CreateAttestationResponse(v.relyingParty(), v.authenticator, credential, *parsed)); err != nil {
		return nil, err
	}
	v.authenticator.AddCredential(credential)
	return v.Browser.Open(ctx, v.idp.String()+"/passkey/created")
}

// SignInWithPasskey signs in with the passkey and returns the page behind it.
func (v *Visitor) SignInWithPasskey(ctx context.Context) (*browser.Page, error) {
	if len(v.authenticator.Credentials) == 0 {
		return nil, errors.New("the authenticator has no passkey")
	}
	// A fetch needs a page of the IdP to come from.
	if _, err := v.Browser.Open(ctx, v.idp.String()+"/"); err != nil {
		return nil, err
	}
	options, err := v.post(ctx, "/passkey/sign-in/begin", []byte("{}"))
	if err != nil {
		return nil, err
	}
	parsed, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		return nil, fmt.Errorf("read request options: %w", err)
	}
	response := virtualwebauthn.CreateAssertionResponse(v.relyingParty(), v.authenticator, v.authenticator.Credentials[0], *parsed)
	if err := v.finish(ctx, "/passkey/sign-in/finish", response); err != nil {
		return nil, err
	}
	page, err := v.Browser.Open(ctx, v.idp.String()+"/home")
	if err == nil && !page.Has("signed-in") {
		err = fmt.Errorf("page %q says %q, not that somebody is signed in", page.Title, page.Text())
	}
	return page, err
}

func (v *Visitor) relyingParty() virtualwebauthn.RelyingParty {
	return virtualwebauthn.RelyingParty{Name: "Example Organisation", ID: v.idp.Hostname(), Origin: v.idp.Scheme + "://" + v.idp.Host}
}

func (v *Visitor) post(ctx context.Context, path string, body []byte) ([]byte, error) {
	page, err := v.Browser.Fetch(ctx, browser.Request{Method: http.MethodPost, Address: v.idp.String() + path, ContentType: "application/json", Body: body})
	if err != nil {
		return nil, err
	}
	if page.Status != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d: %s", path, page.Status, page.Body)
	}
	return page.Body, nil
}

func (v *Visitor) finish(ctx context.Context, path, response string) error {
	body, err := v.post(ctx, path, []byte(response))
	if err != nil {
		return err
	}
	var answer struct {
		Next string `json:"next"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Next == "" {
		return fmt.Errorf("%s: the answer names no next page", path)
	}
	return nil
}
