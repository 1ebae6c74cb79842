package config

import (
	"net/url"
	"strings"
)

// plainPath reports whether the path of an issuer is "", or segments that a proxy, a browser and a did:web write in one way
// only: no dots to resolve, nothing to encode, no slash at the end that clients add or drop.
func plainPath(path string) bool {
	if path == "" {
		return true
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if segment == "" || strings.Trim(segment, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			return false
		}
	}
	return true
}

// validateMutualTLS checks the URL of the aliases: one router serves both, at one path.
func (c Config) validateMutualTLS(mistake func(format string, args ...any)) {
	if c.MutualTLS.BaseURL == "" {
		return
	}
	base, err := url.Parse(c.MutualTLS.BaseURL)
	issuer, err2 := url.Parse(c.Issuer)
	switch {
	case err != nil || base.Scheme != "https" || base.Host == "" || base.User != nil || strings.ContainsAny(c.MutualTLS.BaseURL, "?#"):
		mistake("mutual_tls.base_url %q: must be an https URL", c.MutualTLS.BaseURL)
	case err2 != nil: // told above
	case base.EscapedPath() != issuer.EscapedPath():
		mistake("mutual_tls.base_url %q: must have the path of the issuer %q, and no slash at the end", c.MutualTLS.BaseURL, c.Issuer)
	case base.Host == issuer.Host:
		mistake("mutual_tls.base_url %q: must have a host or port of its own: browsers would ask people for a certificate", c.MutualTLS.BaseURL)
	}
}

func (c Config) validateMetadata(mistake func(format string, args ...any)) {
	for key, address := range map[string]string{
		"service_documentation": c.Metadata.ServiceDocumentation, "op_policy_uri": c.Metadata.PolicyURI, "op_tos_uri": c.Metadata.TermsURI,
	} {
		if u, err := url.Parse(address); address != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
			mistake("metadata.%s %q: must be an https URL", key, address)
		}
	}
}
