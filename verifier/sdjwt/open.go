package sdjwt

import (
	"fmt"
	"maps"

	"regain/verifier/internal/strict"
)

// claims is what the issuer's payload says once the Disclosures are put in place.
type claims struct {
	all     map[string]any      // processed payload, without _sd and _sd_alg
	digests map[string]struct{} // of the top-level _sd, decoys included
}

// notDisclosable names top-level claims that must stand in the open, with everything below them (SD-JWT VC §2.2.2.3):
// if they could be left out, a holder would choose which rules apply to their credential.
func notDisclosable(name string) bool {
	switch name {
	case "iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status":
		return true
	}
	return false
}

// opener puts Disclosures in place (RFC 9901 §7.1 step 3). Each is found by its digest once and then taken.
type opener struct {
	waiting map[string]disclosure
	seen    map[string]struct{} // every digest met so far, decoys included
}

func open(payload map[string]any, disclosures []disclosure) (claims, error) {
	if algorithm, present := payload["_sd_alg"]; present && algorithm != "sha-256" {
		return claims{}, fmt.Errorf("%w: _sd_alg is not sha-256", ErrMalformed)
	}
	o := opener{waiting: make(map[string]disclosure, len(disclosures)), seen: map[string]struct{}{}}
	for _, d := range disclosures {
		if _, twice := o.waiting[d.digest]; twice {
			return claims{}, fmt.Errorf("%w: a disclosure was sent twice", ErrMalformed)
		}
		o.waiting[d.digest] = d
	}
	top := maps.Clone(payload)
	delete(top, "_sd_alg")
	digests, err := digestsOf(top)
	if err != nil {
		return claims{}, err
	}
	c := claims{digests: make(map[string]struct{}, len(digests))}
	for _, digest := range digests {
		c.digests[digest] = struct{}{}
		if d, ok := o.waiting[digest]; ok && notDisclosable(d.name) {
			return claims{}, fmt.Errorf("%w: %s must not be selectively disclosable", ErrMalformed, d.name)
		}
	}
	for name, value := range payload {
		if notDisclosable(name) && hides(value) {
			return claims{}, fmt.Errorf("%w: %s has selectively disclosable parts", ErrMalformed, name)
		}
	}
	if c.all, err = o.object(top, 0); err != nil {
		return claims{}, err
	}
	if len(o.waiting) > 0 {
		return claims{}, fmt.Errorf("%w: a disclosure belongs to no digest", ErrMalformed)
	}
	return c, nil
}

func (o opener) value(value any, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("%w: claims are nested deeper than %d", ErrMalformed, maxNesting)
	}
	switch v := value.(type) {
	case map[string]any:
		return o.object(v, depth)
	case []any:
		return o.array(v, depth)
	}
	return value, nil
}

func (o opener) object(in map[string]any, depth int) (map[string]any, error) {
	digests, err := digestsOf(in)
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(in)+len(digests))
	for name, value := range in {
		if name == "_sd" {
			continue
		}
		if reserved(name) {
			return nil, fmt.Errorf("%w: reserved name in an object", ErrMalformed)
		}
		if out[name], err = o.value(value, depth+1); err != nil {
			return nil, err
		}
	}
	for _, digest := range digests {
		d, found, err := o.take(digest)
		if err != nil {
			return nil, err
		}
		if !found {
			continue // not disclosed, or a decoy
		}
		if !d.member {
			return nil, fmt.Errorf("%w: disclosure of an array element in an object", ErrMalformed)
		}
		if _, taken := out[d.name]; taken {
			return nil, fmt.Errorf("%w: disclosure of a claim that is there already", ErrMalformed)
		}
		if out[d.name], err = o.value(d.value, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// array replaces `{"...": digest}` by the element disclosed for it, and drops it when there is none (§7.1 step 3.c, 3.d).
func (o opener) array(in []any, depth int) ([]any, error) {
	out := make([]any, 0, len(in))
	for _, element := range in {
		object, _ := element.(map[string]any)
		hidden, isDigest := object["..."]
		if !isDigest {
			value, err := o.value(element, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, value)
			continue
		}
		digest, ok := hidden.(string)
		if !ok || len(object) != 1 || !isSHA256(digest) {
			return nil, fmt.Errorf("%w: array digest", ErrMalformed)
		}
		d, found, err := o.take(digest)
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		if d.member {
			return nil, fmt.Errorf("%w: disclosure of a claim in an array", ErrMalformed)
		}
		value, err := o.value(d.value, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, value)
	}
	return out, nil
}

// take finds the Disclosure of a digest. A digest that occurs twice, in whatever place, ends the reading (§7.1 step 4).
func (o opener) take(digest string) (disclosure, bool, error) {
	if _, twice := o.seen[digest]; twice {
		return disclosure{}, false, fmt.Errorf("%w: a digest occurs twice", ErrMalformed)
	}
	o.seen[digest] = struct{}{}
	d, found := o.waiting[digest]
	delete(o.waiting, digest)
	return d, found, nil
}

func digestsOf(object map[string]any) ([]string, error) {
	value, present := object["_sd"]
	if !present {
		return nil, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("%w: _sd is no list", ErrMalformed)
	}
	digests := make([]string, len(list))
	for i, entry := range list {
		text, ok := entry.(string)
		if !ok || !isSHA256(text) {
			return nil, fmt.Errorf("%w: _sd has an entry that is no digest", ErrMalformed)
		}
		digests[i] = text
	}
	return digests, nil
}

func isSHA256(text string) bool {
	raw, err := strict.Base64(text)
	return err == nil && len(raw) == 32
}

// hides reports whether a value has selectively disclosable parts.
func hides(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if reserved(name) || hides(inner) {
				return true
			}
		}
	case []any:
		for _, inner := range v {
			if hides(inner) {
				return true
			}
		}
	}
	return false
}
