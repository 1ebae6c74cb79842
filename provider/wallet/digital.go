package wallet

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"regain/presentation"
	"regain/provider/binding"
	"regain/provider/diagnosis"
	"regain/provider/protocol"
	"regain/provider/web"
	"regain/recovery"
)

// The Digital Credentials API (OpenID4VP 1.0 Appendix A): the page's script asks the browser, and the browser a wallet on
// this device or near it. Both of its calls come from the page of the browser that started, with its cookie and its form
// token, so the answer needs no response code: it comes back in the session that asked.

// browserRequest gives the script what it hands to navigator.credentials.get.
func (e *Endpoints) browserRequest(c *gin.Context, t recovery.Transaction) error {
	open, err := e.request(c, t.HandleOf(browserChannel(c, t)), recovery.WalletFetched)
	if err != nil {
		return err
	}
	requests, err := e.browserRequests(e.diagnose(c, open.Channel), open)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, gin.H{"requests": requests})
	return nil
}

func (e *Endpoints) browserRequests(d *diagnosis.Diagnosis, open recovery.OpenRequest) ([]presentation.BrowserRequest, error) {
	p, err := e.protocol(open.Channel)
	if err != nil {
		return nil, err
	}
	through, err := throughBrowser(p)
	if err != nil {
		return nil, err
	}
	e.noteQuery(d, open, p)
	requests, err := through.BrowserRequests(open.Request(), e.deps.Clock())
	return requests, d.Step("served", err)
}

// throughBrowser returns the one protocol that the browser can be asked in.
func throughBrowser(p protocol.Protocol) (protocol.OpenID4VP, error) {
	through, ok := p.(protocol.OpenID4VP)
	if !ok {
		return protocol.OpenID4VP{}, errors.New("this kind of wallet is not asked through the browser")
	}
	return through, nil
}

// browserResponse takes what the script got. The verdict is in force at once; the script goes to the page that is due.
func (e *Endpoints) browserResponse(c *gin.Context, t recovery.Transaction) error {
	open, err := e.deps.Recovery.Find(c, t.HandleOf(browserChannel(c, t)))
	if err != nil {
		return err
	}
	result, err := e.take(c, open, func(p protocol.Protocol) (protocol.Answer, error) {
		through, err := throughBrowser(p)
		if err != nil {
			return protocol.Answer{}, err
		}
		form := c.Request.PostForm
		return through.OpenBrowser(open.Request(), form.Get("protocol"), form.Get("data"), e.deps.Clock())
	})
	if err != nil {
		return err
	}
	if result.ResponseCode != "" {
		ctx := context.WithoutCancel(c) // the answer is taken, and only this request has its code
		if t, err = e.deps.Recovery.Open(ctx, t.ID, binding.Secret(c, t.ID)); err != nil {
			return err
		}
		if t, err = e.deps.Recovery.Return(ctx, t, result.ResponseCode); err != nil {
			return err
		}
	}
	c.JSON(http.StatusOK, gin.H{"next": web.Local(c, binding.Path(t.ID))})
	return nil
}

// browserChannel is the channel that the script names by its kind of wallet.
func browserChannel(c *gin.Context, t recovery.Transaction) recovery.Channel {
	return t.ChannelTo(recovery.WalletName(c.Request.PostForm.Get("wallet")), recovery.FlowBrowser)
}
