package verifiertest

import (
	"crypto/rand"
	"strings"
	"testing"
)

// Draft is an SD-JWT VC that is not signed yet, for tests to change.
type Draft struct {
	Header      map[string]any
	Claims      map[string]any // the payload that the issuer signs
	Disclosures []Disclosure   // those that the holder sends
	Signer      Party
	Index       int    // index in the status list; Verified IDs only
	Portrait    string // digest of the portrait's Disclosure; Verified IDs only
}

// Disclosure is an encoded Disclosure (RFC 9901 §4.2) and the name of its claim.
type Disclosure struct {
	Name string
	Text string
}

// Digest returns the digest of a Disclosure, for `_sd` (RFC 9901 §4.2.3).
func (d Disclosure) Digest() string { return Hash(d.Text) }

// Disclose makes the Disclosure of a claim, or of an array element if name is "".
func Disclose(t testing.TB, name string, value any) Disclosure {
	t.Helper()
	parts := []any{rand.Text(), name, value}
	if name == "" {
		parts = []any{rand.Text(), value}
	}
	return Disclosure{Name: name, Text: Encode(JSON(t, parts))}
}

// Conceal adds a selectively disclosable claim: its digest to `_sd`, and its Disclosure to Disclosures.
func (d *Draft) Conceal(t testing.TB, name string, value any) Disclosure {
	t.Helper()
	one := Disclose(t, name, value)
	digests, _ := d.Claims["_sd"].([]string)
	d.Claims["_sd"] = append(digests, one.Digest())
	d.Disclosures = append(d.Disclosures, one)
	return one
}

// Withhold removes the Disclosure of a claim from Disclosures.
func (d *Draft) Withhold(name string) {
	kept := d.Disclosures[:0:0]
	for _, one := range d.Disclosures {
		if one.Name != name {
			kept = append(kept, one)
		}
	}
	d.Disclosures = kept
}

// Sign returns the SD-JWT up to and including its last tilde.
func (d *Draft) Sign(t testing.TB) string {
	t.Helper()
	return d.join(Sign(t, d.Signer.Key, d.Header, d.Claims))
}

func (d *Draft) join(jwt string) string {
	var b strings.Builder
	b.WriteString(jwt + "~")
	for _, one := range d.Disclosures {
		b.WriteString(one.Text + "~")
	}
	return b.String()
}
