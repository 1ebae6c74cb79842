package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"regain/presentation"
)

// Validate reports the mistakes of what is written that no other package detects, each with its key and the cure.
func (c Config) Validate() error {
	var problems []error
	mistake := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	issuer, err := url.Parse(c.Issuer)
	switch {
	case c.Issuer == "":
		mistake("issuer: set it to the URL under which clients reach this server, such as https://recover.example.org")
	case err != nil || issuer.Host == "" || issuer.User != nil || strings.ContainsAny(c.Issuer, "?#"):
		mistake("issuer %q: must be scheme and host, or these and a path", c.Issuer)
	case !plainPath(issuer.EscapedPath()):
		mistake("issuer %q: the path must be segments of letters, digits, - and _, without a slash at the end", c.Issuer)
	case issuer.Scheme != "https" && !loopbackName(issuer.Hostname()):
		mistake("issuer %q: must be https; http is for names under .localhost only", c.Issuer)
	}
	c.validateListeners(mistake)
	c.validateKeeping(issuer, mistake)
	c.validateTrust(mistake)
	if c.RequestLife <= 0 || c.RequestLife > presentation.MaxLifetime {
		mistake("request_lifetime %s: at most %s, and more than nothing", c.RequestLife, presentation.MaxLifetime)
	}
	c.validateMutualTLS(mistake)
	c.validateMetadata(mistake)
	c.validateProxies(mistake)
	c.validateProfiles(mistake)
	return errors.Join(problems...)
}

func (c Config) validateTrust(mistake func(format string, args ...any)) {
	if len(c.Trust) == 0 {
		mistake("trust: is empty, so every Verified ID would be refused; name anchors_file for the types you accept")
	}
	if len(c.FaceCheck.ReceiptTypes) == 0 {
		mistake("face_check.receipt_types: name at least one")
	}
}

// validateListeners checks how the node is reached.
func (c Config) validateListeners(mistake func(format string, args ...any)) {
	if err := CheckAddress(c.Listen); err != nil {
		mistake("listen: %w", err)
	}
	if c.MutualTLS.Listen != "" {
		if err := CheckAddress(c.MutualTLS.Listen); err != nil {
			mistake("mutual_tls.listen: %w", err)
		}
	}
	if (c.TLS.CertificateFile == "") != (c.TLS.KeyFile == "" && c.TLS.Key.IsZero()) {
		mistake("tls: set both certificate_file and key_file, or neither and let a proxy in front terminate TLS")
	}
	if c.TLS.KeyFile != "" && !c.TLS.Key.IsZero() {
		mistake("tls: set key_file or key, and not both")
	}
	if err := c.Connections.validate(); err != nil {
		mistake("%w", err)
	}
	if c.MutualTLS.Listen != "" && c.TLS.CertificateFile == "" {
		mistake("mutual_tls.listen: needs tls.certificate_file; behind a proxy that terminates TLS, set mutual_tls.header instead")
	}
}

func (c Config) validateProfiles(mistake func(format string, args ...any)) {
	for i, p := range c.Profiles {
		if len(p.Credentials) > 0 && (len(p.Credential.Types) > 0 || len(p.Credential.Bindings) > 0) {
			mistake("profiles[%d] (%s): set either credential or credentials", i, p.Name)
		}
		if p.CrossDevice.Allow && p.CrossDevice.SameNetwork && c.BehindUnknownProxy() {
			mistake("profiles[%d] (%s).cross_device.same_network: every device seems to be in the network of the proxy that terminates TLS: name it in trusted_proxies", i, p.Name)
		}
	}
	names := map[string]bool{"": true}
	for i, p := range c.Proofing {
		if names[p.Name] {
			mistake("proofing[%d].name %q: each provider needs a name of its own", i, p.Name)
		}
		names[p.Name] = true
	}
	for i, p := range c.Profiles {
		if !names[p.Proofing] {
			mistake("profiles[%d].proofing %q: there is no provider of this name under proofing", i, p.Proofing)
		}
	}
}

// BehindUnknownProxy reports whether a proxy terminates TLS that trusted_proxies does not name. Its X-Forwarded-For
// header is then ignored, and all requests seem to come from its network.
func (c Config) BehindUnknownProxy() bool {
	return strings.HasPrefix(c.Issuer, "https:") && c.TLS.CertificateFile == "" && len(c.TrustedProxies) == 0
}

// loopbackName reports whether host always means this machine (RFC 6761 §6.3).
func loopbackName(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}

// validate checks that every bound is one, and that no network's share is all there is. Where all people do come from one
// network, as through a proxy, it is the proxy that has to be named: it is exempt then, and its users are told apart.
func (c ConnectionsConfig) validate() error {
	for _, bound := range []struct {
		key string
		n   int
	}{{"max", c.Max}, {"per_network", c.PerNetwork}, {"live_pages", c.LivePages}, {"live_pages_per_network", c.LivePagesPerNetwork}} {
		if bound.n <= 0 {
			return fmt.Errorf("connections.%s %d: use a number above 0, or leave it out", bound.key, bound.n)
		}
	}
	for _, share := range []struct {
		key, of string
		n, all  int
	}{{"per_network", "max", c.PerNetwork, c.Max}, {"live_pages_per_network", "live_pages", c.LivePagesPerNetwork, c.LivePages}} {
		if share.n >= share.all {
			return fmt.Errorf("connections.%s %d: use fewer than connections.%s %d, such as a sixteenth: one network would hold every place; if all people come by one proxy, name it in trusted_proxies",
				share.key, share.n, share.of, share.all)
		}
	}
	return nil
}
