package presentation

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"regain/presentation/dcql"
)

// TransactionType is the type of our one kind of transaction data (OpenID4VP 1.0 §8.4).
const TransactionType = "urn:regain:account-recovery:1"

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

// NewTransactionData is the data of a recovery, authorised by the credential that answers the query with this id.
func NewTransactionData(account, organisation, credentialID string) TransactionData {
	return TransactionData{
		Type: TransactionType, CredentialIDs: []string{credentialID}, HashAlgorithms: []string{"sha-256"}, Account: account, Organisation: organisation,
	}
}

// encodeTransactionData is base64url of each object's JSON. Only SD-JWT credentials can authorise ours: for an mdoc the
// type would have to name a device-signed element (Appendix B.2.1).
func encodeTransactionData(list []TransactionData, q dcql.Query) ([]string, error) {
	var encoded []string
	for _, data := range list {
		if len(data.CredentialIDs) == 0 {
			return nil, errors.New("transaction_data: nothing could authorise it")
		}
		for _, id := range data.CredentialIDs {
			i := slices.IndexFunc(q.Credentials, func(c dcql.Credential) bool { return c.ID == id })
			if i < 0 || q.Credentials[i].Format != dcql.FormatSDJWT || !q.Credentials[i].NeedsHolderBinding() {
				return nil, fmt.Errorf("transaction_data: %s asks for no SD-JWT that its holder signs with", id)
			}
		}
		raw, err := json.Marshal(data)
		if err != nil {
			return nil, fmt.Errorf("transaction_data: %w", err)
		}
		encoded = append(encoded, encode(raw))
	}
	return encoded, nil
}
