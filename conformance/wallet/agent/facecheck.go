package agent

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Nonce fetches a c_nonce (OpenID4VCI 1.0 §7), and returns the answer's header too, which may hold one for DPoP.
// Without an endpoint there is none.
func (a Agent) Nonce(ctx context.Context, endpoint string) (string, http.Header, error) {
	if endpoint == "" {
		return "", nil, nil
	}
	answer, err := a.expected(a.Send(ctx, http.MethodPost, endpoint, http.Header{"Accept": {JSON}}, ""))
	if err != nil {
		return "", nil, fmt.Errorf("fetching a nonce: %w", err)
	}
	var body struct {
		Nonce string `json:"c_nonce"`
	}
	if err := answer.Decode(&body); err != nil {
		return "", nil, fmt.Errorf("reading the nonce: %w", err)
	}
	if body.Nonce == "" {
		return "", nil, errors.New("reading the nonce: c_nonce is missing")
	}
	return body.Nonce, answer.Header, nil
}

// FaceCheck sends a presentation of a portrait and a selfie to the issuer of the credential, and returns the receipt
// (docs/protocols.md, part 3). nonce is for a presentation that does not carry it, empty for others.
func (a Agent) FaceCheck(ctx context.Context, to, presentation, nonce string, selfie []byte) (string, error) {
	members := map[string]string{"presentation": presentation, "selfie": base64.RawURLEncoding.EncodeToString(selfie)}
	if nonce != "" {
		members["nonce"] = nonce
	}
	body, err := json.Marshal(members)
	if err != nil {
		return "", fmt.Errorf("encoding the request: %w", err)
	}
	answer, err := a.Post(ctx, to, JSON, string(body))
	if err != nil {
		return "", err
	}
	var got struct {
		Receipt string `json:"receipt"`
	}
	err = answer.Decode(&got)
	return got.Receipt, err
}

// CheckResult reports why faceCheckResults of a receipt do not speak of this credential and of this very portrait alone.
func CheckResult(claim any, jti, digest string) error {
	results, _ := claim.([]any)
	if len(results) != 1 {
		return errors.New("it does not hold exactly one result")
	}
	result, _ := results[0].(map[string]any)
	if result["sourceVcJti"] != jti {
		return errors.New("it is about another credential")
	}
	if result["sourcePhotoDigest"] != digest {
		return errors.New("it is about another portrait")
	}
	return nil
}
