package dcql

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// The ids of the credential queries in a recovery query. If several credentials are accepted, the second Verified ID is
// verified_id_2, and so on; see [Role].
const (
	VerifiedID = "verified_id" // identifies the person
	FaceCheck  = "face_check"  // proves that the person who holds the wallet now is that person
)

// RecoveryParams describe one accepted Verified ID, and the receipt of a Face Check for it.
//
// Types are written as a list of strings for every format: dc+sd-jwt has the accepted vct values; mso_mdoc one doctype;
// jwt_vc_json and ldp_vc the accepted sets of types, each with spaces between its types, since an IRI has no space.
type RecoveryParams struct {
	Format          string   // of the Verified ID; empty means dc+sd-jwt
	VerifiedIDTypes []string // types that count as a Verified ID; at least one
	FaceCheckFormat string   // of the receipt; empty means dc+sd-jwt
	FaceCheckTypes  []string // types of a Face Check receipt; nil if the Face Check has another source than a receipt
	Claims          []Path   // of the Verified ID; the account is matched by them
	// TrustedAuthorities of the Verified ID: a hint to the wallet, may be empty.
	TrustedAuthorities []TrustedAuthority
}

// Recovery builds the query of an account recovery: a Verified ID with the claims to match, and the receipt of a Face
// Check, both bound to the holder's key. If other Verified IDs are accepted too, each is an option of one credential
// set, the preferred one first, together with its receipt:
//
//	"credential_sets": [{"options": [["verified_id", "face_check"], ["verified_id_2", "face_check"]]}]
//
// The error is [ErrInvalid] for an invalid query. It is also an error if a portrait is among the claims, or if only
// some of the Verified IDs have a receipt: the wallet chooses the option, and an attacker's wallet would choose the one
// without a Face Check.
func Recovery(p RecoveryParams, others ...RecoveryParams) (Query, error) {
	var q Query
	var receipts []Credential
	var options [][]string
	for i, p := range slices.Concat([]RecoveryParams{p}, others) {
		verified, err := p.verifiedID()
		if err != nil {
			return Query{}, fmt.Errorf("building the recovery query: %w", err)
		}
		verified.ID = numbered(VerifiedID, i)
		q.Credentials = append(q.Credentials, verified)
		option := []string{verified.ID}
		if len(p.FaceCheckTypes) > 0 {
			var receipt string
			if receipts, receipt, err = p.receipt(receipts); err != nil {
				return Query{}, fmt.Errorf("building the recovery query: %w", err)
			}
			option = append(option, receipt)
		}
		options = append(options, option)
		if len(option) != len(options[0]) {
			return Query{}, errors.New("building the recovery query: a receipt of a Face Check comes with some Verified IDs only")
		}
	}
	q.Credentials = append(q.Credentials, receipts...)
	if len(others) > 0 {
		q.CredentialSets = []CredentialSet{{Options: options}}
	}
	return q, q.Validate()
}

// Role returns the role of the credential query with this id: [VerifiedID], [FaceCheck], or "" for neither.
func Role(id string) string {
	for _, role := range []string{VerifiedID, FaceCheck} {
		number, numbered := strings.CutPrefix(id, role+"_")
		if n, err := strconv.Atoi(number); id == role || numbered && err == nil && n > 1 {
			return role
		}
	}
	return ""
}

func numbered(role string, i int) string {
	if i == 0 {
		return role
	}
	return role + "_" + strconv.Itoa(i+1)
}

func (p RecoveryParams) verifiedID() (Credential, error) {
	c, err := newCredential(p.Format, p.VerifiedIDTypes)
	if err != nil {
		return Credential{}, err
	}
	c.TrustedAuthorities = slices.Clone(p.TrustedAuthorities)
	for _, path := range p.Claims {
		if selectsPortrait(path) {
			return Credential{}, errors.New("the portrait is never asked for")
		}
		claim := Claim{Path: slices.Clone(path)}
		if c.Format == FormatMdoc {
			claim.IntentToRetain = new(bool) // false
		}
		c.Claims = append(c.Claims, claim)
	}
	return c, nil
}

// receipt adds the credential query of the receipt to receipts, unless one with the same types is there already, and
// returns its id.
func (p RecoveryParams) receipt(receipts []Credential) (all []Credential, id string, err error) {
	c, err := newCredential(p.FaceCheckFormat, p.FaceCheckTypes)
	if err != nil {
		return nil, "", err
	}
	for _, r := range receipts {
		if r.Format == c.Format && reflect.DeepEqual(r.Meta, c.Meta) {
			return receipts, r.ID, nil
		}
	}
	c.ID = numbered(FaceCheck, len(receipts))
	return append(receipts, c), c.ID, nil
}

// newCredential makes a credential query for types, which are written as in [RecoveryParams].
func newCredential(format string, types []string) (Credential, error) {
	var m Meta
	switch format {
	case "", FormatSDJWT:
		format, m.VCTValues = FormatSDJWT, slices.Clone(types)
	case FormatMdoc:
		if len(types) != 1 {
			return Credential{}, fmt.Errorf("%w: an mdoc has one doctype, not %d", ErrInvalid, len(types))
		}
		m.DoctypeValue = types[0]
	default:
		for _, set := range types {
			m.TypeValues = append(m.TypeValues, strings.Fields(set))
		}
	}
	return Credential{Format: format, Meta: &m}, nil
}

// selectsPortrait reports whether the path selects the photo of a Verified ID, under any of the names that formats and
// their profiles give it, or the whole credentialSubject of a W3C credential. The Face Check receipt has the digest of
// the photo, so the photo itself need not leave the wallet.
func selectsPortrait(path Path) bool {
	last := ""
	for _, s := range path {
		switch name, _ := s.Name(); name {
		case "portrait", "photo", "picture":
			return true
		case "":
		default:
			last = name
		}
	}
	return last == "credentialSubject"
}
