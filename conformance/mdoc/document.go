package mdoc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"regain/conformance/chain"
)

// Document is an mdoc as its issuer made it. It holds a person's data, so every way of printing it
// shows its type only. Its zero value is useless; only Parse makes one.
type Document struct {
	auth      *signature
	rawAuth   cbor.RawMessage
	chain     chain.Chain
	alg       cose.Algorithm
	object    securityObject
	deviceKey *ecdsa.PublicKey
	spaces    []string // namespaces, sorted
	items     map[string][]item
}

type issuerSigned struct {
	NameSpaces map[string][]cbor.RawMessage `cbor:"nameSpaces,omitempty"`
	IssuerAuth cbor.RawMessage              `cbor:"issuerAuth"`
}

// Parse reads an IssuerSigned and matches each item with its digest in the MSO. Signature and dates
// are Verify's affair.
func Parse(raw []byte) (Document, error) {
	if len(raw) > maxLength {
		return Document{}, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, maxLength)
	}
	var signed issuerSigned
	if err := decode(raw, &signed); err != nil {
		return Document{}, err
	}
	return open(signed)
}

func open(signed issuerSigned) (Document, error) {
	d := Document{rawAuth: signed.IssuerAuth, auth: &signature{}, items: map[string][]item{}}
	if err := d.auth.UnmarshalCBOR(signed.IssuerAuth); err != nil {
		return Document{}, fmt.Errorf("%w: its issuerAuth is no COSE_Sign1", ErrMalformed)
	}
	var err error
	if d.alg, err = d.auth.Headers.Protected.Algorithm(); err != nil {
		return Document{}, fmt.Errorf("%w: its protected header has no alg", ErrMalformed)
	}
	if d.chain, err = certificates(d.auth); err != nil {
		return Document{}, err
	}
	if d.object, d.deviceKey, err = readSecurityObject(d.auth.Payload); err != nil {
		return Document{}, err
	}
	return d, d.fill(signed.NameSpaces)
}

func (d *Document) fill(spaces map[string][]cbor.RawMessage) error {
	for space, raws := range spaces {
		ids, names := map[uint64]bool{}, map[string]bool{}
		for _, raw := range raws {
			i, err := readItem(raw)
			if err != nil {
				return err
			}
			if ids[i.ID] || names[i.Name] {
				return fmt.Errorf("%w: an item stands twice", ErrMalformed)
			}
			ids[i.ID], names[i.Name] = true, true
			if !bytes.Equal(d.object.digest(raw), d.object.Digests[space][i.ID]) {
				return fmt.Errorf("%w: an item has not the digest that was signed", ErrMalformed)
			}
			d.items[space] = append(d.items[space], i)
		}
		d.spaces = append(d.spaces, space)
	}
	slices.Sort(d.spaces)
	return nil
}

// Verify checks who issued the document and that it is valid now. Without anchors any certificate
// will do, so the signature proves integrity only.
func (d Document) Verify(anchors *x509.CertPool, now time.Time) error {
	if err := d.chain.Trusted(anchors, now); err != nil {
		return fmt.Errorf("judging x5chain: %w", err)
	}
	if err := verify(d.auth, d.chain.Leaf().PublicKey); err != nil {
		return err
	}
	return d.validAt(now)
}

func (d Document) validAt(now time.Time) error {
	if now.Before(d.object.Validity.From) {
		return errors.New("it is not valid yet")
	}
	if !now.Before(d.object.Validity.Until) {
		return errors.New("it has expired already")
	}
	return nil
}

// DocType is the document's type.
func (d Document) DocType() string { return d.object.DocType }

// DeviceKey is the holder's key in the MSO, on P-256.
func (d Document) DeviceKey() *ecdsa.PublicKey { return d.deviceKey }

// Chain is the issuer's certificates, its own first.
func (d Document) Chain() chain.Chain { return d.chain }

// Algorithm is the COSE identifier of the issuer's signature.
func (d Document) Algorithm() int64 { return int64(d.alg) }

// Signed is when the issuer signed, Until when the document ceases to be valid.
func (d Document) Signed() time.Time { return d.object.Validity.Signed }

// Until is when the document ceases to be valid.
func (d Document) Until() time.Time { return d.object.Validity.Until }

// ID names the document by a hash of its MobileSecurityObjectBytes (RFC 6920), as a Face Check
// receipt does (docs/protocols.md, part 3): an mdoc has no identifier of its own.
func (d Document) ID() string { return identify(d.auth.Payload) }

func identify(object []byte) string {
	sum := sha256.Sum256(object)
	return "ni:///sha-256;" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// Find returns the namespace and the base64url digest of the first element of the name, by
// namespace in alphabetical order.
func (d Document) Find(name string) (space, digest string, ok bool) {
	for _, space := range d.spaces {
		for _, i := range d.items[space] {
			if i.Name == name {
				return space, base64.RawURLEncoding.EncodeToString(d.object.Digests[space][i.ID]), true
			}
		}
	}
	return "", "", false
}

// IssuerSigned is the document as bytes again.
func (d Document) IssuerSigned() ([]byte, error) {
	return encode(d.choose(func(string, item) bool { return true }))
}

// String names the document without its content.
func (d Document) String() string { return "mdoc " + d.object.DocType }

// GoString is String: %#v must not print elements either.
func (d Document) GoString() string { return d.String() }

// LogValue is String for slog.
func (d Document) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalText is String for JSON.
func (d Document) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
