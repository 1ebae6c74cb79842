package did

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
)

// Document is what a DID resolves to, as far as a wallet reads it.
type Document struct {
	ID      string
	Domains []string // endpoints of its LinkedDomains services, as written and in their order

	methods                []method
	asserts, authenticates []string // names of the keys in assertionMethod and authentication
}

type method struct {
	name string // the fragment of its id
	key  any    // a public key of the standard library, nil for a method that leads to none
}

// Key returns the key of a name, the part of a kid after its #.
func (d Document) Key(name string) (any, error) {
	for _, m := range d.methods {
		if m.name == name && m.key != nil {
			return m.key, nil
		}
	}
	return nil, ErrNoKey
}

// Asserts reports whether the key of that name speaks for the DID in credentials.
func (d Document) Asserts(name string) bool { return slices.Contains(d.asserts, name) }

// rawMethod is one verificationMethod (DID Core §5.2).
type rawMethod struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	Controller string          `json:"controller"`
	JWK        json.RawMessage `json:"publicKeyJwk"`
}

type rawService struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Endpoint json.RawMessage `json:"serviceEndpoint"`
}

// parseDocument reads the DID document of did.
func parseDocument(raw []byte, did string) (Document, error) {
	var body struct {
		ID            string            `json:"id"`
		Methods       []rawMethod       `json:"verificationMethod"`
		Asserts       []json.RawMessage `json:"assertionMethod"`
		Authenticates []json.RawMessage `json:"authentication"`
		Services      []rawService      `json:"service"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return Document{}, fmt.Errorf("%w: it is not the JSON expected", ErrDocument)
	}
	if body.ID != did {
		return Document{}, fmt.Errorf("%w: its id is not the DID", ErrDocument)
	}
	d := Document{ID: did}
	for _, m := range body.Methods {
		if err := d.addMethod(m); err != nil {
			return Document{}, err
		}
	}
	d.asserts, d.authenticates = d.references(body.Asserts), d.references(body.Authenticates)
	return d, d.addServices(body.Services)
}

// addMethod takes the keys of the profile. Another kind of key may stand beside them, but as a JWK:
// the Android library fails on a document with a method that has none.
func (d *Document) addMethod(m rawMethod) error {
	name, ok := d.fragment(m.ID)
	if !ok || m.JWK == nil || m.Type == "" {
		return fmt.Errorf("%w: a verificationMethod has no id of this DID, no type or no publicKeyJwk", ErrDocument)
	}
	if slices.ContainsFunc(d.methods, func(other method) bool { return other.name == name }) {
		return fmt.Errorf("%w: two verificationMethods have one id", ErrDocument)
	}
	known := m.Type == "JsonWebKey2020" || m.Type == "EcdsaSecp256k1VerificationKey2019" // profile, Open Standards Requirements
	own := m.Controller == "" || m.Controller == d.ID
	var key jose.JWK
	if err := key.UnmarshalJSON(m.JWK); err != nil || !known || !own || jose.Algorithms(key.Key)[0] == jose.PS256 {
		key.Key = nil // the name is taken, and leads nowhere; RSA is not of the profile
	}
	d.methods = append(d.methods, method{name: name, key: key.Key})
	return nil
}

// addServices takes both forms of Well Known DID Configuration, Linked Domains.
func (d *Document) addServices(services []rawService) error {
	for _, s := range services {
		if s.Type != "LinkedDomains" {
			continue
		}
		var one string
		var many struct {
			Origins []string `json:"origins"`
		}
		switch {
		case json.Unmarshal(s.Endpoint, &one) == nil && one != "":
			d.Domains = append(d.Domains, one)
		case json.Unmarshal(s.Endpoint, &many) == nil && len(many.Origins) > 0:
			d.Domains = append(d.Domains, many.Origins...)
		default:
			return fmt.Errorf("%w: a LinkedDomains service has neither an origin nor a list of them", ErrDocument)
		}
	}
	return nil
}

// references reads a verification relationship: DID URLs, or whole methods (which no kid leads to, so that they are
// passed over).
func (d Document) references(list []json.RawMessage) []string {
	var names []string
	for _, raw := range list {
		var id string
		if json.Unmarshal(raw, &id) != nil {
			continue
		}
		if name, ok := d.fragment(id); ok {
			names = append(names, name)
		}
	}
	return names
}

// fragment returns the name of a key from its id, absolute or relative to this document.
func (d Document) fragment(id string) (string, bool) {
	did, name, ok := strings.Cut(id, "#")
	return name, ok && name != "" && (did == "" || did == d.ID)
}
