package sdjwt

import (
	"fmt"
	"slices"
)

// node is one value of the payload and how it got there: open, or sealed in a disclosure.
// Exactly one of members, elements and scalar is meant, in that order.
type node struct {
	sealed   *Disclosure
	members  map[string]*node
	elements []*node
	isArray  bool
	scalar   any
}

// grower carries what must hold across the whole tree: each digest once, each disclosure used.
type grower struct {
	byDigest map[string]*Disclosure
	seen     map[string]bool
	used     int
}

// neverSealed are the claims a verifier reads before it opens anything
// (SD-JWT VC, §2.2.2.3 of the final draft).
func neverSealed() []string { return []string{"iss", "nbf", "exp", "cnf", "vct", "status"} }

func grow(payload map[string]any, disclosures []Disclosure) (*node, error) {
	g := &grower{byDigest: map[string]*Disclosure{}, seen: map[string]bool{}}
	for i := range disclosures {
		d := &disclosures[i]
		if g.byDigest[d.Digest] != nil {
			return nil, fmt.Errorf("%w: a disclosure stands twice", ErrMalformed)
		}
		g.byDigest[d.Digest] = d
	}
	root, err := g.object(payload, 0)
	if err != nil {
		return nil, err
	}
	delete(root.members, "_sd_alg")
	if g.used != len(disclosures) {
		return nil, fmt.Errorf("%w: a disclosure belongs to no digest", ErrMalformed)
	}
	for _, name := range neverSealed() {
		if child := root.members[name]; child != nil && child.sealed != nil {
			return nil, fmt.Errorf("%w: %s must not be selectively disclosable", ErrMalformed, name)
		}
	}
	return root, nil
}

func (g *grower) value(v any, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrMalformed, maxDepth)
	}
	switch v := v.(type) {
	case map[string]any:
		return g.object(v, depth)
	case []any:
		return g.array(v, depth)
	}
	return &node{scalar: v}, nil
}

func (g *grower) object(object map[string]any, depth int) (*node, error) {
	n := &node{members: map[string]*node{}}
	for name, v := range object {
		if name == "_sd" {
			continue
		}
		if name == "..." {
			return nil, fmt.Errorf("%w: a member named … outside an array", ErrMalformed)
		}
		child, err := g.value(v, depth+1)
		if err != nil {
			return nil, err
		}
		n.members[name] = child
	}
	return n, g.unseal(n, object, depth)
}

// unseal adds the members whose digests stand in the object's _sd.
func (g *grower) unseal(n *node, object map[string]any, depth int) error {
	sealed, present := object["_sd"]
	if !present {
		return nil
	}
	digests, ok := sealed.([]any)
	if !ok {
		return fmt.Errorf("%w: _sd is not an array", ErrMalformed)
	}
	for _, digest := range digests {
		d, err := g.take(digest)
		if err != nil {
			return err
		}
		if d == nil {
			continue // a decoy, or a claim the issuer kept to itself (RFC 9901 §4.2.5)
		}
		if d.Name == "" {
			return fmt.Errorf("%w: an element's disclosure stands for a member", ErrMalformed)
		}
		if n.members[d.Name] != nil {
			return fmt.Errorf("%w: two claims have the same name", ErrMalformed)
		}
		child, err := g.value(d.value, depth+1)
		if err != nil {
			return err
		}
		child.sealed = d
		n.members[d.Name] = child
	}
	return nil
}

func (g *grower) array(array []any, depth int) (*node, error) {
	n := &node{isArray: true}
	for _, v := range array {
		seal, isSeal := sealOf(v)
		if !isSeal {
			child, err := g.value(v, depth+1)
			if err != nil {
				return nil, err
			}
			n.elements = append(n.elements, child)
			continue
		}
		d, err := g.take(seal)
		if err != nil {
			return nil, err
		}
		if d == nil {
			continue
		}
		if d.Name != "" {
			return nil, fmt.Errorf("%w: a member's disclosure stands for an element", ErrMalformed)
		}
		child, err := g.value(d.value, depth+1)
		if err != nil {
			return nil, err
		}
		child.sealed = d
		n.elements = append(n.elements, child)
	}
	return n, nil
}

// take returns the disclosure of a digest, nil for a digest that nothing was handed over for.
func (g *grower) take(digest any) (*Disclosure, error) {
	text, ok := digest.(string)
	if !ok {
		return nil, fmt.Errorf("%w: a digest is not a string", ErrMalformed)
	}
	if g.seen[text] {
		return nil, fmt.Errorf("%w: a digest stands twice", ErrMalformed)
	}
	g.seen[text] = true
	d := g.byDigest[text]
	if d != nil {
		g.used++
	}
	return d, nil
}

func sealOf(v any) (any, bool) {
	object, ok := v.(map[string]any)
	if !ok || len(object) != 1 {
		return nil, false
	}
	digest, ok := object["..."]
	return digest, ok
}

func (n *node) plain() any {
	switch {
	case n.members != nil:
		object := make(map[string]any, len(n.members))
		for name, child := range n.members {
			object[name] = child.plain()
		}
		return object
	case n.isArray:
		array := make([]any, 0, len(n.elements))
		for _, child := range n.elements {
			array = append(array, child.plain())
		}
		return array
	}
	return n.scalar
}

// open marks the disclosures on the way to a place and inside it. A place that does not exist
// opens nothing at all: half a way would reveal that something is there.
func (n *node) open(place []any, wanted map[string]bool) {
	var way []string
	at := n
	for _, step := range place {
		at = at.child(step)
		if at == nil {
			return
		}
		if at.sealed != nil {
			way = append(way, at.sealed.Digest)
		}
	}
	for _, digest := range slices.Concat(way, at.inside()) {
		wanted[digest] = true
	}
}

func (n *node) child(step any) *node {
	switch step := step.(type) {
	case string:
		return n.members[step]
	case int:
		if step >= 0 && step < len(n.elements) {
			return n.elements[step]
		}
	}
	return nil
}

func (n *node) inside() []string {
	var digests []string
	below := slices.Clone(n.elements)
	for _, child := range n.members {
		below = append(below, child)
	}
	for _, child := range below {
		if child.sealed != nil {
			digests = append(digests, child.sealed.Digest)
		}
		digests = append(digests, child.inside()...)
	}
	return digests
}
