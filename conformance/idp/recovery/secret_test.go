package recovery_test

import (
	"testing"

	"regain/conformance/idp/recovery"
	"regain/conformance/idp/recovery/recoverytest"
)

// TestSecretsHideThemselves prints every type that holds one in every way there is.
func TestSecretsHideThemselves(t *testing.T) {
	const value = "hush-hush"
	for _, holder := range recovery.SecretHolders(value) {
		if shown := recoverytest.Shows(holder, value); shown != "" {
			t.Errorf("%T shows %s", holder, shown)
		}
	}
	if recovery.NewSecret(value).Reveal()+(recovery.Secret{}).Reveal() != value {
		t.Error("lost")
	}
}

func TestSecretsAreCompared(t *testing.T) {
	for name, row := range map[string]struct {
		secret recovery.Secret
		given  string
		want   bool
	}{
		"the same": {recovery.NewSecret("a"), "a", true}, "another": {recovery.NewSecret("a"), "b", false},
		"longer": {recovery.NewSecret("a"), "ab", false}, "nothing twice": {recovery.NewSecret(""), "", false}, "none": {recovery.Secret{}, "", false},
	} {
		if got := row.secret.Is(row.given); got != row.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
