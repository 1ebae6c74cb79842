package proofing

import (
	"crypto/x509"
	"fmt"
	"net/http"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/people"
	"regain/conformance/proofing/credential"
	"regain/conformance/proofing/facecheck"
	"regain/conformance/proofing/offer"
)

// The types of the Verified ID and of the Face Check receipt: vct, and the type of a JWT VC beside VerifiableCredential.
const (
	DefaultType   = credential.DefaultType
	ReceiptType   = facecheck.ReceiptType
	IdentityType  = credential.IdentityType
	ReceiptVCType = facecheck.ReceiptVCType
)

// The credential configurations: the names of the Verified ID, as an SD-JWT VC, as a mobile driving licence and as a JWT
// VC, in offers and in the issuer's metadata.
const (
	ConfigurationID = credential.ConfigurationID
	LicenceID       = credential.LicenceID
	JWTID           = credential.JWTID
)

// Issued is a Verified ID with its identifier.
type Issued = credential.Issued

// Handler serves every endpoint and page.
func (s *Server) Handler() http.Handler { return s.handler }

// Anchor is the certificate to trust: it is above the issuer, the status list and the Face Check receipts. JWT VCs are
// signed by DID, and their status lists are under Anchor too.
func (s *Server) Anchor() *x509.Certificate { return s.keys.Anchor }

// IACA is the certificate to trust above driving licences. Their status lists are under Anchor, like all others.
func (s *Server) IACA() *x509.Certificate { return s.keys.Licences.Root }

// DID is who issues JWT VCs: a did:web of this server, which others look up over https.
func (s *Server) DID() string { return s.vcs.DID }

// StartURL is where a hand-off begins; it is the hand-off's audience.
func (s *Server) StartURL() string { return s.config.BaseURL + "/start" }

// OfferOptions say what to offer to whom.
type OfferOptions struct {
	PersonID       string
	Configurations []string // Config.Offers if empty
	TxCode         string   // the transaction code that the wallet has to send; empty for none
}

// Offer makes a credential offer for a sample person and returns its URL, as if they had walked through the pages.
func (s *Server) Offer(personID string) (string, error) {
	made, err := s.MakeOffer(OfferOptions{PersonID: personID})
	return made.URL, err
}

// MakeOffer makes a credential offer without the pages.
func (s *Server) MakeOffer(o OfferOptions) (offer.Link, error) {
	person, found := people.Find(o.PersonID)
	if !found {
		return offer.Link{}, fmt.Errorf("offering a Verified ID to %q: no such person", o.PersonID)
	}
	for _, id := range o.Configurations {
		if !credential.Known(id) {
			return offer.Link{}, fmt.Errorf("offering a Verified ID to %q: there is no credential configuration %q", o.PersonID, id)
		}
	}
	file, err := credential.NewDossier(person, s.config.Studio)
	if err != nil {
		return offer.Link{}, err
	}
	made, err := s.offers.Make(file, o.Configurations, o.TxCode)
	if err != nil {
		return offer.Link{}, err
	}
	return s.offers.Link(made)
}

// Issue makes a Verified ID for a sample person, bound to the holder's public P-256 key, as the wallet would get it.
// It is for tests that don't want to walk through the pages.
func (s *Server) Issue(personID string, holder jose.JWK) (Issued, error) {
	return s.issueToKey(personID, ConfigurationID, holder)
}

// IssueLicence is Issue for a mobile driving licence.
func (s *Server) IssueLicence(personID string, holder jose.JWK) (Issued, error) {
	return s.issueToKey(personID, LicenceID, holder)
}

func (s *Server) issueToKey(personID, configuration string, holder jose.JWK) (Issued, error) {
	if !jose.IsP256(&holder) {
		return Issued{}, fmt.Errorf("issuing to %q: the holder's key is no public P-256 key", personID)
	}
	return s.issuer.IssueTo(personID, configuration, credential.Holder{Key: holder})
}

// IssueVC is Issue for a JWT VC, bound to a holder's did:jwk or long-form did:ion.
func (s *Server) IssueVC(personID, holder string) (Issued, error) {
	if err := did.CheckHolder(holder); err != nil {
		return Issued{}, fmt.Errorf("issuing to %q: %w", personID, err)
	}
	return s.issuer.IssueTo(personID, JWTID, credential.Holder{DID: holder})
}

// Revoke marks a Verified ID as invalid for good.
func (s *Server) Revoke(jti string) error { return s.status.Revoke(jti) }

// Suspend marks a Verified ID as not valid for now.
func (s *Server) Suspend(jti string) error { return s.status.Suspend(jti) }

// Restore makes a suspended or revoked Verified ID valid again. Tests use it.
func (s *Server) Restore(jti string) error { return s.status.Restore(jti) }
