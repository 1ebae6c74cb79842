package request

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"log/slog"
	"slices"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/agent"
	"regain/conformance/wallet/dcql"
)

const maxTransactions = 16

// Transaction is what the verifier wants the holder to authorise (OpenID4VP 1.0 §5.1, §8.4). Its
// details name an account, so it prints as its type only.
type Transaction struct {
	Type    string
	Details map[string]string // what it is about, by the members of its type
	Queries []string          // ids of the credential queries, one of which authorises it

	text       string   // as it stands in the request: hashes are over these characters
	algorithms []string // nil when the request names none
}

// String names the type and no details.
func (t Transaction) String() string { return "transaction of type " + t.Type }

// GoString is String.
func (t Transaction) GoString() string { return t.String() }

// LogValue is String for slog.
func (t Transaction) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText is String for JSON.
func (t Transaction) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// Hashes returns the Key Binding JWT's claims that authorise the transactions (OpenID4VP 1.0 Appendix B.3.3.1):
// their hashes, and the algorithm's name where one of them asks for it. ok is false when no
// algorithm does for all of them.
func Hashes(transactions []Transaction) (hashes []string, algorithm string, ok bool) {
	named := false
	for _, t := range transactions {
		named = named || t.algorithms != nil
	}
	for _, algorithm := range hashAlgorithms() {
		if slices.ContainsFunc(transactions, func(t Transaction) bool { return !t.takes(algorithm) }) {
			continue
		}
		for _, t := range transactions {
			hashes = append(hashes, digest(algorithm, t.text))
		}
		if !named {
			algorithm = ""
		}
		return hashes, algorithm, true
	}
	return nil, "", false
}

func (t Transaction) takes(algorithm string) bool {
	if t.algorithms == nil {
		return algorithm == "sha-256"
	}
	return slices.Contains(t.algorithms, algorithm)
}

func hashAlgorithms() []string { return []string{"sha-256", "sha-384", "sha-512"} }

func digest(algorithm, text string) string {
	encode := base64.RawURLEncoding.EncodeToString
	switch algorithm {
	case "sha-384":
		sum := sha512.Sum384([]byte(text))
		return encode(sum[:])
	case "sha-512":
		sum := sha512.Sum512([]byte(text))
		return encode(sum[:])
	}
	sum := sha256.Sum256([]byte(text))
	return encode(sum[:])
}

// transactions reads transaction_data. One entry that is not understood to the last member spoils
// them all: what the holder authorises has to be what the holder is shown (OpenID4VP 1.0 §8.5).
func (p Policy) transactions(raw json.RawMessage, q dcql.Query) ([]Transaction, error) {
	if raw == nil {
		return nil, nil
	}
	var texts []string
	if err := json.Unmarshal(raw, &texts); err != nil || len(texts) == 0 || len(texts) > maxTransactions {
		return nil, turnDown(InvalidTransactionData, "transaction_data is not a list of encoded objects")
	}
	var all []Transaction
	for _, text := range texts {
		t, err := p.transaction(text, q)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

func (p Policy) transaction(text string, q dcql.Query) (Transaction, error) {
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return Transaction{}, turnDown(InvalidTransactionData, "an entry is not base64url")
	}
	var common struct {
		Type       string   `json:"type"`
		Queries    []string `json:"credential_ids"`
		Algorithms []string `json:"transaction_data_hashes_alg"`
	}
	var members map[string]any
	if json.Unmarshal(decoded, &common) != nil || json.Unmarshal(decoded, &members) != nil {
		return Transaction{}, turnDown(InvalidTransactionData, "an entry is not the JSON expected")
	}
	kind, known := p.transactionType(common.Type)
	if !known {
		return Transaction{}, turnDown(InvalidTransactionData, "an entry is of a type that this wallet does not know")
	}
	t := Transaction{Type: common.Type, Queries: common.Queries, text: text, algorithms: common.Algorithms}
	if !t.authorisable(q) {
		return Transaction{}, turnDown(InvalidTransactionData, "credential_ids names no credential whose holder can authorise anything")
	}
	if _, _, ok := Hashes([]Transaction{t}); !ok {
		return Transaction{}, turnDown(InvalidTransactionData, "an entry wants a hash that this wallet cannot make")
	}
	for _, name := range []string{"type", "credential_ids", "transaction_data_hashes_alg"} {
		delete(members, name)
	}
	t.Details, err = kind.details(members)
	return t, err
}

// authorisable reports whether every credential that the entry names can carry hashes: an SD-JWT VC
// with its holder's signature. What an mdoc would sign, its issuer has to have allowed, and none
// does for our types (OpenID4VP 1.0 Appendix B.2.1, B.3.3).
func (t Transaction) authorisable(q dcql.Query) bool {
	if !allKnown(t.Queries, q) {
		return false
	}
	return !slices.ContainsFunc(q.Credentials, func(c dcql.Credential) bool {
		return slices.Contains(t.Queries, c.ID) && (c.Format != dcql.SDJWT || !c.NeedsHolder())
	})
}

func (t TransactionType) details(members map[string]any) (map[string]string, error) {
	details := map[string]string{}
	for name, value := range members {
		text, ok := value.(string)
		if !ok || text == "" || !slices.Contains(slices.Concat(t.Required, t.Optional), name) {
			return nil, turnDown(InvalidTransactionData, "an entry has a member that its type does not have, or not so")
		}
		details[name] = agent.Clip(text)
	}
	for _, name := range t.Required {
		if details[name] == "" {
			return nil, turnDown(InvalidTransactionData, "an entry lacks a member that its type requires")
		}
	}
	return details, nil
}
