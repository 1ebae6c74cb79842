package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/provider/diagnosis"
	"regain/recovery"
	"regain/verifier"
)

// exchange returns the protocol of a way's wallet. Configuration names no other, so a missing one is a server error.
func (p *Provider) exchange(way recovery.Way) (exchange, error) {
	switch w := p.cfg.Wallets[way.Wallet]; {
	case w.OpenID4VP != nil:
		return openid4vp{*w.OpenID4VP, p.deps.Random}, nil
	case w.Authenticator != nil:
		return siop2022{w.Authenticator, w.Issuers, p.deps.Random}, nil
	}
	return nil, fmt.Errorf("the wallet profile %q is no longer configured", way.Wallet)
}

// stored returns the request behind an opened door, and the protocol that it is written in.
func (p *Provider) stored(asked recovery.Asked) (exchange, []byte, error) {
	if asked.Request() == nil {
		return nil, nil, recovery.ErrNoTransaction // answered before it was fetched
	}
	e, err := p.exchange(asked.Way)
	return e, asked.Request(), err
}

// buildRequest makes the presentation request when it is first asked for: fresh nonce, state and key.
func (p *Provider) buildRequest(ctx context.Context, asked recovery.Asked, expires time.Time) ([]byte, error) {
	e, err := p.exchange(asked.Way)
	if err != nil {
		return nil, err
	}
	w := wish{now: p.deps.Clock()}
	w.lifetime = min(p.cfg.RequestLifetime, expires.Sub(w.now))
	if w.query, err = p.queryFor(asked.Profile, e.formats()); err != nil {
		return nil, err
	}
	if asked.Way.Flow == recovery.FlowBrowser {
		w.origin = p.cfg.Issuer
	} else {
		w.responseURI = p.doors(asked.Handle()).response
	}
	if p.cfg.Wallets[asked.Way.Wallet].TransactionData {
		w.data = []presentation.TransactionData{
			presentation.NewTransactionData(asked.Transaction.Account.Mask(), p.organisation(ctx, asked.Transaction), dcql.VerifiedID),
		}
	}
	return e.newRequest(w)
}

// checkWays makes a request for every way of every profile, as a trial: what a wallet cannot be asked is a mistake of the
// configuration, and stops the start, instead of a wallet's silence.
func (p *Provider) checkWays() error {
	var problems []error
	for _, profile := range p.deps.Recovery.Profiles() {
		for _, way := range profile.Ways {
			asked := recovery.Asked{Way: way, Profile: profile, Transaction: recovery.Transaction{ID: "trial"}}
			if _, err := p.buildRequest(context.Background(), asked, p.deps.Clock().Add(time.Minute)); err != nil {
				problems = append(problems, fmt.Errorf("profiles (%s): wallets (%s): %w", profile.Name, way.Wallet, err))
			}
		}
	}
	return errors.Join(problems...)
}

func (p *Provider) doors(handle recovery.Handle) doors {
	return doors{request: p.cfg.Issuer + "/openid4vp/request/" + string(handle), response: p.cfg.Issuer + "/openid4vp/response/" + string(handle)}
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
	if e.inLink() {
		asked, err := p.deps.Recovery.Prepare(c, handle, p.buildRequest)
		if err != nil {
			return "", err
		}
		request = asked.Request()
	}
	return e.link(p.doors(handle), request, p.deps.Clock())
}

// queryFor asks for the claims that the profile matches, and for nothing else: not the portrait. Of the profile's
// alternatives it asks for those that the wallet's protocol can present.
func (p *Provider) queryFor(profile recovery.Profile, formats []string) (dcql.Query, error) {
	var asked []dcql.RecoveryParams
	for _, i := range rulesFor(profile, formats) {
		params, err := p.askFor(profile, profile.Credentials[i])
		if err != nil {
			return dcql.Query{}, err
		}
		asked = append(asked, params)
	}
	if len(asked) == 0 {
		return dcql.Query{}, fmt.Errorf("profile %s: no credential of it can be asked of this kind of wallet", profile.Name)
	}
	return dcql.Recovery(asked[0], asked[1:]...)
}

// rulesFor are the positions of the profile's credentials that are in one of the formats.
func rulesFor(profile recovery.Profile, formats []string) (rules []int) {
	for i, rule := range profile.Credentials {
		if slices.Contains(formats, rule.Format) {
			rules = append(rules, i)
		}
	}
	return rules
}

func (p *Provider) askFor(profile recovery.Profile, rule recovery.CredentialRule) (dcql.RecoveryParams, error) {
	params := dcql.RecoveryParams{Format: rule.Format, VerifiedIDTypes: rule.Types}
	for _, binding := range rule.Bindings {
		path, err := pathOf(binding.Claim)
		if err != nil {
			return params, err
		}
		if !slices.ContainsFunc(params.Claims, func(p dcql.Path) bool { return slices.Equal(p, path) }) {
			params.Claims = append(params.Claims, path)
		}
	}
	if !profile.FaceCheck.NotAsked {
		receipt := p.receiptFor(rule.Format)
		params.FaceCheckFormat, params.FaceCheckTypes = receipt.Format, receipt.Types
	}
	return params, nil
}

// receiptFor says which Face Check receipts go with a credential of a format: an SD-JWT VC, but for JWT VCs, whose
// wallets hold nothing else.
func (p *Provider) receiptFor(format string) verifier.Wanted {
	if format == dcql.FormatJWTVC {
		return verifier.Wanted{Format: dcql.FormatJWTVC, Types: p.cfg.ReceiptVCTypes}
	}
	return verifier.Wanted{Format: dcql.FormatSDJWT, Types: p.cfg.ReceiptTypes}
}

// present verifies the presentations of an opened answer, and has the domain weigh what they show.
func (p *Provider) present(c *gin.Context, d *diagnosis.Diagnosis, asked recovery.Asked, e exchange, answer opened) (recovery.Receipt, error) {
	d.Came = answer.ids()
	q, err := p.question(asked.Profile, e, answer)
	if err := d.Step("asked for", err); err != nil {
		return recovery.Receipt{}, p.rejected(c, asked, err)
	}
	verified, err := p.deps.Verifier.Verify(c, q.shown, q.expect)
	if err := d.Step("genuine", err); err != nil {
		return recovery.Receipt{}, p.rejected(c, asked, err)
	}
	for _, cause := range verified.Causes() {
		d.Note("credential", false, cause)
	}
	if err := d.Step("matches the query", q.compare(d, verified)); err != nil {
		return recovery.Receipt{}, p.rejected(c, asked, err)
	}
	receipt, err := p.deps.Recovery.Present(c, asked.Handle(), evidenceOf(verified, q.rule, asked.Profile.Credentials[q.rule].Bindings))
	for _, r := range receipt.Results {
		d.Note(r.Rule, r.Pass, r.Detail)
	}
	return receipt, d.Step("weighed", err)
}

// rejected records that an answer was refused, and returns why. What cannot be recorded is refused all the same.
func (p *Provider) rejected(c *gin.Context, asked recovery.Asked, cause error) error {
	if c.Request.Context().Err() != nil { // the wallet went away before a status list came: nothing was refused
		return cause
	}
	results := []recovery.RuleResult{
		{Rule: "presentation:" + string(asked.Way.Flow), Detail: cause.Error()}, {Rule: "correlation", Pass: true, Detail: correlationID(c)},
	}
	return errors.Join(cause, p.deps.Recovery.Reject(c, asked.Transaction, results))
}

// organisation is the client's name, "" for a client that was removed.
func (p *Provider) organisation(ctx context.Context, t recovery.Transaction) string {
	client, err := p.deps.OAuth.Client(ctx, string(t.Client))
	if err != nil {
		return ""
	}
	return client.Name
}
