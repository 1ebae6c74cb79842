// Package credential makes the Verified ID of what the provider learned about a person, in three formats: an SD-JWT VC, a
// mobile driving licence (mdoc), and a JWT VC for wallets like Microsoft Authenticator.
package credential

import (
	"fmt"
	"time"

	"regain/conformance/mdoc"
	"regain/conformance/people"
	"regain/conformance/proofing/authority"
	"regain/conformance/proofing/jwtvc"
	"regain/conformance/proofing/random"
	"regain/conformance/proofing/status"
)

// Issued is a Verified ID with its identifier.
type Issued struct {
	JTI        string // jti; a licence is named by a digest (docs/protocols.md section 3)
	Credential string // the SD-JWT VC with all its disclosures, the licence's IssuerSigned as base64url, or the JWT VC
}

// Config says what an Issuer needs. All of it is required.
type Config struct {
	BaseURL  string // the credential issuer identifier
	Type     string // the vct
	Signer   *authority.Signer
	Licences *mdoc.Authority
	VCs      *jwtvc.Issuer
	Status   *status.Lists
	Random   *random.Source
	Clock    func() time.Time
	Studio   *people.Studio // draws the photos; nil draws each anew
}

// Issuer makes credentials. It is safe for concurrent use.
type Issuer struct{ config Config }

// NewIssuer makes an Issuer.
func NewIssuer(config Config) *Issuer { return &Issuer{config: config} }

// Issue makes a credential of the configuration.
func (i *Issuer) Issue(configuration string, file Dossier, holder Holder) (Issued, error) {
	// To the hour: copies of one credential that were made in the same second could be told to belong together
	// (RFC 9901 §10.1).
	now := i.config.Clock().Truncate(time.Hour)
	switch configuration {
	case LicenceID:
		return i.issueLicence(file, holder.Key, now)
	case JWTID:
		return i.issueVC(file, holder, now)
	}
	return i.issueVerifiedID(file, holder.Key, now)
}

// IssueTo is Issue for a sample person.
func (i *Issuer) IssueTo(personID, configuration string, holder Holder) (Issued, error) {
	person, found := people.Find(personID)
	if !found {
		return Issued{}, fmt.Errorf("issuing to %q: no such person", personID)
	}
	file, err := NewDossier(person, i.config.Studio)
	if err != nil {
		return Issued{}, err
	}
	return i.Issue(configuration, file, holder)
}
