package provider

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"regain/presentation"
	"regain/provider/diagnosis"
	"regain/provider/exchange"
	"regain/recovery"
)

// The Digital Credentials API (OpenID4VP 1.0 Appendix A): the page's script asks the browser, and the browser a wallet on
// this device or near it. Both of its calls come from the page of the browser that started, with its cookie and its form
// token, so the answer needs no response code: it comes back in the session that asked.

// browserRequest gives the script what it hands to navigator.credentials.get.
func (p *Provider) browserRequest(c *gin.Context, t recovery.Transaction) {
	asked, err := p.deps.Recovery.Retrieve(c, t.HandleOf(browserWay(c, t)), p.buildRequest)
	if asked, err = p.living(c, asked, err); err != nil {
		p.failWallet(c, err)
		return
	}
	requests, err := p.browserRequests(p.diagnose(c, asked.Way), asked)
	if err != nil {
		p.failWallet(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"requests": requests})
}

func (p *Provider) browserRequests(d *diagnosis.Diagnosis, asked recovery.Asked) ([]presentation.BrowserRequest, error) {
	e, stored, err := p.browserExchange(asked)
	if err != nil {
		return nil, err
	}
	p.noteQuery(d, asked, e)
	requests, err := e.BrowserRequests(stored, p.deps.Clock())
	return requests, d.Step("served", err)
}

// browserExchange is stored for a way through the browser, which only one protocol has.
func (p *Provider) browserExchange(asked recovery.Asked) (exchange.OpenID4VP, []byte, error) {
	e, stored, err := p.stored(asked)
	if err != nil {
		return exchange.OpenID4VP{}, nil, err
	}
	through, ok := e.(exchange.OpenID4VP)
	if !ok {
		return exchange.OpenID4VP{}, nil, errors.New("this kind of wallet is not asked through the browser")
	}
	return through, stored, nil
}

// browserResponse takes what the script got. The verdict is in force at once; the script goes to the page that is due.
func (p *Provider) browserResponse(c *gin.Context, t recovery.Transaction) {
	next, err := p.takeBrowserAnswer(c, t)
	if err != nil {
		p.failWallet(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"next": pagePath(next.ID)})
}

func (p *Provider) takeBrowserAnswer(c *gin.Context, t recovery.Transaction) (recovery.Transaction, error) {
	asked, err := p.deps.Recovery.Find(c, t.HandleOf(browserWay(c, t)))
	if err != nil {
		return t, err
	}
	d := p.diagnose(c, asked.Way)
	if asked.Answered() {
		return t, p.rejected(c, asked, recovery.ErrAnswered)
	}
	e, stored, err := p.browserExchange(asked)
	if err != nil {
		return t, err
	}
	form := c.Request.PostForm
	answer, err := e.OpenBrowser(stored, form.Get("protocol"), form.Get("data"), p.deps.Clock())
	if err := d.Step("opened", err); err != nil {
		return t, p.rejected(c, asked, err)
	}
	receipt, err := p.present(c, d, asked, e.Formats(), answer)
	if err != nil || receipt.ResponseCode == "" {
		return t, err
	}
	ctx := context.WithoutCancel(c) // the answer is taken, and nobody else has its code
	if t, err = p.deps.Recovery.Open(ctx, t.ID, browserSecret(c, t.ID)); err != nil {
		return t, err
	}
	return p.deps.Recovery.Return(ctx, t, receipt.ResponseCode)
}

// browserWay is the way that the script names by its kind of wallet.
func browserWay(c *gin.Context, t recovery.Transaction) recovery.Way {
	return t.WayTo(recovery.WalletName(c.Request.PostForm.Get("wallet")), recovery.FlowBrowser)
}

// maxBrowserForm bounds the script's forms: a wallet's answer has photos in it.
const maxBrowserForm = presentation.MaxForm
