// Package visitor walks through the main IdP's pages as a person with a passkey authenticator would: it presses what
// the pages show, and does for passkeys what a browser and the page's script do. The authenticator is
// descope/virtualwebauthn, which makes real keys and signatures.
package visitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"regain/conformance/browser"
)

// ErrPage reports a page that is not the one a step leads to. The page is returned beside it.
var ErrPage = errors.New("not the page that was expected")

// ErrPasskey reports that the IdP refused a passkey.
var ErrPasskey = errors.New("the IdP refused the passkey")

// Visitor is a person at one browser, with one authenticator.
type Visitor struct {
	Browser *browser.Browser

	idp           *url.URL
	authenticator *authenticator
}

// New opens a visitor for the IdP whose base URL is given. The authenticator has no passkeys.
func New(b *browser.Browser, base string) (*Visitor, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || b == nil {
		return nil, errors.New("visitor: a browser and the IdP's URL are required")
	}
	return &Visitor{Browser: b, idp: u, authenticator: newAuthenticator()}, nil
}

// With returns a visitor with the same authenticator at another browser, as a person with a security key is.
func (v *Visitor) With(b *browser.Browser) *Visitor {
	other := *v
	other.Browser = b
	return &other
}

// SignInPage opens the IdP.
func (v *Visitor) SignInPage(ctx context.Context) (*browser.Page, error) {
	return v.open(ctx, "/", "passkey-sign-in")
}

// Recover goes from the sign-in page by "Other ways to sign in" and "Recover your account" to Regain's first page.
func (v *Visitor) Recover(ctx context.Context, account string) (*browser.Page, error) {
	page, err := v.SignInPage(ctx)
	if err != nil {
		return page, err
	}
	link, ok := page.Link("other-ways")
	if !ok {
		return page, missing(page, "other-ways")
	}
	if page, err = v.Browser.Follow(ctx, link); err != nil {
		return nil, err
	}
	form, ok := page.Form("recover")
	if !ok {
		return page, missing(page, "recover")
	}
	if page, err = v.Browser.Submit(ctx, form, url.Values{"account": {account}}); err != nil {
		return nil, err
	}
	if page.Status != 0 && page.URL.Host == v.idp.Host {
		return page, fmt.Errorf("recover %s: %w: %q: %s", account, ErrPage, page.Title, page.Text())
	}
	return page, nil
}

// SignInWithPass presses "Sign in with the pass" on the page after a recovery, and returns the page that asks for a
// passkey.
func (v *Visitor) SignInWithPass(ctx context.Context, page *browser.Page) (*browser.Page, error) {
	if !page.Has("recovered") {
		return page, missing(page, "recovered")
	}
	return v.submitPass(ctx, page, nil)
}

// UsePass types an account name and a pass at "Use a Temporary Access Pass".
func (v *Visitor) UsePass(ctx context.Context, account, pass string) (*browser.Page, error) {
	page, err := v.open(ctx, "/pass", "pass-sign-in")
	if err != nil {
		return page, err
	}
	return v.submitPass(ctx, page, url.Values{"account": {account}, "pass": {pass}})
}

func (v *Visitor) submitPass(ctx context.Context, page *browser.Page, change url.Values) (*browser.Page, error) {
	form, ok := page.Form("pass-sign-in")
	if !ok {
		return page, missing(page, "pass-sign-in")
	}
	next, err := v.Browser.Submit(ctx, form, change)
	if err != nil {
		return nil, err
	}
	return next, want(next, "create-passkey")
}

// CreatePasskey presses "Create a passkey" and makes one in the authenticator.
func (v *Visitor) CreatePasskey(ctx context.Context) (*browser.Page, error) {
	page, err := v.open(ctx, "/passkey/new", "create-passkey")
	if err != nil {
		return page, err
	}
	ceremony, err := v.begin(ctx, page, "create-passkey", struct{}{})
	if err != nil {
		return page, err
	}
	response, keep, err := v.authenticator.create(page.URL, ceremony.options)
	if err != nil {
		return page, err
	}
	next, err := v.finish(ctx, ceremony, response)
	if err != nil {
		return page, err
	}
	keep()
	return v.follow(ctx, next, "passkey-created")
}

// SignInWithPasskey signs in without naming an account: the passkey says whose it is.
func (v *Visitor) SignInWithPasskey(ctx context.Context) (*browser.Page, error) {
	return v.SignInAs(ctx, "")
}

// SignInAs types an account name and signs in with the newest passkey.
func (v *Visitor) SignInAs(ctx context.Context, account string) (*browser.Page, error) {
	page, err := v.SignInPage(ctx)
	if err != nil {
		return page, err
	}
	ceremony, err := v.begin(ctx, page, "passkey-sign-in", map[string]string{"account": account})
	if err != nil {
		return page, err
	}
	response, err := v.authenticator.get(page.URL, ceremony.options)
	if err != nil {
		return page, err
	}
	next, err := v.finish(ctx, ceremony, response)
	if err != nil {
		return page, err
	}
	return v.follow(ctx, next, "signed-in")
}

// ceremony is what the script of a page knows after its first request.
type ceremony struct{ options, finish string }

// begin does what the page's script does: it asks for the options at the address that the page names.
func (v *Visitor) begin(ctx context.Context, page *browser.Page, button string, body any) (ceremony, error) {
	form, ok := page.Form(button)
	if !ok || form.ID == "" {
		return ceremony{}, missing(page, button)
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return ceremony{}, fmt.Errorf("encode request: %w", err)
	}
	options, err := v.post(ctx, page.Attr(form.ID, "data-begin"), encoded)
	return ceremony{options: string(options), finish: page.Attr(form.ID, "data-finish")}, err
}

func (v *Visitor) finish(ctx context.Context, c ceremony, response string) (string, error) {
	body, err := v.post(ctx, c.finish, []byte(response))
	if err != nil {
		return "", err
	}
	var answer struct {
		Next string `json:"next"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Next == "" {
		return "", errors.New("the answer to the passkey names no next page")
	}
	return answer.Next, nil
}

// post sends JSON as a script of the page that is shown.
func (v *Visitor) post(ctx context.Context, address string, body []byte) ([]byte, error) {
	page, err := v.Browser.Fetch(ctx, browser.Request{Method: http.MethodPost, Address: address, ContentType: "application/json", Body: body})
	if err != nil {
		return nil, err
	}
	if page.Status != http.StatusOK {
		return nil, fmt.Errorf("%w: %s: status %d: %s", ErrPasskey, address, page.Status, page.Body)
	}
	return page.Body, nil
}

func (v *Visitor) open(ctx context.Context, path, id string) (*browser.Page, error) {
	page, err := v.Browser.Open(ctx, v.idp.String()+path)
	if err != nil {
		return nil, err
	}
	return page, want(page, id)
}

func (v *Visitor) follow(ctx context.Context, href, id string) (*browser.Page, error) {
	page, err := v.Browser.Follow(ctx, href)
	if err != nil {
		return nil, err
	}
	return page, want(page, id)
}

func want(page *browser.Page, id string) error {
	if page.Has(id) {
		return nil
	}
	return missing(page, id)
}

// missing tells what the page says instead. The IdP's pages say no secrets in their text.
func missing(page *browser.Page, id string) error {
	return fmt.Errorf("%w: status %d, %q has no %s: %s", ErrPage, page.Status, page.Title, id, page.Text())
}
