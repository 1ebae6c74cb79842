package authenticator

import "fmt"

// submission is a presentation_submission (Presentation Exchange, Presentation Submission).
type submission struct {
	ID         string  `json:"id"`
	Definition string  `json:"definition_id"`
	Map        []entry `json:"descriptor_map"`
}

// entry says where the answer to an input descriptor is: in which presentation, and where therein.
type entry struct {
	ID     string `json:"id"`
	Format string `json:"format"`
	Path   string `json:"path"`
	Nested *entry `json:"path_nested,omitempty"`
}

// plan says which credentials go into which presentation.
type plan struct {
	presentations [][]string
	answers       []answer // one for each definition
}

type answer struct {
	definition string
	places     []place
}

type place struct {
	descriptor string
	at, within int // which presentation, and which of its credentials
}

// submissions is what _vp_token holds: an object for one definition, else an array.
func (w writer) submissions(p plan, o ShareOptions) (any, error) {
	type token struct {
		Submission submission `json:"presentation_submission"`
	}
	var all []token
	for _, a := range p.answers {
		id, err := w.uuid()
		if err != nil {
			return nil, err
		}
		s := submission{ID: id, Definition: a.definition}
		if o.Tamper.Definition != "" {
			s.Definition = o.Tamper.Definition
		}
		for _, at := range a.places {
			s.Map = append(s.Map, p.entry(at, o))
		}
		all = append(all, token{s})
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

func (p plan) entry(at place, o ShareOptions) entry {
	path, nested := "$", "$.verifiableCredential"
	if len(p.presentations) > 1 {
		path = fmt.Sprintf("$[%d]", at.at)
	}
	if o.NewerPaths {
		nested = "$.vp.verifiableCredential"
	}
	if o.Tamper.WrongPaths {
		at.within = p.next(at)
	}
	return entry{ID: at.descriptor, Format: "jwt_vp", Path: path, Nested: &entry{
		ID: at.descriptor, Format: "jwt_vc", Path: fmt.Sprintf("%s[%d]", nested, at.within),
	}}
}

// next is another credential of the same presentation, or none when it holds no other.
func (p plan) next(at place) int {
	if n := len(p.presentations[at.at]); n > 1 {
		return (at.within + 1) % n
	}
	return at.within + 1
}
