package proofing

import (
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"regain/conformance/jose"
	"regain/conformance/mdoc"
)

// licenceLife is how long a mobile driving licence lasts: less than what is left of its signer's certificate.
const licenceLife = 90 * 24 * time.Hour

// issueLicence makes a mobile driving licence of what is in the dossier. Everybody in the demo may drive a car: what
// matters here is who they are, whatever document said so.
func (s *Server) issueLicence(file dossier, holder jose.JWK, now time.Time) (Issued, error) {
	device, ok := holder.Key.(*ecdsa.PublicKey)
	if !ok {
		return Issued{}, errors.New("issuing a licence: the holder's key is no public P-256 key")
	}
	record, err := s.enroll(file.person.Reported)
	if err != nil {
		return Issued{}, err
	}
	until := now.Add(licenceLife)
	licence, err := s.ca.licences.Issue(mdoc.Licence{
		FamilyName: file.person.FamilyName, GivenName: file.person.GivenName, BirthDate: file.person.Birthdate,
		Portrait: file.portrait, DocumentNumber: file.person.DocumentNumber, Categories: []string{"B"},
		IssueDate: now.UTC().Format(time.DateOnly), ExpiryDate: until.UTC().Format(time.DateOnly),
	}, mdoc.Terms{
		Device: device, Signed: now, ValidFrom: now, ValidUntil: until, StatusURI: record.list.uri, StatusIndex: record.index,
	})
	if err != nil {
		return Issued{}, fmt.Errorf("issuing a licence: %w", err)
	}
	s.remember(licence.ID, record)
	return Issued{JTI: licence.ID, Credential: base64.RawURLEncoding.EncodeToString(licence.Bytes)}, nil
}

// openLicence verifies a licence that its holder presents to the Face Check as OpenID4VP has it: to this credential
// issuer, for a c_nonce, with the Face Check's URL where the answer goes, and not encrypted.
func (s *Server) openLicence(presentation, nonce string) (presented, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(presentation)
	if err != nil {
		return presented{}, fmt.Errorf("%w: neither an SD-JWT nor base64url", errPresentation)
	}
	transcript, err := mdoc.Redirect(s.config.BaseURL, nonce, nil, s.config.BaseURL+faceCheckPath)
	if err != nil {
		return presented{}, err
	}
	shown, err := s.ca.licences.Open(raw, transcript, s.config.Clock())
	if err != nil {
		return presented{}, fmt.Errorf("%w: %w", errPresentation, err)
	}
	d := shown.Document
	return presented{jti: d.ID(), holder: bound{key: jose.JWK{Key: d.DeviceKey()}}, portrait: shown.Portrait, digest: shown.Digest}, nil
}

// serveRevocations is the CRL of those who sign licences.
func (s *Server) serveRevocations(w http.ResponseWriter, r *http.Request) {
	list, err := s.ca.licences.RevocationList(s.config.Clock())
	if err != nil {
		s.fault(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-crl")
	_, _ = w.Write(list)
}
