package node

import (
	"net/url"

	"regain/provider/openid"
	"regain/recovery"
)

// openID returns the settings of the OpenID provider's endpoints and metadata.
func (c Config) openID(attributes []string, entra bool) openid.Config {
	return openid.Config{
		MutualTLS: c.MutualTLS.BaseURL, ClientRoots: c.MutualTLS.RootsFile != "", Attributes: attributes, EntraContract: entra,
		ServiceDocumentation: c.Metadata.ServiceDocumentation, PolicyURI: c.Metadata.PolicyURI, TermsURI: c.Metadata.TermsURI,
	}
}

// attributesOf returns the names of the directory's attributes, nil if it cannot tell.
func attributesOf(directory recovery.Directory) []string {
	lister, ok := directory.(interface{ AttributeNames() []string })
	if !ok {
		return nil
	}
	return append([]string{}, lister.AttributeNames()...) // none is not nil
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
