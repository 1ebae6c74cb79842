package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"regain/internal/config"
	"regain/provider/clients"
	"regain/recovery"
)

// What the configuration names of the directory, held against what the directory has. A name that the directory does not
// know is one of two kinds. An exclusion of it excludes nobody: it opens, so in production it stops the start, a
// file that brings one is not taken over, and it is warned of where nobody gets a pass yet. A profile for it, or an attribute of it, covers or matches nobody: it closes, so
// it is warned of.

// reference is a name in the configuration.
type reference struct{ key, name string }

// unknown is a reference to nothing, with the known name that comes nearest, if there is one.
type unknown struct {
	reference
	near string
}

func (u unknown) String() string {
	if u.near != "" {
		return fmt.Sprintf("%s %q: the directory has no such name; %q differs in letter case", u.key, u.name, u.near)
	}
	return fmt.Sprintf("%s %q: the directory has no such name", u.key, u.name)
}

// CheckDirectory returns an error for exclusions in production that exclude nobody. A directory that cannot list its
// groups is believed.
func CheckDirectory(policy recovery.Policy, accounts recovery.Directory) error {
	names, err := readNames(accounts)
	if err != nil || names == nil {
		return err
	}
	var problems []error
	for _, u := range names.unknownGroups(exclusions(policy, true), strings.EqualFold) {
		problems = append(problems, fmt.Errorf("%s, so nobody is excluded by it: write it as the directory does; a group without members can stand under groups in the directory file", u))
	}
	return errors.Join(problems...)
}

// lintDirectory warns of whatever else names something that the directory does not have.
func lintDirectory(c config.Config, accounts recovery.Directory, add func(string, ...any)) {
	policy, err := newPolicy(c)
	if err != nil || accounts == nil {
		return // Read reports the one, whoever opens it the other
	}
	lintIDs(c, accounts, add)
	names, err := readNames(accounts)
	if err != nil || names == nil || len(names.groups)+len(names.attributes) == 0 { // one that is filled later
		return
	}
	for _, u := range names.unknownGroups(exclusions(policy, false), strings.EqualFold) {
		add("%s, so nobody is excluded by it; in production it stops the start", u)
	}
	exactly := func(a, b string) bool { return a == b }
	for i, p := range policy.Profiles {
		var included, bound []reference
		for _, g := range p.Scope.Include {
			included = append(included, reference{fmt.Sprintf("profiles[%d] (%s).groups", i, p.Name), string(g)})
		}
		for _, credential := range p.Credentials {
			for _, b := range credential.Bindings {
				bound = append(bound, reference{fmt.Sprintf("profiles[%d] (%s): binding of attribute", i, p.Name), string(b.Attribute)})
			}
		}
		for _, u := range names.unknownGroups(included, exactly) {
			add("%s, so the profile covers nobody by it", u)
		}
		for _, u := range names.unknownAttributes(bound) {
			add("%s, so every recovery under this profile is denied", u)
		}
	}
	for i, client := range c.Clients {
		for _, claim := range client.Claims {
			for _, u := range names.unknownAttributes([]reference{{fmt.Sprintf("clients[%d] (%s).claims: %s of attribute", i, client.ID, claim.Name), claim.Attribute}}) {
				add("%s, so the claim is never there", u)
			}
		}
	}
}

// lintIDs warns of ids that are names where a client counts on ids.
func lintIDs(c config.Config, accounts recovery.Directory, add func(string, ...any)) {
	file, ok := accounts.(interface{ WithoutID() int })
	if !ok || file.WithoutID() == 0 {
		return
	}
	for i, client := range c.Clients {
		if client.Subject == string(clients.SubjectID) {
			add("clients[%d] (%s).subject id: %d accounts of the directory have no id, so it is their name: whoever is given the name later is the same person to this client", i, client.ID, file.WithoutID())
		}
	}
}

// exclusions returns the excluded groups that keep somebody from a pass, or those that do not yet.
func exclusions(policy recovery.Policy, production bool) []reference {
	anyInProduction := slices.ContainsFunc(policy.Profiles, inProduction)
	var found []reference
	if anyInProduction == production {
		for _, g := range policy.Exclude {
			found = append(found, reference{"exclude_groups", string(g)})
		}
	}
	for i, p := range policy.Profiles {
		if inProduction(p) != production {
			continue
		}
		for _, g := range p.Scope.Exclude {
			found = append(found, reference{fmt.Sprintf("profiles[%d] (%s).exclude_groups", i, p.Name), string(g)})
		}
	}
	return found
}

func inProduction(p recovery.Profile) bool { return p.Enabled && p.Mode == recovery.ModeProduction }

// directoryNames are the names that a directory has.
type directoryNames struct{ groups, attributes []string }

// readNames returns the names that a directory has, or nil if it cannot list them.
func readNames(accounts recovery.Directory) (*directoryNames, error) {
	lister, ok := accounts.(recovery.DirectoryLister)
	if !ok {
		return nil, nil //nolint:nilnil // nil means that it cannot be known
	}
	groups, err := lister.Groups(context.Background())
	if err != nil {
		return nil, fmt.Errorf("list the groups of the directory: %w", err)
	}
	attributes, err := lister.Attributes(context.Background())
	if err != nil {
		return nil, fmt.Errorf("list the attributes of the directory: %w", err)
	}
	names := &directoryNames{}
	for _, g := range groups {
		names.groups = append(names.groups, string(g))
	}
	for _, a := range attributes {
		names.attributes = append(names.attributes, string(a))
	}
	return names, nil
}

// Attributes returns the names of the directory's attributes, nil if it cannot tell.
func Attributes(directory recovery.Directory) ([]string, error) {
	names, err := readNames(directory)
	if err != nil || names == nil {
		return nil, err
	}
	return append([]string{}, names.attributes...), nil // none is not nil
}

func (n *directoryNames) unknownGroups(list []reference, same func(a, b string) bool) []unknown {
	return unknownAmong(list, n.groups, same)
}

func (n *directoryNames) unknownAttributes(list []reference) []unknown {
	return unknownAmong(list, n.attributes, func(a, b string) bool { return a == b })
}

// unknownAmong returns the references, each once, that are the same as nothing that is known.
func unknownAmong(list []reference, known []string, same func(a, b string) bool) []unknown {
	var found []unknown
	for i, r := range list {
		if slices.Contains(list[:i], r) || slices.ContainsFunc(known, func(k string) bool { return same(k, r.name) }) {
			continue
		}
		u := unknown{reference: r}
		if near := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, strings.TrimSpace(r.name)) }); near >= 0 {
			u.near = known[near]
		}
		found = append(found, u)
	}
	return found
}
