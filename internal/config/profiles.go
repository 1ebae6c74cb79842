package config

import "time"

// ProfileConfig is one recovery profile.
type ProfileConfig struct {
	Name        string             `koanf:"name"`
	Description string             `koanf:"description"`
	Enabled     *bool              `koanf:"enabled"` // default true
	Mode        string             `koanf:"mode"`    // evaluation (default) or production
	Priority    int                `koanf:"priority"`
	AllUsers    bool               `koanf:"all_users"`
	Groups      []string           `koanf:"groups"`
	Exclude     []string           `koanf:"exclude_groups"`
	Credential  CredentialConfig   `koanf:"credential"`
	Credentials []CredentialConfig `koanf:"credentials"` // in place of credential: alternatives, one is enough
	FaceCheck   FaceCheckConfig    `koanf:"face_check"`
	Pass        PassConfig         `koanf:"pass"`
	Wallets     []string           `koanf:"wallets"` // default all
	CrossDevice CrossDeviceConfig  `koanf:"cross_device"`
	Proofing    string             `koanf:"proofing"`
	Lifetime    time.Duration      `koanf:"lifetime"`
}

// CrossDeviceConfig allows and limits the cross-device flow (QR code).
type CrossDeviceConfig struct {
	Allow       bool          `koanf:"allow"`
	QRLifetime  time.Duration `koanf:"qr_lifetime"` // default 60s
	SameNetwork bool          `koanf:"same_network"`
}

// CredentialConfig describes an accepted Verified ID and how it is matched.
type CredentialConfig struct {
	Format   string          `koanf:"format"` // dc+sd-jwt (default), mso_mdoc or jwt_vc_json
	Types    []string        `koanf:"types"`  // vct values, one doctype, or sets of W3C types, space-separated
	Bindings []BindingConfig `koanf:"bindings"`
	Document DocumentConfig  `koanf:"document"`
}

// DocumentConfig says which document the issuer checks before it issues such a credential, for verified_claims.
type DocumentConfig struct {
	Type         string `koanf:"type"`
	CheckMethod  string `koanf:"check_method"`
	Organization string `koanf:"organization"`
}

// BindingConfig matches one directory attribute against one claim.
type BindingConfig struct {
	Match     string `koanf:"match"` // exact (default) or relaxed
	Attribute string `koanf:"attribute"`
	Claim     string `koanf:"claim"`
}

// FaceCheckConfig is the Face Check rule of a profile.
type FaceCheckConfig struct {
	Source    string        `koanf:"source"` // receipt (default), or none in evaluation
	Threshold int           `koanf:"threshold"`
	MaxAge    time.Duration `koanf:"max_age"`
}

// PassConfig is the pass policy of a profile.
type PassConfig struct {
	LifetimeMinutes int   `koanf:"lifetime_minutes"` // default 60
	Length          int   `koanf:"length"`           // default 12
	UsableOnce      *bool `koanf:"usable_once"`      // default true
}
