package authenticator

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"net/url"
	"strings"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"

	"regain/presentation"
)

// ContentType is the media type of a request object (JWT VC Presentation Profile, Self-Issued OP Request Object).
const ContentType = "application/jwt"

// Config has our identity towards these wallets.
type Config struct {
	Endpoint string        // openid-vc://, or the URL of a web wallet
	DID      string        // did:web:…; its document must have the key
	KeyID    string        // fragment of the key's verification method, without #
	Key      crypto.Signer // on P-256
	// Name, Purpose, LogoURI and TermsURI may be shown by the wallet. Only Name is required.
	Name, Purpose, LogoURI, TermsURI string
}

// Profile makes requests for these wallets. It is safe for concurrent use, if its key is.
type Profile struct {
	cfg    Config
	signer jose.Signer
}

// New returns an error for a configuration that no such wallet would accept.
func New(cfg Config) (*Profile, error) {
	if err := presentation.CheckEndpoint(cfg.Endpoint); err != nil {
		return nil, fmt.Errorf("authorization_endpoint %q: %w", cfg.Endpoint, err)
	}
	if !strings.HasPrefix(cfg.DID, "did:") || strings.ContainsAny(cfg.DID, "#?/ \"\\") || cfg.KeyID == "" {
		return nil, errors.New("client_id: give our DID, such as did:web:recover.example.org, and key_id, the fragment of its key")
	}
	if cfg.Name == "" {
		return nil, errors.New("client_name is required: the wallet shows it to the person as the name of the verifier")
	}
	if cfg.Key == nil {
		return nil, errors.New("request_signing.key is required")
	}
	if public, ok := cfg.Key.Public().(*ecdsa.PublicKey); !ok || public.Curve != elliptic.P256() {
		return nil, errors.New("request_signing.key is not on P-256, which ES256 needs")
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: cryptosigner.Opaque(cfg.Key)},
		(&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", cfg.DID+"#"+cfg.KeyID),
	)
	if err != nil {
		return nil, fmt.Errorf("request_signing.key: %w", err)
	}
	return &Profile{cfg: cfg, signer: signer}, nil
}

// ClientID returns our DID, the audience of everything that these wallets sign.
func (p *Profile) ClientID() string { return p.cfg.DID }

// Link returns the link that invokes a wallet. Its only parameter is request_uri (JWT VC Presentation Profile,
// Authorization Request URI).
func (p *Profile) Link(requestURI string) string {
	separator := "?"
	if strings.Contains(p.cfg.Endpoint, "?") {
		separator = "&"
	}
	return p.cfg.Endpoint + separator + "request_uri=" + url.QueryEscape(requestURI)
}
