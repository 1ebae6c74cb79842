package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/recovery"
	"regain/verifier"
)

// Wallet is one kind of wallet, as the operator names it for people and as it is spoken to.
type Wallet struct {
	presentation.Profile
	// DisplayName is what people call it, "" for any wallet.
	DisplayName string
	// TransactionData tells wallets of this kind which account is recovered, and has them sign that.
	TransactionData bool
}

// wallet returns the kind of wallet of a way. Configuration names no other, so a missing one is a server error.
func (p *Provider) wallet(way recovery.Way) (Wallet, error) {
	w, ok := p.cfg.Wallets[way.Wallet]
	if !ok {
		return Wallet{}, fmt.Errorf("the wallet profile %q is no longer configured", way.Wallet)
	}
	return w, nil
}

// opened returns the request behind an opened door, and the kind of wallet that it was made for.
func (p *Provider) opened(asked recovery.Asked) (Wallet, presentation.Request, error) {
	var request presentation.Request
	wallet, err := p.wallet(asked.Way)
	if err != nil {
		return wallet, request, err
	}
	if asked.Request() == nil {
		return wallet, request, recovery.ErrNoTransaction // answered before it was fetched
	}
	if err := json.Unmarshal(asked.Request(), &request); err != nil {
		return wallet, request, fmt.Errorf("decode presentation request: %w", err)
	}
	return wallet, request, nil
}

// buildRequest makes the presentation request when it is first asked for: fresh nonce, state and key.
func (p *Provider) buildRequest(ctx context.Context, asked recovery.Asked, expires time.Time) ([]byte, error) {
	wallet, err := p.wallet(asked.Way)
	if err != nil {
		return nil, err
	}
	query, err := p.queryFor(asked.Profile)
	if err != nil {
		return nil, err
	}
	now := p.deps.Clock()
	params := presentation.RequestParams{Query: query, Lifetime: min(p.cfg.RequestLifetime, expires.Sub(now))}
	if asked.Way.Flow == recovery.FlowBrowser {
		params.Origin = p.cfg.Issuer
	} else {
		params.ResponseURI = p.responseURI(asked.Handle())
	}
	if wallet.TransactionData {
		params.TransactionData = []presentation.TransactionData{
			presentation.NewTransactionData(asked.Transaction.Account.Mask(), p.organisation(ctx, asked.Transaction), dcql.VerifiedID),
		}
	}
	request, err := wallet.NewRequest(params, p.deps.Random, now)
	if err != nil {
		return nil, err
	}
	return json.Marshal(request)
}

func (p *Provider) responseURI(handle recovery.Handle) string {
	return p.cfg.Issuer + "/openid4vp/response/" + string(handle)
}

// requestURL is what the link or the QR code of a way says.
func (p *Provider) requestURL(c *gin.Context, t recovery.Transaction, way recovery.Way) (string, error) {
	handle := t.HandleOf(way)
	if handle == "" {
		return "", errNoQR
	}
	wallet, err := p.wallet(way)
	if err != nil {
		return "", err
	}
	if !wallet.ByValue {
		return wallet.Link(p.cfg.Issuer+"/openid4vp/request/"+string(handle), p.responseURI(handle))
	}
	asked, err := p.deps.Recovery.Prepare(c, handle, p.buildRequest)
	if err != nil {
		return "", err
	}
	_, request, err := p.opened(asked)
	if err != nil {
		return "", err
	}
	return wallet.LinkWith(request, p.deps.Clock())
}

// queryFor asks for the claims that the profile matches, and for nothing else: not the portrait.
func (p *Provider) queryFor(profile recovery.Profile) (dcql.Query, error) {
	rule := profile.Credentials[0]
	claims := make([]dcql.Path, 0, len(rule.Bindings))
	for _, binding := range rule.Bindings {
		path := dcql.Path{dcql.Name(string(binding.Claim))}
		if !slices.ContainsFunc(claims, func(p dcql.Path) bool { return slices.Equal(p, path) }) {
			claims = append(claims, path)
		}
	}
	params := dcql.RecoveryParams{VerifiedIDTypes: rule.Types, Claims: claims}
	if !profile.FaceCheck.NotAsked {
		params.FaceCheckTypes = p.cfg.ReceiptTypes
	}
	return dcql.Recovery(params)
}

// present verifies the presentations of an opened answer, and has the domain weigh what they show.
func (p *Provider) present(c *gin.Context, asked recovery.Asked, request presentation.Request, answer presentation.Answer) (recovery.Receipt, error) {
	rule := asked.Profile.Credentials[0]
	shown, expect := verifier.Presentation{}, verifier.Expect{
		Session: verifier.Session{
			Nonce: request.Nonce, Audience: request.Audience(), ResponseURI: request.ResponseURI, Origin: request.Origin, Thumbprint: request.Thumbprint(),
		},
		VerifiedID: verifier.Wanted{Format: rule.Format, Types: rule.Types}, TransactionData: request.TransactionData,
	}
	shown.VerifiedID = answer.Presentations[dcql.VerifiedID][0]
	if !asked.Profile.FaceCheck.NotAsked {
		shown.FaceCheck = answer.Presentations[dcql.FaceCheck][0]
		expect.FaceCheck = verifier.Wanted{Format: dcql.FormatSDJWT, Types: p.cfg.ReceiptTypes}
	}
	verified, err := p.deps.Verifier.Verify(c, shown, expect)
	if err != nil {
		return recovery.Receipt{}, p.rejected(c, asked, err)
	}
	return p.deps.Recovery.Present(c, asked.Handle(), evidenceOf(verified, 0, rule.Bindings))
}

// rejected records that an answer was refused, and returns why. What cannot be recorded is refused all the same.
func (p *Provider) rejected(c *gin.Context, asked recovery.Asked, cause error) error {
	if c.Request.Context().Err() != nil { // the wallet went away before a status list came: nothing was refused
		return cause
	}
	results := []recovery.RuleResult{{Rule: "presentation:" + string(asked.Way.Flow), Detail: cause.Error()}, {Rule: "correlation", Pass: true, Detail: correlationID(c)}}
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
