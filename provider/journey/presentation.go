package journey

import (
	"fmt"
	"html/template"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/web"
	"regain/recovery"
)

// presentationPage asks for the wallet, in every channel of the open presentation attempt.
type presentationPage struct {
	basePage
	Links          []link       // to wallets on this device
	Codes          []code       // QR codes for wallets on other devices; none when those are not allowed
	CodeSeconds    int          // how long a QR code can be scanned
	SameNetwork    bool         // the other device has to be in the same network
	Browser        []browserAsk // what the script may ask through the Digital Credentials API
	Closed         []closed     // ways that had too many invalid responses, where others are open
	AllClosed      bool         // no link and no QR code is open; what is asked through the browser may be
	WalletError    bool         // the wallet declined, or could not answer
	AskAgain       bool         // asking anew is the next step
	Progress       string
	Answered       bool // same device: the answer waits for the browser's return
	Confirm        bool // cross device: the person must type the digits
	NoRedirectBack bool // the wallet does not come back: the person says that it was theirs
	Mistake        string
	Live           bool   // the page follows the transaction by server-sent events
	Seen           string // what it shows, so that they can tell it when that is over
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

// closed is a way to a wallet that had too many invalid responses.
type closed struct {
	Flow recovery.Flow
	What string // what people call it
}

// closedIn are the ways of an attempt that are closed, each flow once.
func closedIn(attempt recovery.PresentationAttempt) (ways []closed) {
	for _, r := range attempt.Requests {
		if !r.Closed || slices.ContainsFunc(ways, func(w closed) bool { return w.Flow == r.Flow }) {
			continue
		}
		what := "The link to a wallet on this device"
		switch r.Flow {
		case recovery.FlowCrossDevice:
			what = "The QR code"
		case recovery.FlowBrowser:
			what = "The way through this browser"
		}
		ways = append(ways, closed{r.Flow, what})
	}
	return ways
}

// browserAsk is a kind of wallet that the browser can ask for.
type browserAsk struct {
	Wallet string
	Name   recovery.WalletName
}

func (p *Pages) presentationPage(c *gin.Context, t recovery.Transaction, base basePage, mistake string) (*presentationPage, error) {
	profile, err := p.deps.Recovery.Profile(t)
	if err != nil {
		return nil, err
	}
	page := &presentationPage{
		basePage: base, Mistake: mistake, Seen: snapshot(t),
		CodeSeconds: int(profile.CrossDevice.QRLifetime / time.Second), SameNetwork: profile.CrossDevice.SameNetwork,
	}
	if t.Presentation == nil { // somebody ended it meanwhile, which the events say at once
		page.Live, page.Progress = true, progressText(web.Waiting)
		return page, nil
	}
	situation := waitingFor(t)
	page.say(situation)
	page.Progress, page.AllClosed = progressText(situation), situation == web.Closed || situation == web.BrowserLeft
	page.WalletError = situation == web.Declined || situation == web.WalletProblem
	page.AskAgain = page.AllClosed || page.WalletError
	if !page.AllClosed {
		page.Closed = closedIn(*t.Presentation)
	}
	if answer := t.Presentation.Answer; answer != nil {
		page.NoRedirectBack = answer.NoRedirectBack
		page.Confirm = answer.Flow == recovery.FlowCrossDevice && !page.NoRedirectBack
		page.Answered = !page.Confirm && !page.NoRedirectBack
		page.Live = page.Answered
		return page, nil
	}
	page.Live = true
	for _, channel := range t.Channels() {
		if err := p.addChannel(c, page, t, channel); err != nil {
			return nil, err
		}
	}
	return page, nil
}

func (p *Pages) addChannel(c *gin.Context, page *presentationPage, t recovery.Transaction, channel recovery.Channel) error {
	if t.HandleOf(channel) == "" { // closed; the page has a button to ask anew
		return nil
	}
	wallet := p.deps.Wallets.DisplayName(channel.Wallet)
	if channel.Flow == recovery.FlowBrowser {
		page.Browser = append(page.Browser, browserAsk{wallet, channel.Wallet})
		return nil
	}
	text, err := p.deps.Wallets.RequestURL(c, t, channel)
	if err != nil {
		return err
	}
	if channel.Flow == recovery.FlowCrossDevice {
		page.Codes = append(page.Codes, code{wallet, channel.Wallet, text})
		return nil
	}
	page.Links = append(page.Links, link{wallet, template.URL(text)}) //nolint:gosec // configuration and random ids only
	return nil
}

// snapshot names what a page shows: another name, another page is due. It can stand in an address as it is. QR codes are not
// among it, which events change in place.
func snapshot(t recovery.Transaction) string {
	answered, walletError := false, ""
	var requests []string
	if t.Presentation != nil {
		answered, walletError = t.Presentation.Answer != nil, t.Presentation.WalletError
		for _, r := range t.Presentation.Requests {
			request := fmt.Sprint(r.Closed)
			if r.Flow != recovery.FlowCrossDevice { // another tab that started over made these links stale
				request += r.Secret
			}
			requests = append(requests, request)
		}
	}
	const short = 12
	return string(recovery.DigestOf(fmt.Sprint(pageFor(t.State), answered, walletError, requests)))[:short]
}

// opened reports whether a wallet has fetched its request. What goes through the browser is fetched by our own script, before
// any wallet is asked.
func opened(t recovery.Transaction) bool {
	return t.State == recovery.StateRetrieved && t.Presentation != nil &&
		slices.ContainsFunc(t.Presentation.Requests, func(r recovery.PendingRequest) bool {
			return r.Flow != recovery.FlowBrowser && r.Request != nil
		})
}
