package plan

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"regain/internal/config"
	"regain/presentation"
	"regain/presentation/authenticator"
	"regain/presentation/identity"
	"regain/provider/protocol"
	"regain/recovery"
)

const (
	protocolOpenID4VP     = "openid4vp"
	protocolAuthenticator = "authenticator"
)

// defaultWallet is the name of the wallet profile that exists if none is configured.
const defaultWallet = "default"

// walletsOf returns the wallet profiles with defaults applied.
func walletsOf(c config.Config) []config.WalletConfig {
	if len(c.Wallets) == 0 {
		return []config.WalletConfig{withDefaults(config.WalletConfig{})}
	}
	all := make([]config.WalletConfig, 0, len(c.Wallets))
	for _, w := range c.Wallets {
		all = append(all, withDefaults(w))
	}
	return all
}

func withDefaults(w config.WalletConfig) config.WalletConfig {
	endpoint := "openid4vp://authorize"
	if w.HAIP {
		endpoint = "haip-vp://authorize"
	}
	if w.Protocol == protocolAuthenticator {
		endpoint = "openid-vc://"
	}
	w.Name, w.Protocol = cmp.Or(w.Name, defaultWallet), cmp.Or(w.Protocol, protocolOpenID4VP)
	w.Endpoint = cmp.Or(w.Endpoint, endpoint)
	w.ClientIDPrefix = cmp.Or(w.ClientIDPrefix, string(identity.X509HashOf))
	w.RequestURIMethod = cmp.Or(w.RequestURIMethod, "post")
	w.ResponseMode = cmp.Or(w.ResponseMode, string(presentation.DirectPostJWT))
	return w
}

// signing holds the key that signs presentation requests, its certificate chain if there is one, and the time to
// check the chain at.
type signing struct {
	key   *ecdsa.PrivateKey
	chain []*x509.Certificate
	now   time.Time
}

// newWallets builds the wallet profiles. Its errors name the key and the cure.
func newWallets(c config.Config, s signing) (map[recovery.WalletName]protocol.Wallet, error) {
	made := make(map[recovery.WalletName]protocol.Wallet)
	var problems []error
	for i, w := range walletsOf(c) {
		key := fmt.Sprintf("wallets[%d] (%s)", i, w.Name)
		wallet, err := makeWallet(w, s, c.Organisation)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", key, err))
			continue
		}
		if _, twice := made[recovery.WalletName(w.Name)]; twice {
			problems = append(problems, fmt.Errorf("%s: another wallet profile has this name", key))
		}
		made[recovery.WalletName(w.Name)] = wallet
	}
	return made, errors.Join(problems...)
}

func makeWallet(w config.WalletConfig, s signing, organisation string) (protocol.Wallet, error) {
	switch w.Protocol {
	case protocolOpenID4VP:
		return openid4vp(w, s)
	case protocolAuthenticator:
		if w.HAIP || w.TransactionData {
			return protocol.Wallet{}, errors.New("haip and transaction_data: wallets of the protocol authenticator know neither; leave them out")
		}
		profile, err := authenticator.New(authenticator.Config{
			Endpoint: w.Endpoint, DID: w.ClientID, KeyID: w.KeyID, Key: s.key, Name: cmp.Or(w.ClientName, organisation),
			Purpose: w.ClientPurpose, LogoURI: w.LogoURI, TermsURI: w.TermsURI,
		})
		return protocol.Wallet{DisplayName: w.DisplayName, Authenticator: profile, Issuers: w.Issuers}, err
	}
	return protocol.Wallet{}, fmt.Errorf("protocol %q: use %s or %s", w.Protocol, protocolOpenID4VP, protocolAuthenticator)
}

func openid4vp(w config.WalletConfig, s signing) (protocol.Wallet, error) {
	if !redirectsBack(w) { // OpenID4VP 1.0 §8.2 recommends it, HAIP 1.0 §5.1 requires it
		return protocol.Wallet{}, errors.New("redirect_back: wallets of OpenID4VP 1.0 open redirect_uri; false is for the protocol authenticator")
	}
	who, err := clientIdentity(w, s)
	if err != nil {
		return protocol.Wallet{}, err
	}
	profile := presentation.Profile{
		HAIP: w.HAIP, Endpoint: w.Endpoint, Identity: who, ByValue: w.ByValue, ResponseMode: presentation.ResponseMode(w.ResponseMode),
	}
	switch w.RequestURIMethod {
	case "post":
	case "get":
		profile.FetchByGet = true
	default:
		return protocol.Wallet{}, fmt.Errorf("request_uri_method %q: use post or get", w.RequestURIMethod)
	}
	for _, name := range w.DigitalCredentials {
		profile.Protocols = append(profile.Protocols, presentation.Protocol("openid4vp-v1-"+name))
	}
	if w.VerifierInfoFile != "" {
		text, err := os.ReadFile(w.VerifierInfoFile)
		if err != nil {
			return protocol.Wallet{}, fmt.Errorf("verifier_info_file: %w", err)
		}
		profile.VerifierInfo = json.RawMessage(text)
	}
	return protocol.Wallet{DisplayName: w.DisplayName, OpenID4VP: &profile, TransactionData: w.TransactionData}, profile.Validate()
}

// clientIdentity returns our client identity for this wallet profile.
func clientIdentity(w config.WalletConfig, s signing) (*identity.Identity, error) {
	switch identity.Prefix(w.ClientIDPrefix) {
	case identity.X509HashOf:
		return identity.X509Hash(s.key, s.chain, s.now)
	case identity.X509SANDNSOf:
		return identity.X509SANDNS(w.ClientID, s.key, s.chain, s.now)
	case identity.RedirectURIOf:
		return identity.RedirectURI(), nil
	case identity.DIDOf:
		return identity.DID(w.ClientID, w.KeyID, s.key)
	case identity.AttestedOf:
		text, err := os.ReadFile(w.AttestationFile)
		if err != nil {
			return nil, fmt.Errorf("attestation_file: %w", err)
		}
		return identity.Attested(string(text), s.key, s.now)
	case "pre-registered":
		return identity.PreRegistered(w.ClientID, w.KeyID, s.key)
	}
	return nil, fmt.Errorf("client_id_prefix %q: use x509_hash, x509_san_dns, redirect_uri, decentralized_identifier, verifier_attestation or pre-registered", w.ClientIDPrefix)
}

// ourWeb returns the did:web whose document this server publishes, if a wallet profile uses one at our origin; nil
// otherwise.
func ourWeb(c config.Config, s signing) (*identity.Web, error) {
	var found *identity.Web
	for i, w := range walletsOf(c) {
		web := identity.Web{DID: w.ClientID, KeyID: w.KeyID, Origin: c.Issuer, Key: s.key}
		if w.Protocol != protocolAuthenticator && w.ClientIDPrefix != string(identity.DIDOf) || !web.IsOurs() {
			continue
		}
		if found != nil && found.KeyID != w.KeyID {
			return nil, fmt.Errorf("wallets[%d].key_id %q: another wallet profile calls the key %q; it is one key, so give it one name", i, w.KeyID, found.KeyID)
		}
		found = &web
	}
	return found, nil
}

// channelsOf returns a profile's channels in order of preference: first through the browser, which only a nearby wallet
// can answer, then on this device, then by QR code if the profile allows it.
func channelsOf(c config.Config, p config.ProfileConfig) ([]recovery.Channel, error) {
	asked := walletsOf(c)
	if len(p.Wallets) > 0 {
		asked = asked[:0:0]
		for _, name := range p.Wallets {
			w, ok := walletNamed(c, name)
			if !ok {
				return nil, fmt.Errorf("wallets: there is no wallet profile %q", name)
			}
			asked = append(asked, w)
		}
	}
	var channels []recovery.Channel
	for _, flow := range []recovery.Flow{recovery.FlowBrowser, recovery.FlowSameDevice, recovery.FlowCrossDevice} {
		for _, w := range asked {
			if reachedBy(w, flow, p.CrossDevice.Allow) {
				channels = append(channels, recovery.Channel{Wallet: recovery.WalletName(w.Name), Flow: flow, NoRedirectBack: flow != recovery.FlowBrowser && !redirectsBack(w)})
			}
		}
	}
	return channels, nil
}

func walletNamed(c config.Config, name string) (config.WalletConfig, bool) {
	for _, w := range walletsOf(c) {
		if w.Name == name {
			return w, true
		}
	}
	return config.WalletConfig{}, false
}

func redirectsBack(w config.WalletConfig) bool { return w.RedirectBack == nil || *w.RedirectBack }

func reachedBy(w config.WalletConfig, flow recovery.Flow, crossDevice bool) bool {
	switch flow {
	case recovery.FlowBrowser:
		return len(w.DigitalCredentials) > 0
	case recovery.FlowCrossDevice:
		return crossDevice && !w.ByValue // a QR code with the whole request cannot be rotated and is too large to scan
	}
	return true
}
