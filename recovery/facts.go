package recovery

import "slices"

// What is known of accounts by the profiles alone: what a token may say was verified, and what metadata announces.

func (ps Profiles) named(name ProfileName) (Profile, bool) {
	i := slices.IndexFunc(ps, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}, false
	}
	return ps[i], true
}

// Verified returns what holds for every account that recovered under a profile, whichever credential was presented:
// the attributes that were matched, and the identity document, if all the profile's credentials have the same. Both
// are empty for a profile that is no longer configured.
func (ps Profiles) Verified(name ProfileName) ([]AttributeName, Document) {
	p, ok := ps.named(name)
	if !ok || len(p.Credentials) == 0 {
		return nil, Document{}
	}
	document := p.Credentials[0].Document
	for _, c := range p.Credentials {
		if c.Document != document {
			document = Document{}
		}
	}
	return p.Credentials[0].attributes(), document
}

// Documents returns the identity documents of all profiles, without duplicates.
func (ps Profiles) Documents() []Document {
	var all []Document
	for _, p := range ps {
		for _, c := range p.Credentials {
			if c.Document != (Document{}) && !slices.Contains(all, c.Document) {
				all = append(all, c.Document)
			}
		}
	}
	return all
}

// Attributes returns the attributes that the profiles match, sorted, without duplicates.
func (ps Profiles) Attributes() []AttributeName {
	var all []AttributeName
	for _, p := range ps {
		for _, c := range p.Credentials {
			all = append(all, c.attributes()...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
