package wallet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"regain/internal/admission"
	"regain/provider/binding"
	"regain/provider/evidence"
	"regain/provider/protocol"
	"regain/provider/web"
	"regain/recovery"
	"regain/verifier"
)

// response takes the wallet's answer (OpenID4VP 1.0 §8.2). A refused answer is a 400 and changes nothing: the request
// stays open for the wallet it was meant for. A genuine one is weighed; only its own browser or the typed code brings the
// verdict into force.
func (e *Endpoints) response(c *gin.Context) error {
	open, err := e.deps.Recovery.Find(c, recovery.Handle(c.Param("handle")))
	if err != nil {
		return err
	}
	binding.Note(c, open.Transaction)
	form, malformed := readForm(c) // before take: a body that is sent slowly must not hold a place
	result, err := e.take(c, open, func(p protocol.Protocol) (protocol.Answer, error) {
		if malformed != nil {
			return protocol.Answer{}, malformed
		}
		return p.Open(open.Request(), form, e.deps.Clock())
	})
	if err != nil {
		return err
	}
	body := gin.H{}
	if redirect := e.redirectBack(open, result); redirect != "" {
		body["redirect_uri"] = redirect
	}
	c.JSON(http.StatusOK, body)
	return nil
}

// redirectBack is where the wallet sends the person; "" for wallets that send them nowhere.
func (e *Endpoints) redirectBack(open recovery.OpenRequest, result recovery.PresentResult) string {
	if open.Channel.NoRedirectBack {
		return ""
	}
	page := "/return"
	if open.Channel.Flow == recovery.FlowCrossDevice {
		page = "/confirmation"
	}
	redirect := e.cfg.Issuer + binding.Path(open.Transaction.ID) + page
	if result.ResponseCode == "" { // the wallet reported an error, and the page says so
		return redirect
	}
	return redirect + "?response_code=" + url.QueryEscape(result.ResponseCode)
}

// take opens an answer with open's own protocol, verifies it, and has the domain weigh what it shows. A wallet's own error
// is noted for the page, and has a result without a response code. What is refused is recorded, and why is returned.
func (e *Endpoints) take(c *gin.Context, open recovery.OpenRequest, opened func(protocol.Protocol) (protocol.Answer, error)) (recovery.PresentResult, error) {
	none := recovery.PresentResult{}
	d := e.diagnose(c, open.Channel)
	if open.Answered() {
		return none, e.refuse(c, open, recovery.ErrAnswered)
	}
	if open.Request() == nil {
		return none, recovery.ErrNoTransaction // answered before it was fetched
	}
	p, err := e.protocol(open.Channel)
	if err != nil {
		return none, err
	}
	ctx, leave, err := e.queue.Enter(c, admission.Visitor{Task: string(open.Transaction.ID), Network: e.deps.Web.Network(c)})
	if err != nil {
		return none, fmt.Errorf("wait to verify: %w", err) // it says nothing of the answer, so nothing is counted or recorded
	}
	defer leave()
	answer, err := opened(p)
	if err := d.Step("opened", err); err != nil {
		leave()
		return none, e.refuse(c, open, err)
	}
	if answer.Problem != nil {
		d.Error = answer.Problem.Code
		_, err := e.deps.Recovery.Report(c, open.Handle(), answer.Problem.Code)
		return none, err
	}
	d.Came = answer.IDs()
	found, err := e.rules.Verify(ctx, e.deps.Verifier, evidence.Submission{Profile: open.Profile, Formats: p.Formats(), Answer: answer}, d)
	leave() // before anything is written: the store waits for a disk
	if err != nil {
		return none, e.refuse(c, open, err)
	}
	result, err := e.deps.Recovery.Present(c, open.Handle(), found)
	for _, r := range result.Results {
		d.Note(r.Rule, r.Pass, r.Detail)
	}
	if err := d.Step("weighed", err); errors.Is(err, recovery.ErrAnswered) { // another answer was faster
		return none, e.refuse(c, open, err)
	}
	return result, err
}

// refuse records that an answer was refused, and returns why. What cannot be recorded is refused all the same. That the
// wallet went away before a status list came is no refusal, nor is a DID document that cannot be had; that it went away
// before it was told of a refusal hides nothing.
func (e *Endpoints) refuse(c *gin.Context, open recovery.OpenRequest, cause error) error {
	ctx := context.WithoutCancel(c)
	counted := e.deps.Recovery.CountInvalidResponse(ctx, open)
	if gone := c.Request.Context().Err(); gone != nil && errors.Is(cause, gone) || errors.Is(cause, verifier.ErrUnavailable) {
		return errors.Join(cause, counted)
	}
	results := []recovery.RuleResult{
		{Rule: "presentation:" + string(open.Channel.Flow), Detail: cause.Error()},
		{Rule: "correlation", Pass: true, Detail: web.CorrelationID(c)},
	}
	return errors.Join(cause, counted, e.deps.Recovery.Reject(ctx, open.Transaction, results))
}
