package testenv

import (
	"strings"

	"regain/conformance/proofing"
	"regain/internal/config"
)

// AskAuthenticators changes Regain's configuration (Options.Change) to ask wallets like Microsoft Authenticator, and no
// others, for the JWT VCs that the proofing provider issues. Both sides are known by a did:web, so the test environment needs TLS.
func AskAuthenticators(cfg *config.Config) {
	_, host, _ := strings.Cut(cfg.Issuer, "://")
	cfg.Wallets = []config.WalletConfig{{
		Name: "authenticator", DisplayName: "Authenticator", Protocol: "authenticator", KeyID: "request-1",
		ClientID: "did:web:" + strings.Replace(host, ":", "%3A", 1), ClientPurpose: "To recover your account",
	}}
	claims := map[string]string{"given_name": "credentialSubject/firstName", "family_name": "credentialSubject/lastName"}
	for i, profile := range cfg.Profiles {
		credential := config.CredentialConfig{Format: "jwt_vc_json", Types: []string{"VerifiableCredential " + proofing.IdentityType}}
		for _, b := range profile.Credential.Bindings {
			b.Claim = claims[b.Attribute]
			credential.Bindings = append(credential.Bindings, b)
		}
		cfg.Profiles[i].Credential = credential
	}
}
