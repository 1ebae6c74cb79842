package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gin-gonic/gin"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/provider/diagnosis"
	"regain/provider/exchange"
	"regain/recovery"
	"regain/verifier"
)

// exchange returns the protocol of a way's wallet. Configuration names no other, so a missing one is a server error.
func (p *Provider) exchange(way recovery.Way) (exchange.Exchange, error) {
	e, err := p.cfg.Wallets[way.Wallet].Exchange(p.deps.Random)
	if err != nil {
		return nil, fmt.Errorf("wallet profile %q: %w", way.Wallet, err)
	}
	return e, nil
}

// stored returns the request behind an opened door, and the protocol that it is written in.
func (p *Provider) stored(asked recovery.Asked) (exchange.Exchange, []byte, error) {
	if asked.Request() == nil {
		return nil, nil, recovery.ErrNoTransaction // answered before it was fetched
	}
	e, err := p.exchange(asked.Way)
	return e, asked.Request(), err
}

// living is what was asked, with a request that can still be answered: one that is over is made anew, or the page of the
// person who comes back to it would be of no more use.
func (p *Provider) living(ctx context.Context, asked recovery.Asked, err error) (recovery.Asked, error) {
	if err != nil {
		return asked, err
	}
	e, request, err := p.stored(asked)
	if err != nil {
		return asked, err
	}
	if over, err := e.Over(request, p.deps.Clock()); err != nil || !over {
		return asked, err
	}
	return p.deps.Recovery.Renew(ctx, asked, p.buildRequest)
}

// buildRequest makes the presentation request when it is first asked for: fresh nonce, state and key.
func (p *Provider) buildRequest(ctx context.Context, asked recovery.Asked, expires time.Time) ([]byte, error) {
	e, err := p.exchange(asked.Way)
	if err != nil {
		return nil, err
	}
	w := exchange.Wish{Now: p.deps.Clock()}
	w.Lifetime = min(p.cfg.RequestLifetime, expires.Sub(w.Now))
	if w.Query, err = p.rules.Query(asked.Profile, e.Formats()); err != nil {
		return nil, err
	}
	if asked.Way.Flow == recovery.FlowBrowser {
		w.Origin = p.cfg.Issuer
	} else {
		w.ResponseURI = p.doors(asked.Handle()).Response
	}
	if p.cfg.Wallets[asked.Way.Wallet].TransactionData {
		w.TransactionData = []presentation.TransactionData{
			presentation.NewTransactionData(asked.Transaction.Account.Mask(), p.organisation(ctx, asked.Transaction), verifiedIDs(w.Query)...),
		}
	}
	return e.New(w)
}

// verifiedIDs are the ids of every Verified ID that will do: whichever the wallet chooses has to authorise the transaction,
// or it would be the one without that an attacker has their victim choose.
func verifiedIDs(q dcql.Query) (ids []string) {
	for _, c := range q.Credentials {
		if dcql.Role(c.ID) == dcql.VerifiedID {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

func (p *Provider) doors(handle recovery.Handle) exchange.Doors {
	return exchange.Doors{Request: p.cfg.Issuer + "/openid4vp/request/" + string(handle), Response: p.cfg.Issuer + "/openid4vp/response/" + string(handle)}
}

// checkWays makes a request for every way of every profile, as a trial: what a wallet cannot be asked is a mistake of the
// configuration, and stops the start, instead of a wallet's silence.
func (p *Provider) checkWays() error {
	var problems []error
	for _, profile := range p.deps.Recovery.Profiles() {
		for _, way := range profile.Ways {
			if e, err := p.exchange(way); err == nil {
				if err := p.rules.Prepare(profile, e.Formats()); err != nil {
					problems = append(problems, err)
					continue
				}
			}
			asked := recovery.Asked{Way: way, Profile: profile, Transaction: recovery.Transaction{ID: "trial"}}
			if _, err := p.buildRequest(context.Background(), asked, p.deps.Clock().Add(time.Minute)); err != nil {
				problems = append(problems, fmt.Errorf("profiles (%s): wallets (%s): %w", profile.Name, way.Wallet, err))
			}
		}
	}
	return errors.Join(problems...)
}

// requestURL is what the link or the QR code of a way says.
func (p *Provider) requestURL(c *gin.Context, t recovery.Transaction, way recovery.Way) (string, error) {
	handle := t.HandleOf(way)
	if handle == "" {
		return "", errNoQR
	}
	e, err := p.exchange(way)
	if err != nil {
		return "", err
	}
	var request []byte
	if e.InLink() {
		asked, err := p.deps.Recovery.Prepare(c, handle, p.buildRequest)
		if asked, err = p.living(c, asked, err); err != nil {
			return "", err
		}
		request = asked.Request()
	}
	return e.Link(p.doors(handle), request, p.deps.Clock())
}

// present verifies the presentations of an opened answer, and has the domain weigh what they show. A wallet's own error is
// noted for the page, and has a receipt without a response code.
func (p *Provider) present(c *gin.Context, d *diagnosis.Diagnosis, asked recovery.Asked, formats []string, answer exchange.Answer) (recovery.Receipt, error) {
	if answer.Problem != nil {
		d.Error = answer.Problem.Code
		_, err := p.deps.Recovery.Report(c, asked.Handle(), answer.Problem.Code)
		return recovery.Receipt{}, err
	}
	d.Came = answer.IDs()
	q, err := p.rules.Question(asked.Profile, formats, answer)
	if err := d.Step("asked for", err); err != nil {
		return recovery.Receipt{}, p.rejected(c, asked, err)
	}
	verified, err := p.deps.Verifier.Verify(c, q.Shown, q.Expect)
	if err := d.Step("genuine", err); err != nil {
		return recovery.Receipt{}, p.rejected(c, asked, err)
	}
	for _, cause := range verified.Causes() {
		d.Note("credential", false, cause)
	}
	evaluation, err := q.Compare(verified)
	if err := d.Step("matches the query", err); err != nil {
		d.Query = &evaluation
		return recovery.Receipt{}, p.rejected(c, asked, err)
	}
	receipt, err := p.deps.Recovery.Present(c, asked.Handle(), q.Evidence(verified))
	for _, r := range receipt.Results {
		d.Note(r.Rule, r.Pass, r.Detail)
	}
	if err := d.Step("weighed", err); errors.Is(err, recovery.ErrAnswered) { // another answer was faster
		return receipt, p.rejected(c, asked, err)
	}
	return receipt, err
}

// rejected records that an answer was refused, and returns why. What cannot be recorded is refused all the same. That the
// wallet went away before a status list came is no refusal, nor is a DID document that cannot be had; that it went away
// before it was told of a refusal hides nothing.
func (p *Provider) rejected(c *gin.Context, asked recovery.Asked, cause error) error {
	ctx := context.WithoutCancel(c)
	missed := p.deps.Recovery.Miss(ctx, asked)
	if gone := c.Request.Context().Err(); gone != nil && errors.Is(cause, gone) || errors.Is(cause, verifier.ErrUnavailable) {
		return errors.Join(cause, missed)
	}
	results := []recovery.RuleResult{
		{Rule: "presentation:" + string(asked.Way.Flow), Detail: cause.Error()}, {Rule: "correlation", Pass: true, Detail: correlationID(c)},
	}
	return errors.Join(cause, missed, p.deps.Recovery.Reject(ctx, asked.Transaction, results))
}

// organisation is the client's name, "" for a client that was removed.
func (p *Provider) organisation(ctx context.Context, t recovery.Transaction) string {
	client, err := p.deps.OAuth.Client(ctx, string(t.Client))
	if err != nil {
		return ""
	}
	return client.Name
}
