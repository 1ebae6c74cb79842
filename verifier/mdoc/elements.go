package mdoc

import (
	"bytes"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// element is an IssuerSignedItem (ISO 18013-5 §8.3.2.1.2.2).
type element struct {
	DigestID *number         `cbor:"digestID"`
	Random   octets          `cbor:"random"`
	Name     text            `cbor:"elementIdentifier"`
	Value    cbor.RawMessage `cbor:"elementValue"`
}

// minRandom is the minimum size of the salt in bytes, which keeps a digest from revealing its element (ISO 18013-5
// §9.1.2.5).
const minRandom = 16

// elements decodes the disclosed data elements and checks each against its digest in the MSO.
func (r reader) elements(object securityObject, spaces map[string][]cbor.RawMessage) (map[string]any, error) {
	hash := sum(object.DigestAlgorithm)
	if hash == nil {
		return nil, fmt.Errorf("%w: digestAlgorithm is not SHA-256, SHA-384 or SHA-512", ErrMalformed)
	}
	claims := make(map[string]any, len(spaces))
	count := 0
	for space, items := range spaces {
		if count += len(items); count > maxElements {
			return nil, fmt.Errorf("%w: more than %d elements", ErrMalformed, maxElements)
		}
		within := make(map[string]any, len(items))
		seen := make(map[number]bool, len(items))
		for _, raw := range items {
			one, err := r.element(raw)
			if err != nil {
				return nil, err
			}
			// Parsers that take the first and parsers that take the last of two would disagree.
			if _, twice := within[string(one.Name)]; twice || seen[*one.DigestID] {
				return nil, fmt.Errorf("%w: an element or a digestID is duplicated", ErrMalformed)
			}
			seen[*one.DigestID] = true
			// The digest is over IssuerSignedItemBytes as received, with tag 24 (ISO 18013-5 §9.1.2.5).
			digest, there := object.ValueDigests[space][uint64(*one.DigestID)] //nolint:gosec // not negative
			if !there || !bytes.Equal(digest, hash(raw)) {
				return nil, fmt.Errorf("%w: an element does not match the digest that the issuer signed", ErrMalformed)
			}
			if within[string(one.Name)], err = r.value(one.Value); err != nil {
				return nil, err
			}
		}
		claims[space] = within
	}
	return claims, nil
}

func (r reader) element(raw []byte) (element, error) {
	inner, err := embedded("an element", raw)
	if err != nil {
		return element{}, err
	}
	var one element
	if err := r.open("an element", majorMap, inner, &one); err != nil {
		return element{}, err
	}
	if one.DigestID == nil || *one.DigestID < 0 || len(one.Random) < minRandom || one.Name == "" || one.Value == nil {
		return element{}, fmt.Errorf("%w: an element lacks digestID, %d bytes of random, its name or its value", ErrMalformed, minRandom)
	}
	return one, nil
}
