package verifiertest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"testing"
	"time"

	"regain/verifier/trust"
)

// The default docType of mdocs, and the namespace of their elements.
const (
	MDocType      = "org.iso.18013.5.1.mDL"
	MDocNamespace = "org.iso.18013.5.1"
)

// MDoc is an mdoc that is not signed yet, for tests to change. An element that is changed after Seal no longer matches
// its digest.
type MDoc struct {
	DocType                string // of the document; the MSO has its own
	MSO                    *Map   // has no valueDigests before Seal
	Items                  []*Item
	Protected, Unprotected *Map // headers of IssuerAuth
	Signer                 Party
	Index                  int // index in the status list
}

// Item is a data element: an IssuerSignedItem that is not encoded yet.
type Item struct {
	*Map
	Namespace string
	Withheld  bool // not disclosed
}

// MDoc drafts a driving licence with every element disclosed except the portrait, and an unused status list index.
func (i *Issuer) MDoc(h *Holder) *MDoc {
	i.t.Helper()
	now := i.clock()
	tdate := func(at time.Time) Tag { return Tag{0, at.UTC().Format(time.RFC3339)} }
	d := &MDoc{
		DocType: MDocType, Signer: i.SignsDocuments, Index: i.next,
		Protected: NewMap(1, -7), Unprotected: NewMap(33, i.SignsDocuments.Chain[0]),
		MSO: NewMap(
			"version", "1.0", "digestAlgorithm", "SHA-256", "docType", MDocType,
			"deviceKeyInfo", NewMap("deviceKey", COSEKey(i.t, h.Key)),
			"validityInfo", NewMap("signed", tdate(now), "validFrom", tdate(now), "validUntil", tdate(now.AddDate(1, 0, 0))),
			"status", NewMap("status_list", NewMap("idx", i.next, "uri", i.Status.URI)),
		),
	}
	i.next++
	privileges := []any{NewMap("vehicle_category_code", "B", "issue_date", Tag{1004, "2028-12-10"}, "expiry_date", Tag{1004, "2043-12-10"})}
	for _, element := range [][2]any{
		{"family_name", "Lovelace"}, {"given_name", "Ada"}, {"birth_date", Tag{1004, "1990-12-10"}},
		{"portrait", []byte("a picture of Ada")}, {"document_number", "X1234567"}, {"issuing_authority", "Office of tests"},
		{"issuing_country", "UT"}, {"issue_date", Tag{1004, "2028-12-10"}}, {"expiry_date", Tag{1004, "2038-12-10"}},
		{"un_distinguishing_sign", "UT"}, {"driving_privileges", privileges},
	} {
		d.Add(MDocNamespace, element[0].(string), element[1])
	}
	d.Element("portrait").Withheld = true
	return d
}

// DocumentRule returns a rule that trusts the issuer for mdocs.
func (i *Issuer) DocumentRule() trust.Rule {
	return trust.Rule{Types: []string{MDocType}, Anchors: []*x509.Certificate{i.Authority.Certificate}}
}

// DocumentSigner gives a certificate the extended key usage of an mdoc document signer (ISO 18013-5 Annex B.1.4).
func DocumentSigner(c *x509.Certificate) {
	c.UnknownExtKeyUsage = append(c.UnknownExtKeyUsage, asn1.ObjectIdentifier{1, 0, 18013, 5, 1, 2})
}

// Add adds a data element with a salt and the next free digestID.
func (d *MDoc) Add(namespace, name string, value any) *Item {
	salt := make([]byte, 24)
	_, _ = rand.Read(salt) // never fails
	one := &Item{Namespace: namespace, Map: NewMap("digestID", len(d.Items), "random", salt, "elementIdentifier", name, "elementValue", value)}
	d.Items = append(d.Items, one)
	return one
}

// Element returns the first data element with this name, or nil.
func (d *MDoc) Element(name string) *Item {
	for _, one := range d.Items {
		if one.Get("elementIdentifier") == name {
			return one
		}
	}
	return nil
}

// SignedBy makes another party the signer of the mdoc, with its own certificates.
func (d *MDoc) SignedBy(p Party) {
	d.Signer = p
	chain := make([]any, len(p.Chain))
	for i, der := range p.Chain {
		chain[i] = der
	}
	d.Unprotected.Set(33, chain)
}

// Digest returns the digest of an item, for valueDigests.
func (d *MDoc) Digest(t testing.TB, one *Item) []byte {
	t.Helper()
	raw := CBOR(t, Embed(t, one.Map))
	switch d.MSO.Get("digestAlgorithm") {
	case "SHA-384":
		sum := sha512.Sum384(raw)
		return sum[:]
	case "SHA-512":
		sum := sha512.Sum512(raw)
		return sum[:]
	}
	sum := sha256.Sum256(raw)
	return sum[:]
}

// Seal writes the digests of the current items into the MSO. Payload calls it if the MSO has no valueDigests.
func (d *MDoc) Seal(t testing.TB) {
	t.Helper()
	spaces := NewMap()
	for _, one := range d.Items {
		if spaces.Get(one.Namespace) == nil {
			spaces.Set(one.Namespace, NewMap())
		}
		spaces.At(one.Namespace).Add(one.Get("digestID"), d.Digest(t, one))
	}
	d.MSO.Set("valueDigests", spaces)
}

// Payload returns MobileSecurityObjectBytes.
func (d *MDoc) Payload(t testing.TB) []byte {
	t.Helper()
	if d.MSO.Get("valueDigests") == nil {
		d.Seal(t)
	}
	return CBOR(t, Embed(t, d.MSO))
}

// ID returns the identifier by which a receipt names the mdoc (RFC 6920 §3).
func (d *MDoc) ID(t testing.TB) string {
	t.Helper()
	return "ni:///sha-256;" + Hash(string(d.Payload(t)))
}

// IssuerSigned signs the mdoc as its issuer, and returns the issuerSigned part of the document.
func (d *MDoc) IssuerSigned(t testing.TB) *Map {
	t.Helper()
	payload, spaces := d.Payload(t), NewMap()
	for _, one := range d.Items {
		if !one.Withheld {
			sent, _ := spaces.Get(one.Namespace).([]any)
			spaces.Set(one.Namespace, append(sent, Embed(t, one.Map)))
		}
	}
	return NewMap("nameSpaces", spaces, "issuerAuth", []any{
		CBOR(t, d.Protected), d.Unprotected, payload, SignCOSE(t, d.Signer.Key, d.Protected, payload),
	})
}

// MDocReceipt drafts a Face Check receipt for an mdoc.
func (i *Issuer) MDocReceipt(h *Holder, id *MDoc, score float64) *Draft {
	i.t.Helper()
	d := i.draft(h, ReceiptType, 10*time.Minute)
	d.Claims["faceCheckResults"] = []any{map[string]any{
		"sourceVcJti": id.ID(i.t), "sourcePhotoDigest": Encode(id.Digest(i.t, id.Element("portrait"))),
		"matchConfidenceThreshold": 70, "matchConfidenceScore": score, "sourcePhotoQuality": "HIGH",
	}}
	return d
}

// COSEKey returns the public key as a COSE_Key (RFC 9053 §7.1.1).
func COSEKey(t testing.TB, key *ecdsa.PrivateKey) *Map {
	t.Helper()
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return NewMap(1, 2, -1, 1, -2, bytes.Clone(point[1:33]), -3, bytes.Clone(point[33:]))
}

// SignCOSE returns the signature of a COSE_Sign1 (RFC 9052 §4.4).
func SignCOSE(t testing.TB, key *ecdsa.PrivateKey, protected *Map, payload []byte) []byte {
	t.Helper()
	return SignBytes(t, key, CBOR(t, []any{"Signature1", CBOR(t, protected), []byte{}, payload}))
}
