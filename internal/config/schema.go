package config

import "time"

// Config is the configuration of one Regain node. docs/configuration.md explains each key.
type Config struct {
	Issuer         string                 `koanf:"issuer"`
	Listen         string                 `koanf:"listen"`
	Organisation   string                 `koanf:"organisation_id"`
	Development    bool                   `koanf:"development"`     // passes without a record that outlives the process; on loopback only
	TrustedProxies []string               `koanf:"trusted_proxies"` // CIDR
	Connections    ConnectionsConfig      `koanf:"connections"`
	HSTS           time.Duration          `koanf:"hsts_max_age"`   // 0 for none
	ShutdownDelay  time.Duration          `koanf:"shutdown_delay"` // between "not ready" and the end; 0 for none
	TLS            TLSConfig              `koanf:"tls"`
	MutualTLS      MutualTLSConfig        `koanf:"mutual_tls"`
	Storage        StorageConfig          `koanf:"storage"`
	Secrets        SecretsConfig          `koanf:"secrets"`
	RequestSigning CertificateConfig      `koanf:"request_signing"`
	RequestLife    time.Duration          `koanf:"request_lifetime"` // lifetime of a presentation request
	Wallets        []WalletConfig         `koanf:"wallets"`          // default: one profile with all defaults
	Directory      DirectoryConfig        `koanf:"directory"`
	PassIssuer     PassIssuerConfig       `koanf:"pass_issuer"`
	Audit          AuditConfig            `koanf:"audit"`
	Trust          []TrustConfig          `koanf:"trust"`
	StatusList     StatusListConfig       `koanf:"status_list"`
	Fetch          FetchConfig            `koanf:"fetch"`
	FaceCheck      FaceCheckReceiptConfig `koanf:"face_check"`
	Proofing       []ProofingConfig       `koanf:"proofing"`
	ExcludeGroups  []string               `koanf:"exclude_groups"`
	Limits         []LimitConfig          `koanf:"limits"`
	Profiles       []ProfileConfig        `koanf:"profiles"`
	Clients        []ClientConfig         `koanf:"clients"`
	Registration   RegistrationConfig     `koanf:"registration"`
	Metadata       MetadataConfig         `koanf:"metadata"`
}

// MetadataConfig holds what the provider metadata tells people who register clients (RFC 8414 §2).
type MetadataConfig struct {
	ServiceDocumentation string `koanf:"service_documentation"`
	PolicyURI            string `koanf:"op_policy_uri"`
	TermsURI             string `koanf:"op_tos_uri"`
}

// ConnectionsConfig bounds what strangers can hold open. Connections of trusted_proxies count for Max alone; live pages
// are counted for the person's network behind the proxy.
type ConnectionsConfig struct {
	Max                 int `koanf:"max"`         // of this node; at most what its file descriptors allow
	PerNetwork          int `koanf:"per_network"` // of an IPv4 address or IPv6 /64; an IPv6 /48 may have four times as many
	LivePages           int `koanf:"live_pages"`
	LivePagesPerNetwork int `koanf:"live_pages_per_network"`
}

// TLSConfig makes the node terminate TLS itself.
type TLSConfig struct {
	CertificateFile string `koanf:"certificate_file"`
	KeyFile         string `koanf:"key_file"`
	Key             Secret `koanf:"key"` // in place of key_file
}

// MutualTLSConfig configures mutual TLS for clients (RFC 8705).
type MutualTLSConfig struct {
	// BaseURL is published as mtls_endpoint_aliases (RFC 8705 §5). It needs a host or port of its own, since a
	// browser that is asked for a certificate shows a dialog to the person.
	BaseURL   string   `koanf:"base_url"`
	Listen    string   `koanf:"listen"`     // with tls: address that requests certificates; empty behind a proxy that does
	Header    string   `koanf:"header"`     // header in which the proxies below send the certificate, at the host of base_url
	Proxies   []string `koanf:"proxies"`    // CIDR; a list of its own: trusted_proxies may pass this header on as a client sent it
	RootsFile string   `koanf:"roots_file"` // CAs that issue certificates for tls_client_auth
}

// StorageConfig chooses the backend.
type StorageConfig struct {
	Backend string      `koanf:"backend"` // memory, file or mongo
	Path    string      `koanf:"path"`    // file only
	Mongo   MongoConfig `koanf:"mongo"`   // mongo only
}

// MongoConfig says where the database of the backend mongo is.
type MongoConfig struct {
	URI            Secret        `koanf:"uri"`             // mongodb:// or mongodb+srv://, with user, password and TLS
	Database       string        `koanf:"database"`        // default regain
	Timeout        time.Duration `koanf:"timeout"`         // of one call, with what it repeats; default 5s
	MaxConnections int           `koanf:"max_connections"` // to each server; default 64
}

// SecretsConfig names the node's secrets.
type SecretsConfig struct {
	Encryption Secret `koanf:"encryption_keys"` // field encryption: 32-byte keys, base64url, comma-separated, newest first
	Token      Secret `koanf:"token_secret"`    // 32 bytes, base64url
	Pass       Secret `koanf:"pass_key"`        // 32 bytes, base64url
	SigningKey Secret `koanf:"signing_key"`     // PEM, one key or more; see package provider/keys
}

// CertificateConfig names the key that signs presentation requests, and its certificate for the client_id_prefix
// x509_hash and x509_san_dns.
type CertificateConfig struct {
	Key             Secret `koanf:"key"` // PEM
	CertificateFile string `koanf:"certificate_file"`
}

// WalletConfig is one wallet profile: the protocol and parameters for one kind of wallet.
type WalletConfig struct {
	Name               string   `koanf:"name"`         // referenced by profiles; default "default"
	DisplayName        string   `koanf:"display_name"` // default "your wallet"
	Protocol           string   `koanf:"protocol"`     // openid4vp (default) or authenticator
	HAIP               bool     `koanf:"haip"`
	Endpoint           string   `koanf:"authorization_endpoint"` // default openid4vp://authorize, haip-vp://authorize with haip
	ClientIDPrefix     string   `koanf:"client_id_prefix"`       // default x509_hash
	ClientID           string   `koanf:"client_id"`              // without the prefix; for prefixes whose client_id is configured
	KeyID              string   `koanf:"key_id"`                 // decentralized_identifier: the fragment; pre-registered: the kid
	AttestationFile    string   `koanf:"attestation_file"`       // verifier_attestation
	ByValue            bool     `koanf:"by_value"`
	RequestURIMethod   string   `koanf:"request_uri_method"`  // post (default) or get
	ResponseMode       string   `koanf:"response_mode"`       // direct_post.jwt (default) or direct_post
	DigitalCredentials []string `koanf:"digital_credentials"` // unsigned, signed, multisigned; default none
	VerifierInfoFile   string   `koanf:"verifier_info_file"`
	TransactionData    bool     `koanf:"transaction_data"`
	RedirectBack       *bool    `koanf:"redirect_back"` // default true: the wallet opens redirect_uri in the browser it was called from
	// The remaining keys apply to the protocol authenticator: what the wallet displays about us, and the accepted
	// issuers.
	ClientName    string   `koanf:"client_name"` // default the organisation_id
	ClientPurpose string   `koanf:"client_purpose"`
	LogoURI       string   `koanf:"logo_uri"`
	TermsURI      string   `koanf:"tos_uri"`
	Issuers       []string `koanf:"issuers"` // DIDs; default any
}

// DirectoryConfig selects the directory of accounts.
type DirectoryConfig struct {
	Kind string `koanf:"kind"` // file (default)
	File string `koanf:"file"` // file only: YAML
}

// PassIssuerConfig selects the issuer of passes.
type PassIssuerConfig struct {
	Kind string `koanf:"kind"` // local (default): this node, which stores a hash of each pass
}

// AuditConfig names the audit log. Without a file, the log is in memory, which is allowed for development only.
type AuditConfig struct {
	File       string `koanf:"file"`        // the segment that is written to; the others are beside it
	Key        Secret `koanf:"key"`         // 32 bytes, base64url: the key of the chain
	SegmentMiB int    `koanf:"segment_mib"` // a new segment is begun after so many MiB
	KeepDays   int    `koanf:"keep_days"`   // segments that are older are removed; 0 keeps everything
	Node       string `koanf:"node"`        // name of this node among those that share a store; default the host's
}

// TrustConfig lists the issuers that are trusted for credential types.
type TrustConfig struct {
	Types       []string `koanf:"types"`        // vct values
	AnchorsFile string   `koanf:"anchors_file"` // PEM: CAs of issuers' certificates
	DIDs        []string `koanf:"dids"`         // DIDs of issuers of JWT VCs
	// LinkedDomain requires that the domain of each DID confirms it (DIF Well Known DID Configuration).
	LinkedDomain bool   `koanf:"linked_domain"`
	SignersFile  string `koanf:"signers_file"` // PEM: issuers' own certificates, trusted directly
	// StatusOptional accepts credentials without a status list if they have an expiry.
	StatusOptional bool     `koanf:"status_optional"`
	Issuers        []string `koanf:"issuers"` // allowed iss values; empty allows any under the anchors
}

// StatusListConfig bounds how long a status list is cached.
type StatusListConfig struct {
	MinTTL time.Duration `koanf:"min_ttl"`
	MaxTTL time.Duration `koanf:"max_ttl"`
}

// FetchConfig relaxes the rules of internal/fetch for named hosts.
type FetchConfig struct {
	AllowHTTPHosts    []string      `koanf:"allow_http_hosts"`
	AllowPrivateHosts []string      `koanf:"allow_private_hosts"`
	CAFile            string        `koanf:"ca_file"`
	Timeout           time.Duration `koanf:"timeout"`
}

// FaceCheckReceiptConfig names the types of Face Check receipts that are requested.
type FaceCheckReceiptConfig struct {
	ReceiptTypes   []string `koanf:"receipt_types"`    // vct values
	ReceiptVCTypes []string `koanf:"receipt_vc_types"` // for receipts that are JWT VCs: sets of types, space-separated
}

// ProofingConfig is an identity proofing provider that profiles may offer.
type ProofingConfig struct {
	Name        string `koanf:"name"`
	DisplayName string `koanf:"display_name"`
	StartURL    string `koanf:"start_url"`
}

// LimitConfig is one attempt limit.
type LimitConfig struct {
	Name   string        `koanf:"name"`
	Per    string        `koanf:"per"`
	Max    int           `koanf:"max"`
	Window time.Duration `koanf:"window"`
}

// Defaults returns the configuration before any file, variable or flag.
func Defaults() Config {
	return Config{
		Listen:      "127.0.0.1:8400",
		Connections: ConnectionsConfig{Max: 4096, PerNetwork: 256, LivePages: 1024, LivePagesPerNetwork: 64},
		HSTS:        2 * 365 * 24 * time.Hour,
		Storage:     StorageConfig{Backend: "memory", Mongo: MongoConfig{Database: "regain", Timeout: 5 * time.Second, MaxConnections: 64}},
		Audit:       AuditConfig{SegmentMiB: 64},
		RequestLife: 5 * time.Minute,
		StatusList:  StatusListConfig{MinTTL: time.Minute, MaxTTL: 24 * time.Hour},
		Fetch:       FetchConfig{Timeout: 5 * time.Second},
		FaceCheck:   FaceCheckReceiptConfig{ReceiptTypes: []string{"urn:regain:face-check-receipt:1"}, ReceiptVCTypes: []string{"VerifiableCredential FaceCheckReceipt"}},
	}
}

// Renamed returns the keys of earlier versions with their replacement.
func Renamed() map[string]string {
	return map[string]string{
		"wallet":              "wallets, a list of wallet profiles, and request_lifetime",
		"vp_formats":          "nothing: remove it, the formats that are verified are offered automatically",
		"client_id_scheme":    "wallets[].client_id_prefix",
		"request_signing.kid": "wallets[].key_id",
	}
}
