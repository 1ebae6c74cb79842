package credential

import (
	"encoding/base64"
	"fmt"
	"time"

	"regain/conformance/proofing/jwtvc"
)

// issueVC makes a JWT VC of what is in the dossier, in the claims that Entra Verified ID's VerifiedIdentity has. It has
// no selective disclosure: a verifier sees all of it, the portrait too.
func (i *Issuer) issueVC(file Dossier, holder Holder, now time.Time) (Issued, error) {
	entry, err := i.config.Status.Enroll(file.Person.Reported)
	if err != nil {
		return Issued{}, err
	}
	id, compact, err := i.config.VCs.Issue(jwtvc.Credential{
		Type: IdentityType, Subject: holder.DID, From: now, Until: now.Add(verifiedIDLife),
		Status: &jwtvc.Status{Index: entry.Index, URI: entry.URI},
		About: map[string]any{
			"firstName": file.Person.GivenName, "lastName": file.Person.FamilyName, "dateOfBirth": file.Person.Birthdate,
			"portrait": base64.RawURLEncoding.EncodeToString(file.Portrait),
		},
	})
	if err != nil {
		return Issued{}, fmt.Errorf("issuing a JWT VC: %w", err)
	}
	i.config.Status.Remember(id, entry)
	return Issued{JTI: id, Credential: compact}, nil
}
