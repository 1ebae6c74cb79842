package did

import (
	"crypto"
	"fmt"

	"regain/internal/strictjson"
	"regain/verifier/internal/jws"
)

// Purpose is a verification relationship: what a key may be used for (DID Core §5.3).
type Purpose string

// The purposes that the verifier needs.
const (
	Authentication  Purpose = "authentication"  // holders sign presentations
	AssertionMethod Purpose = "assertionMethod" // issuers sign credentials
)

const documentDepth = 10

// Document is a resolved DID document: keys with their purposes, and the domains that the DID claims.
type Document struct {
	id       DID
	keys     map[string]crypto.PublicKey // by fragment; nil for a key type that is not supported
	purposes map[Purpose]map[string]bool
	origins  []string
	size     int // of the JSON, in bytes
}

func newDocument(id DID) *Document {
	return &Document{
		id: id, keys: make(map[string]crypto.PublicKey),
		purposes: map[Purpose]map[string]bool{Authentication: {}, AssertionMethod: {}},
	}
}

// bytes estimates the memory of a document: a key has no more bytes than its JSON, and some pointers and maps around it.
func (d *Document) bytes() int {
	const each = 512
	return d.size + each*(1+len(d.keys)+len(d.origins))
}

// ID returns the DID of the document.
func (d *Document) ID() DID { return d.id }

// Key returns the key that a DID URL names, if it may be used for purpose p, else ErrNoKey. It is an *ecdsa.PublicKey
// on P-256, a *secp256k1.PublicKey or an ed25519.PublicKey.
func (d *Document) Key(u URL, p Purpose) (crypto.PublicKey, error) {
	switch key := d.keys[u.Fragment]; {
	case u.DID != d.id:
		return nil, fmt.Errorf("%w: the URL is of another DID", ErrNoKey)
	case key == nil:
		return nil, fmt.Errorf("%w: not in the document, or of an unsupported type", ErrNoKey)
	case !d.purposes[p][u.Fragment]:
		return nil, fmt.Errorf("%w: not listed under %s", ErrNoKey, p)
	default:
		return key, nil
	}
}

// LinkedDomains returns the origins of the document's LinkedDomains services, in the document's order and spelling.
// They are only a claim of the DID: package linkeddomain verifies it with the domain.
func (d *Document) LinkedDomains() []string { return d.origins }

// parseDocument parses the JSON of a DID document (DID Core §6.2), which must be of this DID.
func parseDocument(raw []byte, id DID) (*Document, error) {
	object, err := strictjson.Object(raw, documentDepth)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if object["id"] != id.String() {
		return nil, fmt.Errorf("%w: the document is of another DID", ErrMalformed)
	}
	d := newDocument(id)
	d.size = len(raw)
	methods, err := list(object, "verificationMethod")
	if err != nil {
		return nil, err
	}
	for _, method := range methods {
		if _, err := d.addMethod(method); err != nil {
			return nil, err
		}
	}
	for purpose := range d.purposes {
		references, err := list(object, string(purpose))
		if err != nil {
			return nil, err
		}
		for _, reference := range references {
			if err := d.allow(reference, purpose); err != nil {
				return nil, err
			}
		}
	}
	services, err := list(object, "service")
	if err != nil {
		return nil, err
	}
	for _, service := range services {
		d.addService(service)
	}
	return d, nil
}

func list(object map[string]any, name string) ([]any, error) {
	value, there := object[name]
	elements, ok := value.([]any)
	if there && !ok {
		return nil, fmt.Errorf("%w: %s is not an array", ErrMalformed, name)
	}
	return elements, nil
}

// addMethod adds a verification method and returns its fragment. It ignores the method of another DID or controller and
// returns "": a DID cannot make another's key its own. A key of an unsupported type is not an error.
func (d *Document) addMethod(value any) (string, error) {
	method, _ := value.(map[string]any)
	id, _ := method["id"].(string)
	url, err := ParseURL(id, d.id)
	if err != nil {
		return "", fmt.Errorf("verification method: %w", err)
	}
	controller, there := method["controller"]
	if url.DID != d.id || there && controller != d.id.String() && controller != "" { // "" is a relative reference to the DID
		return "", nil
	}
	jwk, _ := method["publicKeyJwk"].(map[string]any)
	return url.Fragment, d.addKey(url.Fragment, jwk)
}

// addKey refuses a second key with the same id, because parsers would disagree about which of the two is meant.
func (d *Document) addKey(fragment string, jwk map[string]any) error {
	if _, twice := d.keys[fragment]; twice {
		return fmt.Errorf("%w: two keys have one id", ErrMalformed)
	}
	d.keys[fragment] = nil
	if key, err := jws.Key(jwk); err == nil && jwk["use"] != "enc" {
		d.keys[fragment] = key
	}
	return nil
}

// allow reads one entry of a verification relationship: the URL of a verification method, or an embedded method, which
// may be used for this purpose only (DID Core §5.3).
func (d *Document) allow(reference any, purpose Purpose) error {
	text, ok := reference.(string)
	if !ok {
		fragment, err := d.addMethod(reference)
		if err == nil && fragment != "" {
			d.purposes[purpose][fragment] = true
		}
		return err
	}
	url, err := ParseURL(text, d.id)
	if err != nil {
		return fmt.Errorf("%s: %w", purpose, err)
	}
	if url.DID == d.id {
		d.purposes[purpose][url.Fragment] = true
	}
	return nil
}
