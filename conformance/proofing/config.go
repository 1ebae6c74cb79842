package proofing

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"regain/conformance/jose"
	"regain/conformance/people"
	"regain/conformance/proofing/client"
	"regain/conformance/proofing/credential"
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
	// KeyAttesters are the keys of those who vouch for where a wallet keeps its keys. With any, each key that a
	// credential is to be bound to needs a key attestation of one of them (OpenID4VCI 1.0 Appendix D).
	KeyAttesters jose.JWKSet // for ES256
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
		if !credential.Known(id) {
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

// withDefaults fills in what may be left out.
func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name = "Northlight Identity"
	}
	if c.Type == "" {
		c.Type = DefaultType
	}
	if len(c.Offers) == 0 {
		c.Offers = []string{ConfigurationID}
	}
	return c
}
