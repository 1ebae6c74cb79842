package did

// Canonical and Address let tests ask for what is only a step.
var (
	Canonical = canonical
	Address   = address
)
