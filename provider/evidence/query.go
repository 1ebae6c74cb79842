// Package evidence translates between the domain and the wallet protocols: a recovery profile becomes a query, an answer
// becomes evidence.
//
//	Rules.Query    a profile's credentials as a DCQL query, for the formats that a wallet's protocol supports
//	Rules.Verify   verifies an answer, compares it with the query (wallets are not trusted to have followed it), and
//	               returns it as recovery.Evidence
package evidence

import (
	"fmt"
	"slices"
	"strings"

	"regain/presentation/dcql"
	"regain/recovery"
	"regain/verifier"
)

// Rules build queries and verify answers. They are safe for concurrent use after the last Prepare.
type Rules struct {
	receipts, receiptVCs []string
	queries              map[key]dcql.Query // built once by Prepare: profiles do not change
}

// key identifies a query: a profile, and the formats of a protocol.
type key struct {
	profile recovery.ProfileName
	formats string
}

func keyOf(profile recovery.Profile, formats []string) key {
	return key{profile.Name, strings.Join(formats, " ")}
}

// New returns rules for Face Check receipts of these types: vct values of SD-JWT VCs, and W3C types of JWT VCs.
func New(receipts, receiptVCs []string) *Rules {
	return &Rules{receipts: receipts, receiptVCs: receiptVCs, queries: make(map[key]dcql.Query)}
}

// Prepare builds and checks the query of a profile for a protocol's formats. Call it at the start, before any Query.
func (r *Rules) Prepare(profile recovery.Profile, formats []string) error {
	q, err := r.query(profile, formats)
	if err != nil {
		return err
	}
	r.queries[keyOf(profile, formats)] = q
	return nil
}

// Query returns the query for the claims that the profile matches, and for no others (data minimisation): not the
// portrait. It includes those of the profile's alternatives that are in one of the formats.
func (r *Rules) Query(profile recovery.Profile, formats []string) (dcql.Query, error) {
	if q, prepared := r.queries[keyOf(profile, formats)]; prepared {
		return q, nil
	}
	return r.query(profile, formats)
}

func (r *Rules) query(profile recovery.Profile, formats []string) (dcql.Query, error) {
	var asked []dcql.RecoveryParams
	for _, i := range rulesIn(profile, formats) {
		params, err := r.params(profile, profile.Credentials[i])
		if err != nil {
			return dcql.Query{}, err
		}
		asked = append(asked, params)
	}
	if len(asked) == 0 {
		return dcql.Query{}, fmt.Errorf("profile %s: no credential of it can be asked of this kind of wallet", profile.Name)
	}
	return dcql.Recovery(asked[0], asked[1:]...)
}

// rulesIn returns the indexes of the profile's credentials that are in one of the formats.
func rulesIn(profile recovery.Profile, formats []string) (rules []int) {
	for i, rule := range profile.Credentials {
		if slices.Contains(formats, rule.Format) {
			rules = append(rules, i)
		}
	}
	return rules
}

func (r *Rules) params(profile recovery.Profile, rule recovery.CredentialRule) (dcql.RecoveryParams, error) {
	params := dcql.RecoveryParams{Format: rule.Format, VerifiedIDTypes: rule.Types}
	for _, binding := range rule.Bindings {
		path, err := pathOf(binding.Claim)
		if err != nil {
			return params, err
		}
		if rule.Format == dcql.FormatSDJWT && slices.ContainsFunc(path, func(s dcql.Step) bool { _, named := s.Name(); return !named }) {
			return params, fmt.Errorf("profile %s: bindings: %s: of an array in an SD-JWT the holder shows what they like, and the rest moves up; bind a claim that has a name", profile.Name, binding.Claim)
		}
		if !slices.ContainsFunc(params.Claims, func(p dcql.Path) bool { return slices.Equal(p, path) }) {
			params.Claims = append(params.Claims, path)
		}
	}
	if !profile.FaceCheck.NotAsked {
		receipt := r.ReceiptFor(rule.Format)
		if len(receipt.Types) == 0 {
			return params, fmt.Errorf("profile %s: face_check.receipt_types, or receipt_vc_types for JWT VCs, is empty: no Face Check of a %s could be asked for", profile.Name, rule.Format)
		}
		params.FaceCheckFormat, params.FaceCheckTypes = receipt.Format, receipt.Types
	}
	return params, nil
}

// ReceiptFor returns the Face Check receipts that go with a credential of a format: SD-JWT VCs, but JWT VCs for JWT
// VCs, whose wallets support no other format.
func (r *Rules) ReceiptFor(format string) verifier.Wanted {
	if format == dcql.FormatJWTVC {
		return verifier.Wanted{Format: dcql.FormatJWTVC, Types: r.receiptVCs}
	}
	return verifier.Wanted{Format: dcql.FormatSDJWT, Types: r.receipts}
}

// pathOf parses the path of a claim in the configuration.
func pathOf(name recovery.ClaimName) (dcql.Path, error) { return dcql.ParsePointer(string(name)) }
