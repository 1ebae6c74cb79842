package recovery

// Reason says why a recovery was denied. The set is closed: an operator reads it in the audit log, a person is only
// ever shown its Public form.
type Reason string

// Every reason there is. ReasonNone stands for no denial.
const (
	ReasonNone Reason = ""

	ReasonAccountUnknown    Reason = "account_unknown"
	ReasonAccountDisabled   Reason = "account_disabled"
	ReasonAccountOutOfScope Reason = "account_out_of_scope" // no profile covers it
	ReasonAccountExcluded   Reason = "account_excluded"
	ReasonAccountMismatch   Reason = "account_mismatch" // the evidence names somebody else

	ReasonFaceCheckMissing Reason = "face_check_missing"
	ReasonFaceCheckTooLow  Reason = "face_check_too_low"
	ReasonFaceCheckStale   Reason = "face_check_stale"   // before the transaction began, or too long ago
	ReasonFaceCheckUnbound Reason = "face_check_unbound" // of another credential, photo or holder

	ReasonCredentialUntrusted Reason = "credential_untrusted"
	ReasonCredentialRevoked   Reason = "credential_revoked"
	ReasonCredentialExpired   Reason = "credential_expired"
	ReasonStatusUnavailable   Reason = "status_unavailable" // whether it is revoked could not be found out

	ReasonOtherNetwork Reason = "other_network" // the wallet was not where the browser is, and the profile wants it there

	ReasonTooManyAttempts      Reason = "too_many_attempts"
	ReasonDirectoryUnavailable Reason = "directory_unavailable"
)

// Reasons lists every reason for a denial.
func Reasons() []Reason {
	return []Reason{
		ReasonAccountUnknown, ReasonAccountDisabled, ReasonAccountOutOfScope, ReasonAccountExcluded, ReasonAccountMismatch,
		ReasonFaceCheckMissing, ReasonFaceCheckTooLow, ReasonFaceCheckStale, ReasonFaceCheckUnbound,
		ReasonCredentialUntrusted, ReasonCredentialRevoked, ReasonCredentialExpired, ReasonStatusUnavailable,
		ReasonOtherNetwork, ReasonTooManyAttempts, ReasonDirectoryUnavailable,
	}
}

// PublicReason is what a person may be told. All that depends on the account alone is one: PublicNotVerified.
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

// Public returns what a person may be told. An unknown reason tells nothing.
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
