package provider

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/oauth"
	"regain/recovery"
)

//go:embed pages/*.html pages/static
var pageFiles embed.FS

// pages are the parsed templates. Every page works without scripts; the one script only saves the person a reload.
type pages struct {
	templates map[string]*template.Template
	files     http.Handler
}

func newPages() (*pages, error) {
	p := &pages{templates: make(map[string]*template.Template)}
	names, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		return nil, fmt.Errorf("list pages: %w", err)
	}
	for _, name := range names {
		base := name[len("pages/") : len(name)-len(".html")]
		if base == "layout" {
			continue
		}
		t, err := template.ParseFS(pageFiles, "pages/layout.html", name)
		if err != nil {
			return nil, fmt.Errorf("parse page: %w", err)
		}
		p.templates[base] = t
	}
	static, err := fs.Sub(pageFiles, "pages")
	if err != nil {
		return nil, fmt.Errorf("static files: %w", err)
	}
	p.files = http.FileServerFS(static)
	return p, nil
}

// static serves the style sheet and the script, with the headers of every page and a day in the cache.
func (p *pages) static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/static/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=86400")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		p.files.ServeHTTP(w, r)
	})
}

// shownPass is a pass on its way to the one page that shows it.
type shownPass struct {
	Value string
	Until string // with its time zone
	Once  bool
}

// view is everything a page may show. It holds no claim, no reason but the public one, and no pass but for deliver: screen.
type view struct {
	Title        string
	Problem      trouble
	Correlation  string
	Base         string // path of the transaction's page
	CSRF         string
	State        recovery.State
	Account      string // masked
	Organisation string
	PolicyURI    string // the client's, as is TermsURI; "" for none
	TermsURI     string
	Verifier     string // the proofing provider's name, "" for none
	MinutesLeft  int
	Mode         recovery.Mode
	Links        []link       // to wallets on this device
	Codes        []code       // QR codes for wallets on other devices; none when those are not allowed
	CodeSeconds  int          // how long a QR code can be scanned
	SameNetwork  bool         // the other device has to be in the same network
	Browser      []browserAsk // what the script may ask through the Digital Credentials API
	Agent        string       // the browser that started, at the other device; "" if not known
	Elsewhere    bool         // the other device is in another network
	MinutesAgo   int          // since when the recovery runs
	Opened       bool         // a wallet has fetched its request
	Answered     bool         // same device: the answer waits for the browser's return
	Confirm      bool         // cross device: the person must type the digits
	Unbound      bool         // the wallet does not come back: the person says that it was theirs
	Digits       string
	Mistake      string
	WalletError  string
	Denial       denial
	Live         bool   // the page follows the transaction by server-sent events
	Seen         string // what it shows, so that they can tell it when that is over
	SignIn       bool   // the client asks who somebody is, and for no pass
	ShowsPass    bool   // the person gets the pass here
	Returned     bool   // the browser was sent back to the client
	Pass         shownPass
	ClientID     string
	RequestURI   string
	Leave        template.URL // where the browser is sent on to
	Action       string       // where a form-posted response goes
	Fields       []field
}

// link calls a wallet on this device.
type link struct {
	Wallet string       // what people call it, "" for any
	URL    template.URL // made by package presentation, never from a request
}

// code is a QR code for a wallet on another device.
type code struct {
	Wallet string
	Name   recovery.WalletName
	Text   string
}

// browserAsk is a kind of wallet that the browser can ask for.
type browserAsk struct {
	Wallet string
	Name   recovery.WalletName
}

// render executes a page into a buffer first, so that a failure cannot leave half a page.
func (p *Provider) render(c *gin.Context, status int, page string, v view) {
	v.Correlation = correlationID(c)
	var buf bytes.Buffer
	if err := p.pages.templates[page].ExecuteTemplate(&buf, "layout", v); err != nil {
		noteError(c, fmt.Errorf("render %s: %w", page, err))
		c.String(http.StatusInternalServerError, "Something went wrong on our side. Reference: %s\n", v.Correlation)
		return
	}
	c.Header("Content-Length", strconv.Itoa(buf.Len())) // or net/http sends it in chunks
	c.Data(status, "text/html; charset=utf-8", buf.Bytes())
}

// pageFor is the one place that decides what a person sees next: from the stored state, and from nothing else.
func pageFor(s recovery.State) string {
	switch s {
	case recovery.StateStarted, recovery.StateInformed:
		return "information"
	case recovery.StateProofing:
		return "proofing"
	case recovery.StateRequested, recovery.StateRetrieved, recovery.StatePresented:
		return "presentation"
	case recovery.StateApproved, recovery.StateIssuing, recovery.StateRedeemed:
		return "done"
	case recovery.StateEvaluated:
		return "evaluated"
	case recovery.StateDenied:
		return "denied"
	case recovery.StateCancelled:
		return "cancelled"
	}
	return "expired"
}

func titleFor(page string) string {
	switch page {
	case "information":
		return "Recover your account"
	case "proofing":
		return "Get your Verified ID"
	case "presentation":
		return "Show your Verified ID"
	case "done":
		return "We confirmed it is you"
	case "evaluated":
		return "This was a trial run"
	case "denied":
		return "We could not confirm that this is your account"
	case "cancelled":
		return "You cancelled the recovery"
	}
	return "This recovery has expired"
}

// showTransaction renders the transaction's page, with a mistake of the person's to point out, if any.
func (p *Provider) showTransaction(c *gin.Context, t recovery.Transaction, mistake string) {
	page := pageFor(t.State)
	v, err := p.viewOf(c, t)
	if err != nil {
		p.failPage(c, err)
		return
	}
	v.Title, v.Mistake = titleFor(page), mistake
	status := http.StatusOK
	if mistake != "" {
		status = http.StatusUnprocessableEntity
	}
	p.render(c, status, page, v)
}

func (p *Provider) viewOf(c *gin.Context, t recovery.Transaction) (view, error) {
	request, err := oauth.DecodeAuthorization(t.Authorization)
	if err != nil {
		return view{}, err
	}
	profile, err := p.deps.Recovery.Profile(t)
	if err != nil {
		return view{}, err
	}
	v := view{
		Base: pagePath(t.ID), CSRF: csrfToken(browserSecret(c, t.ID)), State: t.State, Account: t.Account.Mask(), Mode: t.Mode,
		MinutesLeft: int(max(0, t.ExpiresAt.Sub(p.deps.Clock())).Round(time.Minute) / time.Minute),
	}
	if client, err := p.deps.OAuth.Client(c, string(t.Client)); err == nil { // one that was removed shows without its name
		v.Organisation, v.PolicyURI, v.TermsURI, v.ShowsPass = client.Name, client.PolicyURI, client.TermsURI, client.ShowPass
	}
	v.SignIn, v.Returned = !request.Recovers() && !v.ShowsPass, !t.ReturnedAt.IsZero()
	if proofing, ok := p.deps.Proofing[profile.Proofing]; ok {
		v.Verifier = proofing.Name()
	}
	if t.Decision != nil {
		v.Denial = denialFor(t.Decision.Reason.Public())
	}
	v.CodeSeconds, v.SameNetwork = int(profile.CrossDevice.QRLifetime/time.Second), profile.CrossDevice.SameNetwork
	return v, p.addRound(c, &v, t)
}

// addRound adds what the presentation page needs about the open request.
func (p *Provider) addRound(c *gin.Context, v *view, t recovery.Transaction) error {
	if t.Round == nil {
		return nil
	}
	v.Seen = snapshot(t)
	t, err := p.deps.Recovery.Rotate(c, t)
	if err != nil {
		return err
	}
	if t.Round == nil { // somebody ended it meanwhile, which the events say at once
		v.Live = true
		return nil
	}
	v.WalletError = t.Round.WalletError
	if answer := t.Round.Answer; answer != nil {
		v.Unbound = answer.Unbound
		v.Confirm = answer.Flow == recovery.FlowCrossDevice && !v.Unbound
		v.Answered = !v.Confirm && !v.Unbound
		v.Live = v.Answered
		return nil
	}
	v.Live, v.Opened = true, opened(t)
	for _, way := range t.Ways() {
		if err := p.addWay(c, v, t, way); err != nil {
			return err
		}
	}
	return nil
}

func (p *Provider) addWay(c *gin.Context, v *view, t recovery.Transaction, way recovery.Way) error {
	if t.HandleOf(way) == "" { // closed; the page has a button to ask anew
		return nil
	}
	wallet := p.cfg.Wallets[way.Wallet]
	if way.Flow == recovery.FlowBrowser {
		v.Browser = append(v.Browser, browserAsk{wallet.DisplayName, way.Wallet})
		return nil
	}
	text, err := p.requestURL(c, t, way)
	if err != nil {
		return err
	}
	if way.Flow == recovery.FlowCrossDevice {
		v.Codes = append(v.Codes, code{wallet.DisplayName, way.Wallet, text})
		return nil
	}
	v.Links = append(v.Links, link{wallet.DisplayName, template.URL(text)}) //nolint:gosec // configuration and random ids only
	return nil
}

// denial is what a person reads when the answer is no. The shape is the same for every cause that could tell somebody
// something about the account (nothing to enumerate).
type denial struct {
	What string
	Next []string
}

func denialFor(reason recovery.PublicReason) denial {
	helpdesk := "Ask your organisation's help desk. Give them the reference at the bottom of this page."
	switch reason {
	case recovery.PublicFaceCheck:
		return denial{"The Face Check did not show clearly enough that the Verified ID is yours.",
			[]string{"Try again facing a light, without glasses or a hat, with the camera at eye level.", helpdesk}}
	case recovery.PublicCredential:
		return denial{"The Verified ID cannot be used: it may be revoked, out of date, or from an issuer your organisation does not accept.",
			[]string{"Start again and get a new Verified ID on the way.", helpdesk}}
	case recovery.PublicNetwork:
		return denial{"Your wallet's device is not in the same network as this one. Your organisation wants both in one place.",
			[]string{"Connect your phone to the same Wi-Fi as this device and start again.", "Or use a wallet on this device.", helpdesk}}
	case recovery.PublicTooManyAttempts:
		return denial{"There were too many attempts. This is a protection for your account.",
			[]string{"Wait an hour, then try again.", helpdesk}}
	case recovery.PublicUnavailable:
		return denial{"A service that has to take part did not answer.", []string{"Try again in a few minutes.", helpdesk}}
	}
	return denial{"What your wallet showed does not match this account, or the account cannot be recovered here.",
		[]string{"Check that you typed the right account name at your organisation's sign-in page.", "Check that the wallet holds your own, current Verified ID.", helpdesk}}
}
