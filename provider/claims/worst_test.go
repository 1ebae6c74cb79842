package claims_test

import (
	"testing"

	"regain/internal/costtest"
	"regain/internal/strictjson"
	"regain/provider/claims"
)

// The worst that the parameter claims can ask, and the release of what it asks.
func TestWorst(t *testing.T) {
	for name, value := range costtest.JSON(16<<10-100, strictjson.MaxValues-16) {
		for place, text := range map[string]string{
			"": value, "userinfo": `{"userinfo":` + value + "}", "verified claims": `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":` + value + "}}}",
			"verification": `{"userinfo":{"verified_claims":{"verification":` + value + `,"claims":{"email":null}}}}`, "several": `{"userinfo":{"verified_claims":` + value + "}}",
		} {
			costtest.Check(t, place+": "+name, func() {
				if request, err := claims.Parse(text); err == nil {
					claims.Release(request[claims.UserInfo], claims.Permit{Scopes: []string{"openid", "profile"}, UserInfo: true}, ada())
				}
			})
		}
	}
}
