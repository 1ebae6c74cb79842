package sdjwt

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"regain/internal/strictjson"
	"regain/verifier/internal/jws"
)

// The claim names that RFC 9901 §4 reserves.
const (
	nameDigests = "_sd"
	nameElement = "..."
	nameHash    = "_sd_alg"
)

// neverSelectivelyDisclosable reports whether a claim must not be selectively disclosed (SD-JWT VC §2.2.2.3).
func neverSelectivelyDisclosable(name string) bool {
	switch name {
	case "iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status", nameHash:
		return true
	}
	return false
}

// disclosure is a parsed Disclosure: [salt, name, value], or [salt, value] for an array element (RFC 9901 §4.2).
type disclosure struct {
	name    string
	value   any
	element bool
	used    bool
}

// discloser replaces digests with their disclosures (RFC 9901 §7.1).
type discloser struct {
	byDigest map[string]*disclosure
	seen     map[string]bool // digests so far; RFC 9901 §7.1 refuses a credential that has one twice
}

// disclose returns the processed payload (RFC 9901 §7.1) and the digests in its top-level `_sd`.
func disclose(payload map[string]any, encoded []string) (claims map[string]any, digests []string, err error) {
	if alg, there := payload[nameHash]; there && alg != "sha-256" {
		return nil, nil, fmt.Errorf("%w: _sd_alg is not sha-256", ErrMalformed)
	}
	d := &discloser{byDigest: make(map[string]*disclosure, len(encoded)), seen: make(map[string]bool)}
	left := strictjson.MaxValues // for all of them: the holder sends as many as there may be
	for _, text := range encoded {
		one, err := parseDisclosure(text, &left)
		if err != nil {
			return nil, nil, err
		}
		sum := sha256.Sum256([]byte(text))
		digest := jws.Encode(sum[:])
		if d.byDigest[digest] != nil {
			return nil, nil, fmt.Errorf("%w: a disclosure stands twice", ErrMalformed)
		}
		d.byDigest[digest] = one
	}
	if digests, err = digestsOf(payload); err != nil {
		return nil, nil, err
	}
	for name, value := range payload {
		// Otherwise the holder could withhold a part of, say, status, and choose which rules apply to the credential.
		if neverSelectivelyDisclosable(name) && hasSelectiveDisclosure(value) {
			return nil, nil, fmt.Errorf("%w: %s has parts that can be withheld", ErrMalformed, name)
		}
	}
	if claims, err = d.object(payload, true, 0); err != nil {
		return nil, nil, err
	}
	for _, one := range d.byDigest {
		if !one.used {
			return nil, nil, fmt.Errorf("%w: a disclosure has no digest in the credential", ErrMalformed)
		}
	}
	return claims, digests, nil
}

func parseDisclosure(text string, left *int) (*disclosure, error) {
	raw, err := jws.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("disclosure: %w", err)
	}
	value, err := strictjson.ParseSome(raw, maxDepth, left)
	if err != nil {
		return nil, fmt.Errorf("%w: disclosure: %w", ErrMalformed, err)
	}
	list, ok := value.([]any)
	if !ok || len(list) < 2 || len(list) > 3 {
		return nil, fmt.Errorf("%w: a disclosure is not an array of two or three", ErrMalformed)
	}
	if _, ok := list[0].(string); !ok {
		return nil, fmt.Errorf("%w: a disclosure's salt is not a string", ErrMalformed)
	}
	if len(list) == 2 {
		return &disclosure{value: list[1], element: true}, nil
	}
	name, ok := list[1].(string)
	if !ok || name == nameDigests || name == nameElement || name == nameHash {
		return nil, fmt.Errorf("%w: a disclosure's name is reserved, or no string", ErrMalformed)
	}
	return &disclosure{name: name, value: list[2]}, nil
}

// hasSelectiveDisclosure reports whether anything in a value is selectively disclosable. strictjson has bounded the
// recursion depth.
func hasSelectiveDisclosure(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if name == nameDigests || name == nameElement || hasSelectiveDisclosure(inner) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, hasSelectiveDisclosure)
	}
	return false
}

func digestsOf(object map[string]any) ([]string, error) {
	value, there := object[nameDigests]
	if !there {
		return nil, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("%w: _sd is not an array", ErrMalformed)
	}
	digests := make([]string, 0, len(list))
	for _, element := range list {
		digest, ok := element.(string)
		if !ok {
			return nil, fmt.Errorf("%w: _sd holds something that is not a string", ErrMalformed)
		}
		digests = append(digests, digest)
	}
	return digests, nil
}

// open returns the disclosure of a digest, or nil for a decoy digest or a claim that the holder withheld.
func (d *discloser) open(digest string) (*disclosure, error) {
	if d.seen[digest] {
		return nil, fmt.Errorf("%w: a digest stands twice", ErrMalformed)
	}
	d.seen[digest] = true
	one := d.byDigest[digest]
	if one != nil {
		one.used = true
	}
	return one, nil
}

func (d *discloser) value(value any, depth int) (any, error) {
	if depth > maxDepth { // nested disclosures can be deeper than each JSON text, which strictjson has bounded
		return nil, fmt.Errorf("%w: nested too deeply", ErrMalformed)
	}
	switch v := value.(type) {
	case map[string]any:
		return d.object(v, false, depth)
	case []any:
		return d.array(v, depth)
	}
	return value, nil
}

func (d *discloser) object(object map[string]any, top bool, depth int) (map[string]any, error) {
	digests, err := digestsOf(object)
	if err != nil {
		return nil, err
	}
	if _, there := object[nameElement]; there {
		return nil, fmt.Errorf("%w: %q outside an array", ErrMalformed, nameElement)
	}
	out := make(map[string]any, len(object)+len(digests))
	for name, value := range object {
		if name == nameDigests || top && name == nameHash {
			continue
		}
		if name == nameHash {
			return nil, fmt.Errorf("%w: %s below the top level", ErrMalformed, nameHash) // RFC 9901 §4.1.1
		}
		if out[name], err = d.value(value, depth+1); err != nil {
			return nil, err
		}
	}
	for _, digest := range digests {
		one, err := d.open(digest)
		if err != nil {
			return nil, err
		}
		if one == nil {
			continue
		}
		if _, taken := object[one.name]; one.element || taken || top && neverSelectivelyDisclosable(one.name) {
			return nil, fmt.Errorf("%w: a disclosure does not belong where its digest stands", ErrMalformed)
		}
		if _, taken := out[one.name]; taken {
			return nil, fmt.Errorf("%w: two disclosures have the same name", ErrMalformed)
		}
		if out[one.name], err = d.value(one.value, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d *discloser) array(list []any, depth int) ([]any, error) {
	out := make([]any, 0, len(list))
	for _, element := range list {
		object, _ := element.(map[string]any)
		digest, placeholder := object[nameElement]
		if !placeholder {
			value, err := d.value(element, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, value)
			continue
		}
		text, ok := digest.(string)
		if !ok || len(object) != 1 {
			return nil, fmt.Errorf("%w: %q is not a digest alone", ErrMalformed, nameElement)
		}
		one, err := d.open(text)
		if err != nil {
			return nil, err
		}
		if one == nil {
			continue
		}
		if !one.element {
			return nil, fmt.Errorf("%w: a disclosure does not belong where its digest stands", ErrMalformed)
		}
		value, err := d.value(one.value, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	return out, nil
}
