package credential

import "slices"

// DefaultType is the vct of the Verified ID, unless another is configured.
const DefaultType = "urn:regain:verified-identity:1"

// IdentityType is the type of the Verified ID as a JWT VC, beside VerifiableCredential.
const IdentityType = "VerifiedIdentity"

// The credential configurations: the names of the Verified ID, as an SD-JWT VC, as a mobile driving licence and as a JWT
// VC, in offers and in the issuer's metadata.
const (
	ConfigurationID = "VerifiedIdentity"
	LicenceID       = "MobileDrivingLicence"
	JWTID           = "VerifiedIdentityJWT"
)

// Known reports whether there is a credential configuration of that name.
func Known(id string) bool { return slices.Contains([]string{ConfigurationID, LicenceID, JWTID}, id) }
