package verifiertest

import (
	"crypto/rand"
	"strings"
	"testing"
)

// Draft is a credential before it is signed. Tests change what they want.
type Draft struct {
	Header      map[string]any
	Claims      map[string]any // the payload as the issuer signs it
	Disclosures []Disclosure   // those that the holder will send
	Signer      Party
	Index       int    // in the status list, of a Verified ID
	Portrait    string // digest of the portrait's Disclosure, of a Verified ID
}

// Disclosure is one, in its text.
type Disclosure struct {
	Name string
	Text string
}

// Digest is what stands in `_sd` for a Disclosure (RFC 9901 §4.2.3).
func (d Disclosure) Digest() string { return Hash(d.Text) }

// Disclose makes a Disclosure of a claim, or of an array element when name is "".
func Disclose(t testing.TB, name string, value any) Disclosure {
	t.Helper()
	parts := []any{rand.Text(), name, value}
	if name == "" {
		parts = []any{rand.Text(), value}
	}
	return Disclosure{Name: name, Text: Encode(JSON(t, parts))}
}

// Conceal adds a selectively disclosable claim, and its Disclosure to those that are sent.
func (d *Draft) Conceal(t testing.TB, name string, value any) Disclosure {
	t.Helper()
	one := Disclose(t, name, value)
	digests, _ := d.Claims["_sd"].([]string)
	d.Claims["_sd"] = append(digests, one.Digest())
	d.Disclosures = append(d.Disclosures, one)
	return one
}

// Withhold takes a Disclosure out of those that are sent.
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
