package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"regain/provider/claims"
)

// ErrUnmet means that a recovery provides none of the factors that the request requires.
var ErrUnmet = errors.New("neither possession of the wallet nor the face satisfies the request")

// method is an authentication method with its type in the contract's table.
type method struct{ amr, kind string }

// methods returns the authentication methods of a recovery: the face, and proof of possession of the wallet's key.
func methods() []method { return []method{{"face", "inherence"}, {"pop", "possession"}} }

// ChooseEntra returns one of the requested acr values, and one of the requested amr values whose type that acr
// includes. The contract requires exactly one of each.
func ChooseEntra(wanted claims.Request) (acr, amr string, err error) {
	allowed := requestedValues(wanted[claims.IDToken]["amr"])
	for _, acr := range requestedValues(wanted[claims.IDToken]["acr"]) {
		kinds := strings.Split(acr, "or")
		for _, m := range methods() {
			if slices.Contains(kinds, m.kind) && slices.Contains(allowed, m.amr) {
				return acr, m.amr, nil
			}
		}
	}
	return "", "", ErrUnmet
}

// requestedValues returns the value and values members of a claim's request.
func requestedValues(want any) []string {
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
	Subject  string   `json:"sub"` // sub of the id_token_hint
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
