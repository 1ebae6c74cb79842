package did

// Canonical is canonical.
func Canonical(v any) ([]byte, error) { return canonical(v) }

// Hash is hash.
func Hash(v any) (string, error) { return hash(v) }

// WebAddress is webAddress.
func (r Resolver) WebAddress(did string) (string, error) { return r.webAddress(did) }
