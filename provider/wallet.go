package provider

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/recovery"
	"regain/verifier"
)

// walletRequest serves the signed request object (OpenID4VP 1.0 §5.10). It may be fetched again until it is answered,
// by GET and by POST; only a POST can carry a wallet_nonce, which goes into the signature.
func (p *Provider) walletRequest(c *gin.Context) {
	noStore(c)
	var wallet presentation.WalletRequest
	if c.Request.Method == http.MethodPost {
		form, err := p.walletForm(c)
		if err == nil {
			wallet, err = presentation.ParseRequestURIPost(form)
		}
		if err != nil {
			p.failWallet(c, err)
			return
		}
	}
	asked, err := p.deps.Recovery.Retrieve(c, recovery.Handle(c.Param("handle")), p.buildRequest)
	if err != nil {
		p.failWallet(c, err)
		return
	}
	note(c, asked.Transaction)
	request, err := decodeRequest(asked)
	if err != nil {
		p.failWallet(c, err)
		return
	}
	object, err := p.deps.Request.RequestObject(request, presentation.RequestObjectParams{WalletNonce: wallet.Nonce, WalletKey: wallet.Key, Now: p.deps.Clock()})
	if err != nil {
		p.failWallet(c, err)
		return
	}
	c.Data(http.StatusOK, "application/oauth-authz-req+jwt", object)
}

// buildRequest makes the presentation request when the wallet first asks for it: fresh nonce, state and key.
func (p *Provider) buildRequest(asked recovery.Asked, expires time.Time) ([]byte, error) {
	now := p.deps.Clock()
	lifetime := min(p.cfg.RequestLifetime, expires.Sub(now))
	query, err := p.queryFor(asked.Profile)
	if err != nil {
		return nil, err
	}
	request, err := presentation.NewRequest(presentation.RequestParams{
		ResponseURI: p.cfg.Issuer + "/openid4vp/response/" + string(asked.Transaction.Handle(asked.Flow)), Query: query, Lifetime: lifetime,
	}, p.deps.Random, now)
	if err != nil {
		return nil, err
	}
	return json.Marshal(request)
}

// queryFor asks for the claims that the profile matches, and for nothing else: not the portrait.
func (p *Provider) queryFor(profile recovery.Profile) (dcql.Query, error) {
	claims := make([]dcql.Path, 0, len(profile.Credential.Bindings))
	asked := make(map[recovery.ClaimName]bool, len(profile.Credential.Bindings))
	for _, binding := range profile.Credential.Bindings {
		if !asked[binding.Claim] {
			claims = append(claims, dcql.Path{dcql.Name(string(binding.Claim))})
			asked[binding.Claim] = true
		}
	}
	return dcql.Recovery(dcql.RecoveryParams{VerifiedIDTypes: profile.Credential.Types, Claims: claims, FaceCheckTypes: p.cfg.ReceiptTypes})
}

// walletResponse takes the wallet's answer (OpenID4VP 1.0 §8.2). A refused answer is a 400 and changes nothing: the
// request stays open for the wallet it was meant for. A genuine one is weighed; only its own browser or the typed
// code brings the verdict into force.
func (p *Provider) walletResponse(c *gin.Context) {
	noStore(c)
	form, err := p.walletForm(c)
	if err != nil {
		p.failWallet(c, err)
		return
	}
	asked, err := p.deps.Recovery.Find(c, recovery.Handle(c.Param("handle")))
	if err != nil {
		p.failWallet(c, err)
		return
	}
	note(c, asked.Transaction)
	redirect, err := p.takeAnswer(c, asked, form)
	if err != nil {
		p.failWallet(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"redirect_uri": redirect})
}

func (p *Provider) takeAnswer(c *gin.Context, asked recovery.Asked, form url.Values) (redirect string, err error) {
	if asked.Transaction.Round.Answer != nil {
		return "", recovery.ErrAnswered
	}
	request, err := decodeRequest(asked)
	if err != nil {
		return "", err
	}
	answer, err := request.Open(form, p.deps.Clock())
	if err != nil {
		return "", err
	}
	if answer.Error != nil {
		if _, err := p.deps.Recovery.Report(c, recovery.Handle(c.Param("handle")), answer.Error.Code); err != nil {
			return "", err
		}
		return p.returnURL(asked.Transaction.ID, asked.Flow), nil
	}
	verified, err := p.deps.Verifier.Verify(c, verifier.Presentation{
		VerifiedID: answer.Presentations[dcql.VerifiedID][0], FaceCheck: answer.Presentations[dcql.FaceCheck][0],
	}, verifier.Expect{
		Nonce: request.Nonce, Audience: p.deps.Request.ClientID(), Types: asked.Profile.Credential.Types, ReceiptTypes: p.cfg.ReceiptTypes,
	})
	if err != nil {
		return "", err
	}
	receipt, err := p.deps.Recovery.Present(c, recovery.Handle(c.Param("handle")), evidenceOf(verified, asked.Profile.Credential.Bindings))
	if err != nil {
		return "", err
	}
	return p.returnURL(receipt.Transaction, receipt.Flow) + "?response_code=" + url.QueryEscape(receipt.ResponseCode), nil
}

// returnURL is where the wallet sends the browser it was called from.
func (p *Provider) returnURL(id recovery.TransactionID, flow recovery.Flow) string {
	page := "/return"
	if flow == recovery.FlowCrossDevice {
		page = "/confirmation"
	}
	return p.cfg.Issuer + pagePath(id) + page
}

// walletForm reads the form of a wallet's POST. Whether parameters may repeat is for the presentation package to say.
func (p *Provider) walletForm(c *gin.Context) (url.Values, error) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, presentation.MaxForm)
	if err := c.Request.ParseForm(); err != nil {
		return nil, fmt.Errorf("read form: %w", errors.Join(err, presentation.ErrMalformed))
	}
	return c.Request.PostForm, nil
}

func decodeRequest(asked recovery.Asked) (presentation.Request, error) {
	var request presentation.Request
	if asked.Request() == nil {
		return request, recovery.ErrNoTransaction // answered before it was fetched
	}
	if err := json.Unmarshal(asked.Request(), &request); err != nil {
		return request, fmt.Errorf("decode presentation request: %w", err)
	}
	return request, nil
}

// failWallet answers a wallet: the protocol's error, a correlation id, and nothing about why.
func (p *Provider) failWallet(c *gin.Context, err error) {
	noteError(c, err)
	status := http.StatusBadRequest
	var body any
	refusal := gin.H{"error": "invalid_request", "correlation_id": correlationID(c)}
	switch {
	case errors.Is(err, recovery.ErrNoTransaction):
		status, body = http.StatusNotFound, refusal
		refusal["error_description"] = "There is no such request, or it has ended."
	case errors.Is(err, recovery.ErrExpired):
		status, body = http.StatusGone, refusal
		refusal["error_description"] = "The request has expired."
	case errors.Is(err, recovery.ErrAnswered), errors.Is(err, recovery.ErrConflict), errors.Is(err, recovery.ErrIllegalStep):
		body = refusal
		refusal["error_description"] = "The request was answered already."
	case errors.Is(err, verifier.ErrRefused):
		body = refusal
		refusal["error"] = "invalid_presentation"
		refusal["error_description"] = "The presentation is not valid for this request."
	default:
		status, body = presentation.ErrorBody(err, correlationID(c))
	}
	c.AbortWithStatusJSON(status, body)
}
