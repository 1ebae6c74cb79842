// Package proofing is an identity proofing provider: it looks at a document and a face, and issues a Verified ID into
// a wallet. It stands on the far side of three protocols, written from the specifications and from docs/protocols.md,
// and imports none of the house it talks to:
//
//   - the one-time hand-off, by which a relying party sends a person here and gets them back (handoff.go);
//   - OpenID4VCI 1.0 with the pre-authorized code flow, by which the wallet fetches the Verified ID (token.go,
//     credential.go): an SD-JWT VC, a mobile driving licence (mdoc), or a JWT VC for wallets like Microsoft Authenticator,
//     whose status stands in a Token Status List (status.go);
//   - the Face Check, which compares the photo in a Verified ID with a selfie and issues a receipt (facecheck.go).
//
// Every Server has a certification authority of its own, made when it starts: two servers do not trust each other,
// which is how tests get an issuer that nobody knows. All state is in memory and bounded.
package proofing

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/conformance/people"
	"regain/conformance/proofing/client"
	"regain/conformance/proofing/dpop"
	"regain/conformance/proofing/jwe"
	"regain/conformance/proofing/jwtvc"
	"regain/conformance/proofing/nonce"
)

// DefaultType is the vct of the Verified ID; ReceiptType is the vct of the Face Check receipt.
const (
	DefaultType = "urn:regain:verified-identity:1"
	ReceiptType = "urn:regain:face-check-receipt:1"
)

// The credential configurations: the names of the Verified ID, as an SD-JWT VC, as a mobile driving licence and as a JWT
// VC, in offers and in the issuer's metadata.
const (
	ConfigurationID = "VerifiedIdentity"
	LicenceID       = "MobileDrivingLicence"
	JWTID           = "VerifiedIdentityJWT"
)

// Config says what a Server needs. The first group is optional, everything after it required.
type Config struct {
	// Name is the provider's name on its pages; "Northlight Identity" if empty.
	Name string
	// Type is the vct of the Verified ID; DefaultType if empty.
	Type string
	// Offers are the credential configurations that the people's page offers; ConfigurationID alone if empty.
	Offers []string
	// TransactionCode has the people's page show six digits, which have to be typed into the wallet: who photographs
	// the QR code gets nothing.
	TransactionCode bool
	// Wallets and Attesters say which wallets are known. With any of either, all wallets have to authenticate and to
	// bind their access tokens to a DPoP key; with none, anybody may come, and does not have to.
	Wallets   []client.Wallet
	Attesters []client.Attester
	// KeyAttesters are the keys of those who vouch for where a wallet keeps its keys. With any, each key that a credential
	// is to be bound to needs a key attestation of one of them (OpenID4VCI 1.0 Appendix D).
	KeyAttesters jose.JSONWebKeySet // for ES256
	// BareStatusKey shows the key of status lists as jwk instead of certificates, for a verifier that knows no anchor,
	// such as the OpenID Foundation's suite.
	BareStatusKey bool

	// BaseURL is the credential issuer identifier: scheme, host and port, no path. http only on loopback names.
	BaseURL string
	// RegainIssuer is who may hand people over; its keys come from its OpenID discovery.
	RegainIssuer string
	// WalletOfferEndpoint is where the wallet takes credential offers, such as https://wallet.example/offer.
	WalletOfferEndpoint string
	// StatusTTL is how long a status list may be kept by who fetched it, from a second to a day.
	StatusTTL time.Duration
	// Studio draws the people and compares their faces; nil draws each anew.
	Studio *people.Studio
	// Clock tells the time; Random gives unpredictable bytes; HTTPClient fetches the hand-off keys.
	Clock      func() time.Time
	Random     io.Reader
	Logger     *slog.Logger
	HTTPClient *http.Client
}

// Server is the provider. It is safe for concurrent use.
type Server struct {
	config   Config
	regain   *handoffKeys
	ca       *authority
	nonces   *nonce.Book
	door     *client.Door
	proofs   *dpop.Checker
	requests *jwe.Key
	vcs      *jwtvc.Issuer
	pages    *pageSet
	limits   limits
	handler  http.Handler

	mu          sync.Mutex
	journeys    map[string]*journey    // by cookie
	seenTokens  map[string]time.Time   // hand-off jti → forget at
	offers      map[string]*offer      // by the id in the offer's URL
	codes       map[string]*offer      // by digest of the pre-authorized code
	grants      map[string]*grant      // by digest of the access token
	notices     map[string]*notice     // by notification_id
	credentials map[string]*credential // by what names them in receipts
	lists       []*statusList
}

// New makes a server with a certification authority of its own. It refuses a configuration with missing parts.
func New(config Config) (*Server, error) {
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("configuring the proofing provider: %w", err)
	}
	if config.Name == "" {
		config.Name = "Northlight Identity"
	}
	if config.Type == "" {
		config.Type = DefaultType
	}
	if len(config.Offers) == 0 {
		config.Offers = []string{ConfigurationID}
	}
	config.Random = &dice{source: config.Random}
	ca, err := newAuthority(config.Name, config.BaseURL, config.Clock())
	if err != nil {
		return nil, fmt.Errorf("making the certification authority: %w", err)
	}
	pages, err := newPageSet()
	if err != nil {
		return nil, err
	}
	s := &Server{
		config: config, ca: ca, pages: pages, limits: defaultLimits(), regain: newHandoffKeys(config),
		journeys: map[string]*journey{}, seenTokens: map[string]time.Time{},
		offers: map[string]*offer{}, codes: map[string]*offer{}, grants: map[string]*grant{}, notices: map[string]*notice{},
		credentials: map[string]*credential{},
	}
	if err := s.equip(); err != nil {
		return nil, fmt.Errorf("configuring the proofing provider: %w", err)
	}
	s.handler = s.routes()
	return s, nil
}

// equip makes what stands at the wallets' endpoints, and who signs the JWT VCs.
func (s *Server) equip() (err error) {
	if s.nonces, err = nonce.NewBook(s.config.Random); err != nil {
		return err
	}
	if s.proofs, err = dpop.New(s.config.Random, s.config.Clock); err != nil {
		return err
	}
	if s.requests, err = jwe.NewKey(); err != nil {
		return err
	}
	if s.vcs, err = jwtvc.New(jwtvc.Config{BaseURL: s.config.BaseURL, Random: s.config.Random}); err != nil {
		return err
	}
	s.door, err = client.NewDoor(client.Config{
		Issuer: s.config.BaseURL, Wallets: s.config.Wallets, Attesters: s.config.Attesters, Clock: s.config.Clock,
	})
	return err
}

// Handler serves every endpoint and page.
func (s *Server) Handler() http.Handler { return s.handler }

// Anchor is the certificate to trust: it is above the issuer, the status list and the Face Check receipts. JWT VCs are
// signed by DID, and their status lists are under Anchor too.
func (s *Server) Anchor() *x509.Certificate { return s.ca.anchor }

// IACA is the certificate to trust above driving licences. Their status lists are under Anchor, like all others.
func (s *Server) IACA() *x509.Certificate { return s.ca.licences.Root }

// StartURL is where a hand-off begins; it is the hand-off's audience.
func (s *Server) StartURL() string { return s.config.BaseURL + "/start" }

// limits bounds what strangers can make the server keep or read.
type limits struct {
	open   int   // journeys, offers, hand-off ids: each
	body   int64 // bytes of an ordinary request
	upload int64 // bytes of a Face Check request
	batch  int   // credentials of one configuration for one offer
}

func defaultLimits() limits { return limits{open: 20_000, body: 64 << 10, upload: 512 << 10, batch: 5} }

// lifetime of offers, codes, access tokens and nonces; a journey may take longer.
const (
	shortLife   = 5 * time.Minute
	journeyLife = 30 * time.Minute
)

func (c Config) check() error {
	var missing []error
	for name, absent := range map[string]bool{
		"Clock": c.Clock == nil, "Random": c.Random == nil, "Logger": c.Logger == nil, "HTTPClient": c.HTTPClient == nil,
	} {
		if absent {
			missing = append(missing, fmt.Errorf("%s is missing", name))
		}
	}
	for name, address := range map[string]string{
		"BaseURL": c.BaseURL, "RegainIssuer": c.RegainIssuer, "WalletOfferEndpoint": c.WalletOfferEndpoint,
	} {
		if err := checkURL(address, name == "BaseURL"); err != nil {
			missing = append(missing, fmt.Errorf("%s: %w", name, err))
		}
	}
	for _, id := range c.Offers {
		if !known(id) {
			missing = append(missing, fmt.Errorf("there is no credential configuration %q, which Offers names", id))
		}
	}
	if c.StatusTTL < time.Second || c.StatusTTL > 24*time.Hour {
		missing = append(missing, errors.New("StatusTTL must be from a second to a day"))
	}
	return errors.Join(missing...)
}

// checkURL wants an absolute URL without query, fragment or user; a bare one has no path either.
func checkURL(address string, bare bool) error {
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("is not a URL")
	}
	switch {
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("must be an absolute URL without user, query and fragment")
	case bare && u.Path != "":
		return errors.New("must have no path, not even a slash")
	case u.Scheme == "https", u.Scheme == "http" && onLoopback(u.Hostname()):
		return nil
	}
	return errors.New("must be https (http is for loopback names only)")
}

func onLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
