package provider

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"regain/presentation"
	"regain/provider/exchange"
	"regain/provider/problem"
	"regain/recovery"
	"regain/verifier"
)

// walletRequest serves the signed request object (OpenID4VP 1.0 §5.10). It may be fetched again until it is answered,
// by GET and by POST; only a POST can carry a wallet_nonce, which goes into the signature.
func (p *Provider) walletRequest(c *gin.Context) {
	noStore(c)
	object, err := p.retrieve(c)
	if err != nil {
		p.failWallet(c, err)
		return
	}
	c.Data(http.StatusOK, object.ContentType, object.Body)
}

func (p *Provider) retrieve(c *gin.Context) (object exchange.Object, err error) {
	var form url.Values
	if c.Request.Method == http.MethodPost {
		if form, err = p.walletForm(c); err != nil {
			return exchange.Object{}, err
		}
	}
	asked, err := p.deps.Recovery.Retrieve(c, recovery.Handle(c.Param("handle")), p.buildRequest)
	if asked, err = p.living(c, asked, err); err != nil {
		return exchange.Object{}, err
	}
	note(c, asked.Transaction)
	d := p.diagnose(c, asked.Way)
	e, request, err := p.stored(asked)
	if err != nil {
		return exchange.Object{}, err
	}
	if e.InLink() || asked.Way.Flow == recovery.FlowBrowser { // it is handed over another way, and perhaps not signed
		return exchange.Object{}, recovery.ErrNoTransaction
	}
	p.noteQuery(d, asked, e)
	object, err = e.Object(request, form, p.deps.Clock())
	return object, d.Step("served", err)
}

// walletResponse takes the wallet's answer (OpenID4VP 1.0 §8.2). A refused answer is a 400 and changes nothing: the
// request stays open for the wallet it was meant for. A genuine one is weighed; only its own browser or the typed
// code brings the verdict into force.
func (p *Provider) walletResponse(c *gin.Context) {
	noStore(c)
	redirect, err := p.takeAnswer(c)
	if err != nil {
		p.failWallet(c, err)
		return
	}
	if redirect == "" { // the wallet would not open it
		c.JSON(http.StatusOK, gin.H{})
		return
	}
	c.JSON(http.StatusOK, gin.H{"redirect_uri": redirect})
}

func (p *Provider) takeAnswer(c *gin.Context) (redirect string, err error) {
	asked, err := p.deps.Recovery.Find(c, recovery.Handle(c.Param("handle")))
	if err != nil {
		return "", err
	}
	note(c, asked.Transaction)
	d := p.diagnose(c, asked.Way)
	form, err := p.walletForm(c)
	if err := d.Step("read", err); err != nil {
		return "", p.rejected(c, asked, err)
	}
	if asked.Answered() {
		return "", p.rejected(c, asked, recovery.ErrAnswered)
	}
	e, request, err := p.stored(asked)
	if err != nil {
		return "", err
	}
	answer, err := e.Open(request, form, p.deps.Clock())
	if err := d.Step("opened", err); err != nil {
		return "", p.rejected(c, asked, err)
	}
	receipt, err := p.present(c, d, asked, e.Formats(), answer)
	if err != nil {
		return "", err
	}
	redirect = p.returnURL(asked.Transaction.ID, asked.Way)
	if redirect == "" || receipt.ResponseCode == "" {
		return redirect, nil
	}
	return redirect + "?response_code=" + url.QueryEscape(receipt.ResponseCode), nil
}

// returnURL is where the wallet sends the browser it was called from; "" for wallets that send it nowhere.
func (p *Provider) returnURL(id recovery.TransactionID, way recovery.Way) string {
	if way.Unbound {
		return ""
	}
	page := "/return"
	if way.Flow == recovery.FlowCrossDevice {
		page = "/confirmation"
	}
	return p.cfg.Issuer + pagePath(id) + page
}

// didDocument is how wallets know us by our did:web.
func (p *Provider) didDocument(c *gin.Context) {
	document, err := p.cfg.DIDWeb.Document()
	p.wellKnown(c, document, err)
}

// didConfiguration is how wallets know that the DID is this domain's.
func (p *Provider) didConfiguration(c *gin.Context) {
	configuration, err := p.cfg.DIDWeb.Configuration(p.deps.Clock())
	p.wellKnown(c, configuration, err)
}

func (p *Provider) wellKnown(c *gin.Context, body []byte, err error) {
	if err != nil {
		p.failJSON(c, problem.ServerError(err))
		return
	}
	c.Header("Access-Control-Allow-Origin", "*") // public, and wallets in browsers read it
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "application/json", body)
}

// walletForm reads the form of a wallet's POST. Whether parameters may repeat is for the presentation package to say.
func (p *Provider) walletForm(c *gin.Context) (url.Values, error) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, presentation.MaxForm)
	if err := c.Request.ParseForm(); err != nil { // whose words quote what came
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			return nil, fmt.Errorf("read form: %w", presentation.ErrTooLarge)
		}
		return nil, fmt.Errorf("read form: %w", presentation.ErrMalformed)
	}
	return c.Request.PostForm, nil
}

// failWallet answers a wallet: the protocol's error, a correlation id, and nothing about why.
func (p *Provider) failWallet(c *gin.Context, err error) {
	noteError(c, err)
	status, body := walletError(err, correlationID(c))
	c.AbortWithStatusJSON(status, body)
}

// walletError is the one table from errors to what a wallet, or a page that asks through the browser, is told.
func walletError(err error, correlation string) (status int, body any) {
	refusal := func(status int, code, description string) (int, any) {
		return status, gin.H{"error": code, "error_description": description, "correlation_id": correlation}
	}
	switch {
	case errors.Is(err, recovery.ErrNoTransaction):
		return refusal(http.StatusNotFound, "invalid_request", "There is no such request, or it has ended.")
	case errors.Is(err, recovery.ErrExpired), errors.Is(err, presentation.ErrExpired):
		return refusal(http.StatusGone, "invalid_request", "The request has expired.")
	case errors.Is(err, recovery.ErrAnswered), errors.Is(err, recovery.ErrConflict), errors.Is(err, recovery.ErrIllegalStep):
		return refusal(http.StatusBadRequest, "invalid_request", "The request was answered already.")
	case errors.Is(err, verifier.ErrUnavailable):
		return refusal(http.StatusServiceUnavailable, "temporarily_unavailable", "Something that is needed to verify the presentation cannot be had. Try again in a minute.")
	case errors.Is(err, verifier.ErrRefused):
		return refusal(http.StatusBadRequest, "invalid_presentation", "The presentation is not valid for this request.")
	}
	return presentation.ErrorBody(err, correlation)
}
