package node

import (
	"regain/internal/config"
	"regain/internal/keep"
	"regain/internal/plan"
	"regain/provider/journey"
	"regain/recovery"
)

// loaded is the plan of a node, and the external systems that it names.
type loaded struct {
	plan.Plan
	directory recovery.Directory
	proofing  map[string]journey.Proofing
}

// load makes the plan and opens the external systems, before anything is created. It goes on after a mistake, as
// plan.Read does.
func load(cfg config.Config, deps Deps) (l loaded, err error) {
	var found config.Problems
	l.Plan, err = plan.Read(cfg, deps.Clock)
	found.Add(err)
	if l.Ring != nil && cfg.Issuer != "" {
		l.proofing, err = newProofing(cfg, l.Ring, deps)
		found.Add(err)
	}
	l.directory, err = openDirectory(cfg.Directory)
	if found.Add(err) {
		found.Add(plan.CheckDirectory(l.Policy, l.directory))
	}
	found.Add(keep.CheckStorage(cfg.Storage))
	if cfg.Audit.File != "" {
		_, err = keep.AuditOptions(cfg.Audit)
		found.Add(err)
	}
	return l, found.Err()
}
