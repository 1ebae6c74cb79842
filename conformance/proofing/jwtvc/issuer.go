package jwtvc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"regain/conformance/jose"
)

const (
	credentialsV1 = "https://www.w3.org/2018/credentials/v1"
	genericType   = "VerifiableCredential"
	keyName       = "key-1" // the fragment of the one key
)

// Config says who issues. All fields are required.
type Config struct {
	BaseURL string    // whose host is the DID's: scheme, host and port
	Random  io.Reader // of identifiers
}

// Issuer issues JWT VCs. It is safe for concurrent use if its source of randomness is.
type Issuer struct {
	// DID is the did:web of the host.
	DID string

	config Config
	key    *ecdsa.PrivateKey
}

// New makes the key.
func New(config Config) (*Issuer, error) {
	address, err := url.Parse(config.BaseURL)
	if err != nil || address.Host == "" || config.Random == nil {
		return nil, errors.New("making an issuer of JWT VCs: BaseURL or Random is missing")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the key of a DID: %w", err)
	}
	// A port's colon is percent-encoded, or it would begin a path (did:web, Method-specific identifier).
	return &Issuer{DID: "did:web:" + strings.Replace(address.Host, ":", "%3A", 1), config: config, key: key}, nil
}

// Credential is what a JWT VC says. It is personal data: it writes itself as a placeholder wherever it might be printed.
type Credential struct {
	Type    string         // its own, beside VerifiableCredential
	Subject string         // the holder's DID
	About   map[string]any // credentialSubject
	From    time.Time      // also when it was issued
	Until   time.Time
	Status  *Status // nil for one that ends before it could be revoked
}

// Status is a place in a Token Status List.
type Status struct {
	Index int    `json:"idx"`
	URI   string `json:"uri"`
}

const redacted = "[personal data]"

// Format keeps it out of every verb of fmt.
func (Credential) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, redacted) }

// LogValue keeps it out of slog.
func (Credential) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText keeps it out of JSON.
func (Credential) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// payload are the claims of a JWT VC. Beside nbf, which is when it was issued in the words of VCDM 1.1, there is an
// iat: the Android library of such wallets wants one.
type payload struct {
	Issuer    string     `json:"iss"`
	Subject   string     `json:"sub"`
	ID        string     `json:"jti"`
	Issued    int64      `json:"iat"`
	NotBefore int64      `json:"nbf"`
	Expires   int64      `json:"exp"`
	Status    *statusRef `json:"status,omitempty"`
	VC        vc         `json:"vc"`
}

// statusRef is the claim that refers to a Token Status List (§6.2).
type statusRef struct {
	List Status `json:"status_list"`
}

type vc struct {
	Context []string       `json:"@context"`
	Type    []string       `json:"type"`
	Subject map[string]any `json:"credentialSubject"`
}

// Issue makes a JWT VC, and names it as Entra Verified ID does: urn:pic: and 32 hexadecimal digits.
func (i *Issuer) Issue(c Credential) (id, compact string, err error) {
	var raw [16]byte
	if _, err := io.ReadFull(i.config.Random, raw[:]); err != nil {
		return "", "", fmt.Errorf("drawing an identifier: %w", err)
	}
	id = "urn:pic:" + hex.EncodeToString(raw[:])
	claims := payload{
		Issuer: i.DID, Subject: c.Subject, ID: id, Issued: c.From.Unix(), NotBefore: c.From.Unix(), Expires: c.Until.Unix(),
		VC: vc{Context: []string{credentialsV1}, Type: []string{genericType, c.Type}, Subject: c.About},
	}
	if c.Status != nil {
		claims.Status = &statusRef{List: *c.Status}
	}
	compact, err = i.sign(map[string]any{"typ": "JWT"}, claims)
	return id, compact, err
}

// kid is the DID URL of the key.
func (i *Issuer) kid() string { return i.DID + "#" + keyName }

func (i *Issuer) sign(header map[string]any, claims any) (string, error) {
	header["kid"] = i.kid()
	return jose.Sign(i.key, header, claims)
}
