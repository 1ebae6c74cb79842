package presentation

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"regain/presentation/dcql"
)

// TransactionType is the type of the only transaction data that we send (OpenID4VP 1.0 §8.4).
const TransactionType = "urn:regain:account-recovery:1"

// transactionHash is the only hash algorithm for transaction data that package verifier supports.
const transactionHash = "sha-256"

// TransactionData tells a wallet what the response authorises: the recovery of this account at this organisation
// (OpenID4VP 1.0 §5.1). The wallet shows it to the person, and the holder signs its hash. docs/protocols.md describes
// it for wallet makers.
type TransactionData struct {
	Type          string   `json:"type"` // TransactionType
	CredentialIDs []string `json:"credential_ids"`
	// HashAlgorithms lists the algorithms that the wallet may use for the hashes (OpenID4VP 1.0 Appendix B.3.3.1).
	HashAlgorithms []string `json:"transaction_data_hashes_alg"`
	Account        string   `json:"account"`      // masked: anyone who scans the QR code can read it
	Organisation   string   `json:"organisation"` // the organisation that the account belongs to
}

// NewTransactionData returns the transaction data of a recovery. The credential that answers one of these credential
// queries authorises it.
func NewTransactionData(account, organisation string, credentialIDs ...string) TransactionData {
	return TransactionData{
		Type: TransactionType, CredentialIDs: credentialIDs, HashAlgorithms: []string{transactionHash}, Account: account, Organisation: organisation,
	}
}

// Format keeps the account out of every fmt verb, since this type cannot know whether the account is masked.
func (d TransactionData) Format(f fmt.State, _ rune) { redact(f, "TransactionData "+d.Type+" ") }

// LogValue logs the type only.
func (d TransactionData) LogValue() slog.Value { return slog.StringValue(d.Type) }

// encodeTransactionData returns the base64url of each object's JSON, for the request (OpenID4VP 1.0 §5.1).
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

// validate returns an error for data that a wallet would refuse with invalid_transaction_data (OpenID4VP 1.0 §8.5), and
// for data whose authorisation could not be verified. Only an SD-JWT VC can authorise our data: for an mdoc the type
// would have to define a device-signed element (OpenID4VP 1.0 Appendix B.2.1).
func (d TransactionData) validate(q dcql.Query) error {
	if d.Type == "" || len(d.CredentialIDs) == 0 {
		return errors.New("it needs a type, and a credential that authorises it")
	}
	if !slices.Equal(d.HashAlgorithms, []string{transactionHash}) {
		return fmt.Errorf("its hashes have to be of %s and nothing else", transactionHash)
	}
	for i, id := range d.CredentialIDs {
		requested, ok := q.Credential(id)
		if !ok || requested.Format != dcql.FormatSDJWT || !requested.NeedsHolderBinding() {
			return fmt.Errorf("%s asks for no SD-JWT that its holder signs with", id)
		}
		if slices.Contains(d.CredentialIDs[:i], id) {
			return fmt.Errorf("%s stands twice", id)
		}
	}
	return nil
}
