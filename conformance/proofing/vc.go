package proofing

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"regain/conformance/did"
	"regain/conformance/people"
	"regain/conformance/proofing/jwtvc"
)

// The types of JWT VCs, beside VerifiableCredential.
const (
	IdentityType  = "VerifiedIdentity"
	ReceiptVCType = "FaceCheckReceipt"
)

// DID is who issues JWT VCs: a did:web of this server, which others look up over https.
func (s *Server) DID() string { return s.vcs.DID }

// IssueVC is Issue for a JWT VC, bound to a holder's did:jwk or long-form did:ion.
func (s *Server) IssueVC(personID, holder string) (Issued, error) {
	if err := did.CheckHolder(holder); err != nil {
		return Issued{}, fmt.Errorf("issuing to %q: %w", personID, err)
	}
	return s.issueTo(personID, JWTID, bound{did: holder})
}

// issueVC makes a JWT VC of what is in the dossier, in the claims that Entra Verified ID's VerifiedIdentity has. It has
// no selective disclosure: a verifier sees all of it, the portrait too.
func (s *Server) issueVC(file dossier, holder bound, now time.Time) (Issued, error) {
	record, err := s.enroll(file.person.Reported)
	if err != nil {
		return Issued{}, err
	}
	id, compact, err := s.vcs.Issue(jwtvc.Credential{
		Type: IdentityType, Subject: holder.did, From: now, Until: now.Add(verifiedIDLife),
		Status: &jwtvc.Status{Index: record.index, URI: record.list.uri},
		About: map[string]any{
			"firstName": file.person.GivenName, "lastName": file.person.FamilyName, "dateOfBirth": file.person.Birthdate,
			"portrait": base64.RawURLEncoding.EncodeToString(file.portrait),
		},
	})
	if err != nil {
		return Issued{}, fmt.Errorf("issuing a JWT VC: %w", err)
	}
	s.remember(id, record)
	return Issued{JTI: id, Credential: compact}, nil
}

// openVC verifies a JWT VC that its holder presents to the Face Check in a VP of the JWT VC Presentation Profile.
func (s *Server) openVC(compact string) (presented, string, error) {
	shown, err := s.vcs.Open(compact, IdentityType, s.config.BaseURL, s.config.Clock())
	if err != nil {
		return presented{}, "", fmt.Errorf("%w: %w", errPresentation, err)
	}
	return presented{jti: shown.ID, holder: bound{did: shown.Holder}, portrait: shown.Portrait, digest: shown.Digest}, shown.Nonce, nil
}

// writeReceiptVC makes the receipt for a JWT VC: another one, for the same DID.
func (s *Server) writeReceiptVC(shown presented, match people.Comparison) (string, error) {
	now := s.config.Clock()
	_, compact, err := s.vcs.Issue(jwtvc.Credential{
		Type: ReceiptVCType, Subject: shown.holder.did, From: now, Until: now.Add(receiptLife),
		About: map[string]any{"faceCheckResults": shown.results(match)},
	})
	if err != nil {
		return "", fmt.Errorf("issuing a receipt: %w", err)
	}
	return compact, nil
}

// serveDID is the DID document (did:web, Read).
func (s *Server) serveDID(w http.ResponseWriter, _ *http.Request) {
	publish(w, s.vcs.Document())
}

// serveDIDConfiguration is what the domain says of the DID (DIF Well Known DID Configuration).
func (s *Server) serveDIDConfiguration(w http.ResponseWriter, r *http.Request) {
	configuration, err := s.vcs.Configuration(s.config.Clock())
	if err != nil {
		s.fault(w, r, err)
		return
	}
	publish(w, configuration)
}

// publish answers with what everybody may read, a page of another origin too.
func publish(w http.ResponseWriter, value any) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Cache-Control", "public, max-age=300")
	writeJSON(w, http.StatusOK, value)
}
