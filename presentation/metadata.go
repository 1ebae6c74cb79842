package presentation

import (
	"errors"
	"fmt"
	"slices"

	"regain/presentation/dcql"
)

// preRegistered is how a wallet's metadata names client_ids without a prefix (§10.1).
const preRegistered = "pre-registered"

// metadata is the wallet's (§10, RFC 8414 §2).
type metadata map[string]any

// check compares what the wallet can do with what the request needs.
func (m metadata) check(p Profile, r Request) error {
	prefix := string(p.Identity.Prefix())
	if p.registered() {
		prefix = preRegistered
	}
	needs := []need{
		{"response_types_supported", []string{responseType}},
		{"response_modes_supported", []string{string(r.Mode)}},
		{"request_object_signing_alg_values_supported", []string{"ES256"}},
		{"client_id_prefixes_supported", []string{prefix}},
	}
	if r.Mode.Encrypted() {
		needs = append(needs, need{"authorization_encryption_alg_values_supported", []string{"ECDH-ES"}},
			need{"authorization_encryption_enc_values_supported", []string{"A128GCM", "A256GCM"}})
	}
	for _, n := range needs {
		if err := wants(m, n.name, n.any...); err != nil {
			return err
		}
	}
	return m.checkFormats(r.Query)
}

// need is a list in the metadata that has to hold one of these, if it is there.
type need struct {
	name string
	any  []string
}

// checkFormats wants formats, with algorithms of ours, in which the wallet could satisfy the query: where the query has
// alternatives, a wallet may do without some of them.
func (m metadata) checkFormats(q dcql.Query) error {
	value, there := m["vp_formats_supported"]
	if !there {
		return nil
	}
	formats, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%w: wallet_metadata: vp_formats_supported is no object", ErrMalformed)
	}
	var able []string // what the wallet could answer
	var problem error // the first reason why not more
	for _, c := range q.Credentials {
		err := fmt.Errorf("%w: vp_formats_supported lacks %s", ErrUnsupportedWallet, c.Format)
		if format, known := formats[c.Format].(map[string]any); known {
			err = metadata(format).checkAlgorithms(c.Format)
		}
		switch {
		case errors.Is(err, ErrMalformed):
			return err
		case err == nil:
			able = append(able, c.ID)
		case problem == nil:
			problem = err
		}
	}
	if q.Missing(able) != nil {
		return problem
	}
	return nil
}

// wants refuses a wallet whose list of this name is there and holds none of the values.
func wants[T ~string](m metadata, name string, values ...T) error {
	value, there := m[name]
	if !there {
		return nil
	}
	list, ok := elements[T](value)
	if !ok {
		return fmt.Errorf("%w: wallet_metadata: %s is no array, or holds something of another kind", ErrMalformed, name)
	}
	if !slices.ContainsFunc(values, func(v T) bool { return slices.Contains(list, v) }) {
		return fmt.Errorf("%w: %s has nothing of ours, which is %v", ErrUnsupportedWallet, name, values)
	}
	return nil
}

// elements are those of a JSON array if all of them are of one kind.
func elements[T any](value any) ([]T, bool) {
	list, ok := value.([]any)
	if !ok {
		return nil, false
	}
	all := make([]T, 0, len(list))
	for _, element := range list {
		one, ok := element.(T)
		if !ok {
			return nil, false
		}
		all = append(all, one)
	}
	return all, true
}
