package config

import (
	"net/url"
	"slices"

	"regain/recovery"
)

// validateKeeping reports what a node would forget: no record, no pass.
func (c Config) validateKeeping(issuer *url.URL, mistake func(format string, args ...any)) {
	if c.Development && (issuer == nil || !loopbackName(issuer.Hostname())) {
		mistake("development: is for an issuer under .localhost; leave it out, and set storage.backend: file and audit.file")
	}
	issues := slices.IndexFunc(c.Profiles, func(p ProfileConfig) bool {
		return (p.Enabled == nil || *p.Enabled) && p.Mode == string(recovery.ModeProduction)
	})
	switch {
	case c.Audit.File == "" && c.Storage.Backend != "memory":
		mistake("audit.file: name a file; a node that keeps its transactions must keep its audit log")
	case issues < 0 || c.Development:
		return
	case c.Audit.File == "":
		mistake("audit.file: name a file: profiles[%d] (%s) is in production, and there is no pass without a record that is kept; or set mode: evaluation", issues, c.Profiles[issues].Name)
	}
	if issues >= 0 && !c.Development && c.Storage.Backend == "memory" {
		mistake("storage.backend memory: use file or mongo: profiles[%d] (%s) is in production, and a restart would forget which passes were issued; or set mode: evaluation", issues, c.Profiles[issues].Name)
	}
}
