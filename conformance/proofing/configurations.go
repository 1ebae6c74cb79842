package proofing

import "slices"

// known reports whether there is a credential configuration of that name.
func known(id string) bool { return slices.Contains(configurations(), id) }

func configurations() []string { return []string{ConfigurationID, LicenceID, JWTID} }
