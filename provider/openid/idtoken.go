package openid

import (
	"slices"

	"regain/provider/claims"
	"regain/provider/contract"
	"regain/provider/oauth"
	"regain/recovery"
)

// idTokenClaims are what the claims parameter asks for in the ID token and what the client has by registration, beyond the
// protocol's own claims.
func (t *tokens) idTokenClaims(redeemed oauth.Redemption) (map[string]any, error) {
	wanted, err := claims.Parse(redeemed.ClaimsRequest)
	if err != nil || len(wanted[claims.IDToken]) == 0 && len(redeemed.Client.Claims) == 0 {
		return nil, err
	}
	if redeemed.Client.Contract == contract.OktaIDV {
		return t.oktaClaims(redeemed, wanted)
	}
	subject := t.subject(redeemed.Client, redeemed.Account, recovery.ProfileName(redeemed.Profile), redeemed.AuthTime)
	return claims.Release(wanted[claims.IDToken], claims.Permit{Scopes: redeemed.Scopes, Own: redeemed.Client.OwnClaims()}, subject), nil
}

// oktaClaims are the verified_claims of okta-idv: each value that Okta has, held against the account's attributes that the
// recovery profile matched with the Verified ID.
func (t *tokens) oktaClaims(redeemed oauth.Redemption, wanted claims.Request) (map[string]any, error) {
	asked, err := contract.ReadOkta(wanted)
	if err != nil {
		return nil, err
	}
	result := contract.OktaResult{Approved: !redeemed.Failed, Time: redeemed.AuthTime, Transaction: redeemed.Transaction}
	if result.Approved {
		matched, _ := t.recovery.Profiles().Verified(recovery.ProfileName(redeemed.Profile))
		result.Verified = func(name, value string) bool {
			attribute := recovery.AttributeName(name)
			return slices.Contains(matched, attribute) &&
				recovery.Equivalent(redeemed.Account.Attributes[attribute], value)
		}
	}
	return map[string]any{"verified_claims": result.VerifiedClaims(asked)}, nil
}
