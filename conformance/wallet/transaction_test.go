package wallet_test

import (
	"crypto/sha512"
	"fmt"
	"slices"
	"strings"
	"testing"

	"regain/conformance/wallet"
	"regain/conformance/wallet/request"
	"regain/conformance/wallet/wallettest"
)

// recovery is transaction data as a verifier writes it, after spoil.
func recovery(t *testing.T, spoil func(map[string]any)) string {
	t.Helper()
	entry := map[string]any{"type": request.AccountRecovery, "credential_ids": []string{"verified_id"},
		"account": "ada@example.org", "organisation": "Contoso"}
	if spoil != nil {
		spoil(entry)
	}
	return wallettest.Encode([]byte(wallettest.ToJSON(t, entry)))
}

func transacting(t *testing.T, entries ...string) *wallettest.Env {
	t.Helper()
	w := wallettest.WithCredential(t)
	w.ImportLicence(t, nil)
	w.Verifier.Query = wallettest.BothQuery()
	w.Verifier.Claims = set("transaction_data", entries)
	return w
}

func TestTransactionsAreAuthorised(t *testing.T) {
	first, second := recovery(t, nil), recovery(t, set("organisation", "Fabrikam"))
	sha512of := func(text string) string { sum := sha512.Sum512([]byte(text)); return wallettest.Encode(sum[:]) }
	named := recovery(t, set("transaction_data_hashes_alg", []string{"sha-1", "sha-512"}))
	both := recovery(t, set("transaction_data_hashes_alg", []string{"sha-512", "sha-256"}))
	for name, test := range map[string]struct {
		entries []string
		hashes  []any
		alg     any
	}{
		"one":                 {[]string{first}, []any{wallettest.Digest(first)}, nil},
		"two, in their order": {[]string{second, first}, []any{wallettest.Digest(second), wallettest.Digest(first)}, nil},
		"by another hash":     {[]string{named}, []any{sha512of(named)}, "sha-512"},
		"by the hash of both": {[]string{named, both}, []any{sha512of(named), sha512of(both)}, "sha-512"},
		"by the default":      {[]string{both, first}, []any{wallettest.Digest(both), wallettest.Digest(first)}, "sha-256"},
		"naming one twice":    {[]string{recovery(t, set("credential_ids", []string{"verified_id", "verified_id"}))}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := transacting(t, test.entries...)
			r := w.Review(t)
			if len(r.Transactions) != len(test.entries) || r.Transactions[0].Details["account"] != "ada@example.org" {
				t.Errorf("the review shows %v", r.Transactions)
			}
			if _, err := w.Wallet.Share(t.Context(), r, wallet.ShareOptions{}); err != nil {
				t.Fatal(err)
			}
			shown := w.Verifier.Answer().Token["verified_id"][0]
			hashes, _ := shown.Binding["transaction_data_hashes"].([]any)
			if !shown.Sound() || (test.hashes != nil && !slices.Equal(hashes, test.hashes)) || shown.Binding["transaction_data_hashes_alg"] != test.alg {
				t.Errorf("the Key Binding JWT says %v, %v", hashes, shown.Binding["transaction_data_hashes_alg"])
			}
		})
	}
}

func TestTransactionsTurnedDown(t *testing.T) {
	for name, entries := range map[string][]string{
		"none":                    {},
		"unknown type":            {recovery(t, set("type", "urn:other"))},
		"one of two unknown":      {recovery(t, nil), recovery(t, set("type", "urn:other"))},
		"no type":                 {recovery(t, unset("type"))},
		"no credentials":          {recovery(t, unset("credential_ids"))},
		"empty credentials":       {recovery(t, set("credential_ids", []string{}))},
		"another's credential":    {recovery(t, set("credential_ids", []string{"x"}))},
		"one of two another's":    {recovery(t, set("credential_ids", []string{"verified_id", "x"}))},
		"an mdoc":                 {recovery(t, set("credential_ids", []string{"licence"}))},
		"credentials as text":     {recovery(t, set("credential_ids", "verified_id"))},
		"unknown member":          {recovery(t, set("amount", "12"))},
		"a member of wrong type":  {recovery(t, set("account", 1))},
		"an empty member":         {recovery(t, set("account", ""))},
		"no account":              {recovery(t, unset("account"))},
		"no organisation":         {recovery(t, unset("organisation"))},
		"a hash it cannot make":   {recovery(t, set("transaction_data_hashes_alg", []string{"sha-1"}))},
		"no hash":                 {recovery(t, set("transaction_data_hashes_alg", []string{}))},
		"hashes as text":          {recovery(t, set("transaction_data_hashes_alg", "sha-256"))},
		"no hash in common":       {recovery(t, nil), recovery(t, set("transaction_data_hashes_alg", []string{"sha-512"}))},
		"padded":                  {recovery(t, nil) + "="},
		"no base64url":            {"%"},
		"no JSON":                 {wallettest.Encode([]byte("x"))},
		"no object":               {wallettest.Encode([]byte("[]"))},
		"a member twice":          {wallettest.Encode([]byte(`{"type":"a","type":"b"}`))},
		"more than anybody wants": slices.Repeat([]string{recovery(t, nil)}, 17),
	} {
		t.Run(name, func(t *testing.T) {
			w := transacting(t, entries...)
			_, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
			turnedDown(t, err, "invalid_transaction_data")
			if _, err := w.Wallet.Report(t.Context(), err); err != nil {
				t.Errorf("the verifier is not told: %v", err)
			}
		})
	}
	w := transacting(t)
	w.Verifier.Claims = set("transaction_data", "e30")
	_, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
	turnedDown(t, err, "not a list")
}

func TestTransactionsWithoutAHolder(t *testing.T) {
	w := transacting(t, recovery(t, nil))
	w.Verifier.Query["credentials"].([]any)[0].(map[string]any)["require_cryptographic_holder_binding"] = false
	_, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
	turnedDown(t, err, "invalid_transaction_data")
}

// The credential that a transaction names has to be among those that are shared.
func TestTransactionsOfWhatIsNotShared(t *testing.T) {
	w := transacting(t, recovery(t, nil))
	w.Verifier.Query["credential_sets"] = []any{map[string]any{"options": []any{[]string{"licence"}}}}
	_, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
	turnedDown(t, err, "no credential that is shared")
}

func TestOtherTypesOfTransaction(t *testing.T) {
	w := wallettest.New(t)
	w.Config.Requests.Transactions = map[string]request.TransactionType{"urn:payment": {Required: []string{"amount"}, Optional: []string{"for"}}}
	w.Remake(t)
	w.Accept(t)
	w.Verifier.Query = wallettest.IdentityQuery()
	pay := func(entry map[string]any) {
		clear(entry)
		entry["type"], entry["amount"], entry["credential_ids"] = "urn:payment", "12", []string{"verified_id"}
	}
	w.Verifier.Claims = set("transaction_data", []string{recovery(t, pay)})
	if r := w.Review(t); r.Transactions[0].Details["amount"] != "12" {
		t.Errorf("got %v", r.Transactions)
	}
	w.Verifier.Claims = set("transaction_data", []string{recovery(t, nil)})
	_, err := w.Wallet.Review(t.Context(), w.Verifier.Link("post"))
	turnedDown(t, err, "does not know")
}

func TestTransactionsAreNotPrinted(t *testing.T) {
	w := transacting(t, recovery(t, nil))
	r := w.Review(t)
	printed := fmt.Sprintf("%v %+v %#v %v %+v %#v", r.Transactions, r.Transactions, r.Transactions, r.Shares, r.Shares, r.Shares) + wallettest.ToJSON(t, r.Transactions)
	if strings.Contains(printed, "ada@example.org") || !strings.Contains(printed, request.AccountRecovery) {
		t.Errorf("printed %s", printed)
	}
}
