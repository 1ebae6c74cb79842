package credential

import (
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"regain/conformance/jose"
	"regain/conformance/mdoc"
)

// licenceLife is how long a mobile driving licence lasts: less than what is left of its signer's certificate.
const licenceLife = 90 * 24 * time.Hour

// issueLicence makes a mobile driving licence of what is in the dossier. Everybody in the demo may drive a car: what
// matters here is who they are, whatever document said so.
func (i *Issuer) issueLicence(file Dossier, holder jose.JWK, now time.Time) (Issued, error) {
	device, ok := holder.Key.(*ecdsa.PublicKey)
	if !ok {
		return Issued{}, errors.New("issuing a licence: the holder's key is no public P-256 key")
	}
	entry, err := i.config.Status.Enroll(file.Person.Reported)
	if err != nil {
		return Issued{}, err
	}
	until := now.Add(licenceLife)
	licence, err := i.config.Licences.Issue(mdoc.Licence{
		FamilyName: file.Person.FamilyName, GivenName: file.Person.GivenName, BirthDate: file.Person.Birthdate,
		Portrait: file.Portrait, DocumentNumber: file.Person.DocumentNumber, Categories: []string{"B"},
		IssueDate: now.UTC().Format(time.DateOnly), ExpiryDate: until.UTC().Format(time.DateOnly),
	}, mdoc.Terms{
		Device: device, Signed: now, ValidFrom: now, ValidUntil: until, StatusURI: entry.URI, StatusIndex: entry.Index,
	})
	if err != nil {
		return Issued{}, fmt.Errorf("issuing a licence: %w", err)
	}
	i.config.Status.Remember(licence.ID, entry)
	return Issued{JTI: licence.ID, Credential: base64.RawURLEncoding.EncodeToString(licence.Bytes)}, nil
}
