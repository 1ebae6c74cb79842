package recovery

// Reason says why a recovery was denied. The set is closed. The audit log contains the Reason; the person sees only
// its Public form.
type Reason string

// The reasons for a denial. ReasonNone means not denied.
const (
	ReasonNone Reason = ""

	ReasonAccountUnknown    Reason = "account_unknown"
	ReasonAccountDisabled   Reason = "account_disabled"
	ReasonAccountOutOfScope Reason = "account_out_of_scope" // no profile covers it
	ReasonAccountExcluded   Reason = "account_excluded"
	ReasonAccountMismatch   Reason = "account_mismatch" // the evidence does not match the account
	// ReasonAccountBarred: too many attempts on the account that the directory has, however it was named. Unlike
	// ReasonTooManyAttempts it is not shown: that two names are of one account is told to nobody.
	ReasonAccountBarred Reason = "account_barred"

	ReasonFaceCheckMissing Reason = "face_check_missing"
	ReasonFaceCheckTooLow  Reason = "face_check_too_low"
	ReasonFaceCheckStale   Reason = "face_check_stale"   // before the transaction began, or too long ago
	ReasonFaceCheckUnbound Reason = "face_check_unbound" // for another credential, photo or holder

	ReasonCredentialUntrusted Reason = "credential_untrusted"
	ReasonCredentialRevoked   Reason = "credential_revoked"
	ReasonCredentialExpired   Reason = "credential_expired"
	ReasonStatusUnavailable   Reason = "status_unavailable" // the revocation status could not be determined

	ReasonOtherNetwork Reason = "other_network" // the profile requires wallet and browser in one network, and they were not

	ReasonTooManyAttempts      Reason = "too_many_attempts"
	ReasonDirectoryUnavailable Reason = "directory_unavailable"
)

// Reasons lists every reason for a denial.
func Reasons() []Reason {
	return []Reason{
		ReasonAccountUnknown, ReasonAccountDisabled, ReasonAccountOutOfScope, ReasonAccountExcluded, ReasonAccountMismatch, ReasonAccountBarred,
		ReasonFaceCheckMissing, ReasonFaceCheckTooLow, ReasonFaceCheckStale, ReasonFaceCheckUnbound,
		ReasonCredentialUntrusted, ReasonCredentialRevoked, ReasonCredentialExpired, ReasonStatusUnavailable,
		ReasonOtherNetwork, ReasonTooManyAttempts, ReasonDirectoryUnavailable,
	}
}

// PublicReason is the part of a Reason that the person may see. All reasons that depend on the account are one,
// PublicNotVerified, so that nothing about an account can be found out by probing.
type PublicReason string

// The public reasons. They tell the holder about their own wallet and camera, and nothing about the account.
const (
	PublicNotVerified     PublicReason = "not_verified"
	PublicFaceCheck       PublicReason = "face_check"
	PublicCredential      PublicReason = "credential"
	PublicNetwork         PublicReason = "network"
	PublicTooManyAttempts PublicReason = "too_many_attempts"
	PublicUnavailable     PublicReason = "unavailable"
)

// Public returns the form for the person. An unknown reason becomes PublicNotVerified.
func (r Reason) Public() PublicReason {
	switch r {
	case ReasonFaceCheckMissing, ReasonFaceCheckTooLow, ReasonFaceCheckStale, ReasonFaceCheckUnbound:
		return PublicFaceCheck
	case ReasonCredentialUntrusted, ReasonCredentialRevoked, ReasonCredentialExpired:
		return PublicCredential
	case ReasonOtherNetwork:
		return PublicNetwork
	case ReasonTooManyAttempts:
		return PublicTooManyAttempts
	case ReasonStatusUnavailable, ReasonDirectoryUnavailable:
		return PublicUnavailable
	}
	return PublicNotVerified
}
