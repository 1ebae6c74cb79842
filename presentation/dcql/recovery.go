package dcql

import (
	"errors"
	"slices"
)

// The ids under which a wallet answers a recovery query.
const (
	VerifiedID = "verified_id" // who it is
	FaceCheck  = "face_check"  // that the person holding the wallet now is that person
)

// portrait is the claim that holds the photo of a Verified ID. A recovery never asks for it: the
// Face Check receipt names the digest of its disclosure, so the photo itself need not leave the
// wallet.
const portrait = "portrait"

// RecoveryParams say what a recovery asks of a wallet.
type RecoveryParams struct {
	VerifiedIDTypes []string // vct values that count as a Verified ID; at least one
	FaceCheckTypes  []string // vct values of a Face Check receipt; none when the Face Check comes another way
	Claims          []Path   // of the Verified ID, those that the account is matched by
	// TrustedAuthorities of the Verified ID; a hint to the wallet, may be empty.
	TrustedAuthorities []TrustedAuthority
}

// Recovery builds the query of an account recovery: a Verified ID with the claims to match, and in
// the same presentation the receipt of a Face Check, both bound to the holder's key. It fails with
// [ErrInvalid], and when the portrait is among the claims.
func Recovery(p RecoveryParams) (Query, error) {
	verified := Credential{
		ID: VerifiedID, Format: FormatSDJWT, Meta: &Meta{VCTValues: slices.Clone(p.VerifiedIDTypes)},
		TrustedAuthorities: slices.Clone(p.TrustedAuthorities),
	}
	for _, path := range p.Claims {
		if len(path) > 0 && path[0] == Name(portrait) {
			return Query{}, errors.New("building the recovery query: the portrait is never asked for")
		}
		verified.Claims = append(verified.Claims, Claim{Path: slices.Clone(path)})
	}
	q := Query{Credentials: []Credential{verified}}
	if len(p.FaceCheckTypes) > 0 {
		q.Credentials = append(q.Credentials, Credential{
			ID: FaceCheck, Format: FormatSDJWT, Meta: &Meta{VCTValues: slices.Clone(p.FaceCheckTypes)},
		})
	}
	return q, q.Validate()
}
