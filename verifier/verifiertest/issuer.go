package verifiertest

import (
	"crypto/rand"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"regain/internal/fetch"
	"regain/verifier/trust"
)

// Issuer issues Verified IDs, mdocs and receipts under one CA, and serves their status list on loopback.
type Issuer struct {
	URL            string
	Authority      *Authority
	Signs          Party // signs SD-JWT VCs
	SignsDocuments Party // signs mdocs
	Status         *StatusList

	t     testing.TB
	clock func() time.Time
	next  int
}

// New starts an issuer. It stops when the test ends.
func New(t testing.TB, clock func() time.Time) *Issuer {
	t.Helper()
	i := &Issuer{t: t, clock: clock, Authority: NewAuthority(t, "Anchor of tests", clock())}
	i.Signs, i.SignsDocuments = i.Authority.Leaf(t, nil), i.Authority.Leaf(t, DocumentSigner)
	i.Status = &StatusList{
		Signer: i.Authority.Leaf(t, nil), Bits: 2, TTL: 300,
		t: t, clock: func() int64 { return clock().Unix() }, entries: make([]byte, entries),
	}
	server := httptest.NewServer(i.Status)
	t.Cleanup(server.Close)
	i.URL, i.Status.URI = server.URL, server.URL+"/status/1"
	return i
}

// Rules returns trust rules for Verified IDs and receipts of the issuer.
func (i *Issuer) Rules() []trust.Rule { return []trust.Rule{i.Rule(IdentityType), i.Rule(ReceiptType)} }

// Rule returns a rule that trusts the issuer for one type.
func (i *Issuer) Rule(name string) trust.Rule {
	rule := trust.Rule{Types: []string{name}, Issuers: []string{i.URL}}
	rule.Anchors = append(rule.Anchors, i.Authority.Certificate)
	return rule
}

// Fetcher returns a hardened fetcher that may reach this issuer.
func (i *Issuer) Fetcher() *fetch.Fetcher {
	i.t.Helper()
	host := strings.TrimPrefix(i.URL, "http://")
	f, err := fetch.New(fetch.Config{AllowHTTPHosts: []string{host}, AllowPrivateHosts: []string{host}, Timeout: 10 * time.Second})
	if err != nil {
		i.t.Fatal(err)
	}
	return f
}

// VerifiedID drafts a Verified ID with every claim disclosed except the portrait, and an unused status list index.
func (i *Issuer) VerifiedID(h *Holder) *Draft {
	i.t.Helper()
	d := i.draft(h, IdentityType, 365*24*time.Hour)
	d.Claims["_sd_alg"] = "sha-256"
	d.Claims["status"] = map[string]any{"status_list": map[string]any{"idx": i.next, "uri": i.Status.URI}}
	d.Index = i.next
	i.next++
	for _, claim := range [][2]string{
		{"given_name", "Ada"}, {"family_name", "Lovelace"}, {"birthdate", "1990-12-10"},
		{"document_type", "passport"}, {"document_number", "X1234567"}, {"portrait", Encode([]byte("a picture of Ada"))},
	} {
		d.Conceal(i.t, claim[0], claim[1])
	}
	digests, _ := d.Claims["_sd"].([]string)
	d.Claims["_sd"] = append(digests, Hash(rand.Text())) // a decoy (RFC 9901 §4.2.7)
	d.Portrait = d.Disclosures[len(d.Disclosures)-1].Digest()
	d.Withhold("portrait")
	return d
}

// Receipt drafts a Face Check receipt for a Verified ID, with its holder key, its jti and the digest of its portrait.
func (i *Issuer) Receipt(id *Draft, score float64) *Draft {
	i.t.Helper()
	d := i.draft(nil, ReceiptType, 10*time.Minute)
	d.Claims["cnf"] = id.Claims["cnf"]
	d.Claims["faceCheckResults"] = []any{map[string]any{
		"sourceVcJti": id.Claims["jti"], "sourcePhotoDigest": id.Portrait,
		"matchConfidenceThreshold": 70, "matchConfidenceScore": score, "sourcePhotoQuality": "HIGH",
	}}
	return d
}

// Result returns the first entry of a receipt's faceCheckResults, for tests to change.
func (d *Draft) Result() map[string]any {
	results, _ := d.Claims["faceCheckResults"].([]any)
	first, _ := results[0].(map[string]any)
	return first
}

func (i *Issuer) draft(h *Holder, kind string, life time.Duration) *Draft {
	now := i.clock()
	d := &Draft{
		Signer: i.Signs,
		Header: map[string]any{"alg": "ES256", "typ": "dc+sd-jwt", "x5c": x5c(i.Signs.Chain)},
		Claims: map[string]any{
			"iss": i.URL, "vct": kind, "jti": "urn:uuid:" + rand.Text(), "iat": now.Unix(), "exp": now.Add(life).Unix(),
		},
	}
	if h != nil {
		d.Claims["cnf"] = map[string]any{"jwk": JWK(i.t, h.Key)}
	}
	return d
}

// SignedBy makes another party the signer of the draft, with its own certificates.
func (d *Draft) SignedBy(p Party) {
	d.Signer = p
	d.Header["x5c"] = x5c(p.Chain)
}
