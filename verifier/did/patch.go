package did

import (
	"fmt"
	"slices"
)

// Limits in characters (Sidetree v1.0.0, Standard Patch Actions).
const (
	maxKeyID       = 50
	maxServiceType = 30
)

// ionState is the result of the patches of a create operation: entries by id.
type ionState struct {
	keys, services map[string]map[string]any
	order          []string // ids of services, in the order of the patches
}

// applyPatches applies the patches of a create operation and returns the document (Sidetree v1.0.0, DID State Patches).
// An unknown patch or member is an error: with it left out, the document would be another one than other resolvers get.
func applyPatches(id DID, patches []any) (*Document, error) {
	var state ionState
	for _, value := range patches {
		if err := state.apply(value); err != nil {
			return nil, err
		}
	}
	d := newDocument(id)
	for fragment, entry := range state.keys {
		jwk, _ := entry["publicKeyJwk"].(map[string]any)
		if err := d.addKey(fragment, jwk); err != nil {
			return nil, err
		}
		purposes, _ := entry["purposes"].([]any)
		for purpose, allowed := range d.purposes {
			if slices.Contains(purposes, any(string(purpose))) {
				allowed[fragment] = true
			}
		}
	}
	for _, name := range state.order {
		d.addService(state.services[name])
	}
	return d, nil
}

func (s *ionState) apply(value any) error {
	patch, _ := value.(map[string]any)
	switch patch["action"] {
	case "replace":
		document, ok := patch["document"].(map[string]any)
		if !ok || len(patch) != 2 {
			return fmt.Errorf("%w: replace without a document", ErrMalformed)
		}
		if err := onlyMembers(document, "publicKeys", "services"); err != nil {
			return err
		}
		*s = ionState{} // replace discards the state so far
		if err := s.addKeys(document); err != nil {
			return err
		}
		return s.addServices(document)
	case "add-public-keys":
		if _, there := patch["publicKeys"]; !there || len(patch) != 2 {
			return fmt.Errorf("%w: add-public-keys without publicKeys", ErrMalformed)
		}
		return s.addKeys(patch)
	case "add-services":
		if _, there := patch["services"]; !there || len(patch) != 2 {
			return fmt.Errorf("%w: add-services without services", ErrMalformed)
		}
		return s.addServices(patch)
	}
	return fmt.Errorf("%w: a patch has an action that a create operation does not allow", ErrMalformed)
}

// addKeys adds publicKeys. A key replaces an earlier one with the same id.
func (s *ionState) addKeys(from map[string]any) error {
	return eachEntry(from, "publicKeys", func(id string, entry map[string]any) error {
		if err := onlyMembers(entry, "id", "type", "publicKeyJwk", "purposes"); err != nil {
			return err
		}
		kind, _ := entry["type"].(string)
		if _, ok := entry["publicKeyJwk"].(map[string]any); !ok || kind == "" {
			return fmt.Errorf("%w: a key has no type or no publicKeyJwk", ErrMalformed)
		}
		if err := checkPurposes(entry); err != nil {
			return err
		}
		if s.keys == nil {
			s.keys = make(map[string]map[string]any)
		}
		s.keys[id] = entry
		return nil
	})
}

func checkPurposes(entry map[string]any) error {
	value, there := entry["purposes"]
	purposes, ok := value.([]any)
	if there && (!ok || len(purposes) == 0) {
		return fmt.Errorf("%w: purposes is not an array of one or more", ErrMalformed)
	}
	for i, purpose := range purposes {
		switch purpose {
		case "authentication", "keyAgreement", "assertionMethod", "capabilityDelegation", "capabilityInvocation":
		default:
			return fmt.Errorf("%w: a purpose is not known", ErrMalformed)
		}
		if slices.Contains(purposes[:i], purpose) {
			return fmt.Errorf("%w: a purpose stands twice", ErrMalformed)
		}
	}
	return nil
}

// addServices adds services. A service replaces an earlier one with the same id.
func (s *ionState) addServices(from map[string]any) error {
	return eachEntry(from, "services", func(id string, entry map[string]any) error {
		if err := onlyMembers(entry, "id", "type", "serviceEndpoint"); err != nil {
			return err
		}
		kind, _ := entry["type"].(string)
		if kind == "" || len(kind) > maxServiceType {
			return fmt.Errorf("%w: a service has no type, or one too long", ErrMalformed)
		}
		switch entry["serviceEndpoint"].(type) {
		case string, map[string]any:
		default:
			return fmt.Errorf("%w: serviceEndpoint is neither a string nor an object", ErrMalformed)
		}
		if s.services == nil {
			s.services = make(map[string]map[string]any)
		}
		if _, there := s.services[id]; !there {
			s.order = append(s.order, id)
		}
		s.services[id] = entry
		return nil
	})
}

// eachEntry calls add for each entry of an array, whose ids must be unique. An absent array has no entries.
func eachEntry(from map[string]any, name string, add func(id string, entry map[string]any) error) error {
	entries, err := list(from, name)
	if err != nil {
		return err
	}
	seen := make(map[string]bool, len(entries))
	for _, value := range entries {
		entry, _ := value.(map[string]any)
		id, _ := entry["id"].(string)
		if id == "" || len(id) > maxKeyID || !containsOnly(id, letters+digits+"-_") || seen[id] {
			return fmt.Errorf("%w: an id in %s is missing, not base64url, or there twice", ErrMalformed, name)
		}
		seen[id] = true
		if err := add(id, entry); err != nil {
			return err
		}
	}
	return nil
}
