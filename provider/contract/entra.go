package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"regain/provider/claims"
)

// ErrUnmet means that nothing that happens here satisfies the factors that the request asks for.
var ErrUnmet = errors.New("neither possession of the wallet nor the face satisfies the request")

// method is one way of authentication in the contract's table of types.
type method struct{ amr, kind string }

// methods are what a recovery here consists of: the face, and the proof of possession of the wallet's key.
func methods() []method { return []method{{"face", "inherence"}, {"pop", "possession"}} }

// ChooseEntra picks the acr, exactly one of those requested, and the amr, exactly one that was requested and is of a type
// that the acr names.
func ChooseEntra(wanted claims.Request) (acr, amr string, err error) {
	allowed := listOf(wanted[claims.IDToken]["amr"])
	for _, acr := range listOf(wanted[claims.IDToken]["acr"]) {
		kinds := strings.Split(acr, "or")
		for _, m := range methods() {
			if slices.Contains(kinds, m.kind) && slices.Contains(allowed, m.amr) {
				return acr, m.amr, nil
			}
		}
	}
	return "", "", ErrUnmet
}

// listOf reads the values of a claim's request.
func listOf(want any) []string {
	conditions, _ := want.(map[string]any)
	list, _ := conditions["values"].([]any)
	if value, there := conditions["value"]; there {
		list = append(list, value)
	}
	var values []string
	for _, value := range list {
		if text, ok := value.(string); ok {
			values = append(values, text)
		}
	}
	return values
}

// EntraToken is the ID token of the contract.
type EntraToken struct {
	Issuer   string   `json:"iss"`
	Audience string   `json:"aud"`
	Subject  string   `json:"sub"` // that of the id_token_hint
	IssuedAt int64    `json:"iat"`
	Expiry   int64    `json:"exp"`
	Nonce    string   `json:"nonce"`
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr"` // one element
}

func encode(value any) (string, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("encode: %w", err)
	}
	return string(text), nil
}
