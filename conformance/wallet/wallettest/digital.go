package wallettest

import (
	"encoding/json"
	"maps"
	"strings"

	"regain/conformance/mdoc"
	"regain/conformance/wallet"
)

// Origin is the origin of a page in a test.
const Origin = "https://verifier.example"

// Digital is a request over the Digital Credentials API, of the exchange protocol
// openid4vp-v1-<kind> (OpenID4VP 1.0 Appendix A).
func (v *Verifier) Digital(kind string) wallet.DigitalRequest {
	v.T.Helper()
	object := v.digitalObject()
	data := map[string]any{}
	switch kind {
	case "signed":
		data["request"] = v.Sign(object)
	case "multisigned":
		data = v.multiSigned(object)
	default:
		delete(object, "client_id")
		delete(object, "expected_origins")
		data = object
	}
	return wallet.DigitalRequest{Protocol: "openid4vp-v1-" + kind, Data: json.RawMessage(ToJSON(v.T, data)), Origin: Origin}
}

func (v *Verifier) digitalObject() map[string]any {
	object := v.Object()
	for _, name := range []string{"response_uri", "state", "aud", "iat", "exp"} {
		delete(object, name)
	}
	object["expected_origins"] = []string{"https://other.example", Origin}
	return change(object, v.Claims)
}

// multiSigned signs the object as a stranger, as the verifier, and as the verifier under an unknown
// prefix: each signature has the client_id in its header, and the shared payload has none.
func (v *Verifier) multiSigned(object map[string]any) map[string]any {
	v.T.Helper()
	payload := maps.Clone(object)
	delete(payload, "client_id")
	var signatures []any
	var encoded string
	for _, signer := range []map[string]any{
		{"client_id": "openid_federation:https://verifier.example"}, {"client_id": v.ClientID, "x5c": v.Signs.X5C(), "verifier_info": v.Info}, {"client_id": "x509_hash:abc"},
	} {
		if signer["verifier_info"] == nil || v.Info == nil {
			delete(signer, "verifier_info")
		}
		parts := strings.Split(SignAs(v.T, v.Signs.Key, v.Typ, signer, payload), ".")
		encoded = parts[1]
		signatures = append(signatures, map[string]any{"protected": parts[0], "signature": parts[2]})
	}
	return map[string]any{"payload": encoded, "signatures": signatures}
}

// DigitalTranscript is the session transcript that an mdoc has to be presented over to the page.
func (v *Verifier) DigitalTranscript() mdoc.Transcript {
	v.T.Helper()
	thumbprint := v.Thumbprint()
	if v.Mode == "dc_api" {
		thumbprint = nil
	}
	return v.transcript(mdoc.DigitalCredentials(Origin, v.Nonce, thumbprint))
}

// ReadDigital takes the data object of a result apart.
func (v *Verifier) ReadDigital(data []byte) Answer {
	v.T.Helper()
	var wrapped struct {
		Response string `json:"response"`
	}
	FromJSON(v.T, data, &wrapped)
	if wrapped.Response == "" {
		return v.Read(data, nil)
	}
	header, plaintext := v.Open(wrapped.Response)
	return v.Read(plaintext, header)
}
