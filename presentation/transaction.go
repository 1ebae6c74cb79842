package presentation

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"regain/presentation/dcql"
)

// TransactionType is the type of our one kind of transaction data (OpenID4VP 1.0 §8.4).
const TransactionType = "urn:regain:account-recovery:1"

// transactionHash is the one algorithm that package verifier knows for the hashes of transaction data.
const transactionHash = "sha-256"

// TransactionData tells a wallet what its answer is for, so that it can say so to the person, and has the answer signed
// over it: recover this account at this organisation (§5.1). docs/protocols.md describes it for wallet makers.
type TransactionData struct {
	Type          string   `json:"type"` // TransactionType
	CredentialIDs []string `json:"credential_ids"`
	// HashAlgorithms are those that the answer's hashes may be of (Appendix B.3.3.1).
	HashAlgorithms []string `json:"transaction_data_hashes_alg"`
	Account        string   `json:"account"`      // masked: whoever scans a QR code reads this
	Organisation   string   `json:"organisation"` // whose account it is
}

// NewTransactionData is the data of a recovery, authorised by the credential that answers the query with one of these ids.
func NewTransactionData(account, organisation string, credentialIDs ...string) TransactionData {
	return TransactionData{
		Type: TransactionType, CredentialIDs: credentialIDs, HashAlgorithms: []string{transactionHash}, Account: account, Organisation: organisation,
	}
}

// Format keeps the account out of every fmt verb: that it is masked is for whoever made it to say.
func (d TransactionData) Format(f fmt.State, _ rune) { redact(f, "TransactionData "+d.Type+" ") }

// LogValue shows slog the type.
func (d TransactionData) LogValue() slog.Value { return slog.StringValue(d.Type) }

// encodeTransactionData is base64url of each object's JSON, as it stands in the request.
func encodeTransactionData(list []TransactionData, q dcql.Query) ([]string, error) {
	var encoded []string
	for _, data := range list {
		if err := data.validate(q); err != nil {
			return nil, fmt.Errorf("transaction_data: %w", err)
		}
		raw, err := json.Marshal(data)
		if err != nil {
			return nil, fmt.Errorf("transaction_data: %w", err)
		}
		encoded = append(encoded, encode(raw))
	}
	return encoded, nil
}

// validate refuses what a wallet would (§8.5, invalid_transaction_data), and what could not be verified afterwards. Only
// SD-JWT credentials can authorise ours: for an mdoc the type would have to name a device-signed element (Appendix B.2.1).
func (d TransactionData) validate(q dcql.Query) error {
	if d.Type == "" || len(d.CredentialIDs) == 0 {
		return errors.New("it wants a type, and a credential that authorises it")
	}
	if !slices.Equal(d.HashAlgorithms, []string{transactionHash}) {
		return fmt.Errorf("its hashes have to be of %s and nothing else", transactionHash)
	}
	for i, id := range d.CredentialIDs {
		asked, ok := q.Credential(id)
		if !ok || asked.Format != dcql.FormatSDJWT || !asked.NeedsHolderBinding() {
			return fmt.Errorf("%s asks for no SD-JWT that its holder signs with", id)
		}
		if slices.Contains(d.CredentialIDs[:i], id) {
			return fmt.Errorf("%s stands twice", id)
		}
	}
	return nil
}
