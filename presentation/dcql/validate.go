package dcql

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a query: far above any real one, and small enough that the quadratic comparisons below are cheap.
const (
	maxEntries = 64
	maxText    = 1024 // bytes of an id, a name or a value
)

// neverSelectivelyDisclosable reports whether a claim of an SD-JWT VC must not be selectively disclosed (SD-JWT VC
// §2.2.2.3). A wallet always sends these claims, and some wallets answer a query for one with "no such credential", so
// such a query is a mistake. A query for a value of one is valid: iss may name an issuer (OpenID4VP 1.0 §6.1.1).
func neverSelectivelyDisclosable(name string) bool {
	switch name {
	case "iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status":
		return true
	}
	return false
}

// Validate returns an [ErrInvalid] with the first rule of OpenID4VP 1.0 §6 that the query breaks.
func (q Query) Validate() error {
	if err := q.validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

func (q Query) validate() error {
	if err := count("credentials", len(q.Credentials)); err != nil {
		return err
	}
	ids := make([]string, 0, len(q.Credentials))
	for _, c := range q.Credentials {
		if err := identifier(c.ID, ids); err != nil {
			return fmt.Errorf("id of a credential: %w", err)
		}
		ids = append(ids, c.ID)
		if err := c.validate(); err != nil {
			return fmt.Errorf("credential %s: %w", c.ID, err)
		}
	}
	if q.CredentialSets == nil {
		return nil
	}
	if err := count("credential_sets", len(q.CredentialSets)); err != nil {
		return err
	}
	for _, s := range q.CredentialSets {
		if err := references(s.Options, ids); err != nil {
			return fmt.Errorf("credential_sets: %w", err)
		}
	}
	return nil
}

func (c Credential) validate() error {
	if c.Meta == nil {
		return errors.New("meta is missing")
	}
	if err := c.Meta.validate(c.Format); err != nil {
		return err
	}
	if err := authorities(c.TrustedAuthorities); err != nil {
		return err
	}
	ids, err := c.claimIDs()
	if err != nil {
		return err
	}
	if c.ClaimSets == nil {
		return nil
	}
	if c.Claims == nil {
		return errors.New("claim_sets without claims")
	}
	if err := references(c.ClaimSets, ids); err != nil {
		return fmt.Errorf("claim_sets: %w", err)
	}
	for _, id := range ids {
		if !slices.ContainsFunc(c.ClaimSets, func(set []string) bool { return slices.Contains(set, id) }) {
			return fmt.Errorf("claim %q is in no claim set, so it can never be sent", id)
		}
	}
	return nil
}

func (c Credential) claimIDs() (ids []string, err error) {
	if c.Claims == nil {
		return nil, nil
	}
	if err := count("claims", len(c.Claims)); err != nil {
		return nil, err
	}
	for i, claim := range c.Claims {
		if claim.ID != "" || c.ClaimSets != nil {
			if err := identifier(claim.ID, ids); err != nil {
				return nil, fmt.Errorf("id of a claim: %w", err)
			}
			ids = append(ids, claim.ID)
		}
		if err := claim.validate(c.Format); err != nil {
			return nil, err
		}
		for _, earlier := range c.Claims[:i] {
			if slices.Equal(earlier.Path, claim.Path) {
				return nil, fmt.Errorf("claim %s is asked for twice", claim.Path)
			}
		}
	}
	return ids, nil
}

func (c Claim) validate(format string) error {
	if err := c.Path.validate(); err != nil {
		return err
	}
	if err := c.validateFor(format); err != nil {
		return err
	}
	if c.Values == nil {
		return nil
	}
	if err := count("values", len(c.Values)); err != nil {
		return err
	}
	for _, v := range c.Values {
		text, _ := v.(string)
		if _, ok := scalar(v); !ok || len(text) > maxText || !utf8.ValidString(text) {
			return fmt.Errorf("values of %s: only strings, integers and booleans, and none too long", c.Path)
		}
	}
	return nil
}

func references(options [][]string, known []string) error {
	if err := count("options", len(options)); err != nil {
		return err
	}
	for _, option := range options {
		if err := count("an option", len(option)); err != nil {
			return err
		}
		for i, id := range option {
			if !slices.Contains(known, id) {
				return fmt.Errorf("an option names %q, which does not exist", id)
			}
			if slices.Contains(option[:i], id) {
				return fmt.Errorf("an option names %q twice", id)
			}
		}
	}
	return nil
}

func texts(what string, values []string) error {
	if err := count(what, len(values)); err != nil {
		return err
	}
	for i, v := range values {
		if v == "" || len(v) > maxText || !utf8.ValidString(v) || slices.Contains(values[:i], v) {
			return fmt.Errorf("%s: a value is empty, too long, not UTF-8 or stands twice", what)
		}
	}
	return nil
}

func count(what string, n int) error {
	if n < 1 || n > maxEntries {
		return fmt.Errorf("%s has %d entries, want 1 to %d", what, n, maxEntries)
	}
	return nil
}

// identifier checks the characters of an id (OpenID4VP 1.0 §6.1, §6.3) and that it is unique.
func identifier(id string, taken []string) error {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	if id == "" || len(id) > maxText || strings.Trim(id, allowed) != "" {
		return fmt.Errorf("%q is not made of letters, digits, _ and -", id)
	}
	if slices.Contains(taken, id) {
		return fmt.Errorf("%q stands twice", id)
	}
	return nil
}
