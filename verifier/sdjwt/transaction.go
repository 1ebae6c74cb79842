package sdjwt

import (
	"crypto/sha256"
	"fmt"

	"regain/verifier/internal/jws"
)

// transactionHash is the default of transaction_data_hashes_alg, and the only value that our requests offer.
const transactionHash = "sha-256"

// checkTransactionData checks that the key binding JWT has the hash of each transaction data object of the request, in
// order, over the base64url text of the request (OpenID4VP 1.0 Appendix B.3.3.1). If the request had none, hashes in
// the key binding JWT are ignored.
func checkTransactionData(payload map[string]any, data []string) error {
	if len(data) == 0 {
		return nil
	}
	if alg, there := payload["transaction_data_hashes_alg"]; there && alg != transactionHash {
		return fmt.Errorf("%w: transaction_data_hashes_alg is not %s", ErrHolder, transactionHash)
	}
	hashes, _ := payload["transaction_data_hashes"].([]any)
	if len(hashes) != len(data) {
		return fmt.Errorf("%w: transaction_data_hashes is missing, or not of the data that was sent", ErrHolder)
	}
	for i, text := range data {
		sum := sha256.Sum256([]byte(text))
		if hashes[i] != jws.Encode(sum[:]) {
			return fmt.Errorf("%w: transaction_data_hashes is not of the data that was sent", ErrHolder)
		}
	}
	return nil
}
