package presentation

import (
	"errors"
	"fmt"
	"slices"

	"regain/presentation/dcql"
)

// preRegistered stands for client_ids without a prefix in a wallet's metadata (OpenID4VP 1.0 §10.1).
const preRegistered = "pre-registered"

// metadata is a wallet's metadata (OpenID4VP 1.0 §10, RFC 8414 §2).
type metadata map[string]any

// check returns ErrUnsupportedWallet if the metadata says that the wallet cannot answer the request.
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
		if err := requireAny(m, n.name, n.any...); err != nil {
			return err
		}
	}
	return m.checkFormats(r.Query)
}

// need is a list in the metadata that must contain one of the values, if the list is there.
type need struct {
	name string
	any  []string
}

// checkFormats returns ErrUnsupportedWallet unless the wallet can satisfy the query with the formats and algorithms
// that it shares with us. If the query has alternatives (credential_sets), one of them is enough.
func (m metadata) checkFormats(q dcql.Query) error {
	value, there := m["vp_formats_supported"]
	if !there {
		return nil
	}
	formats, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%w: wallet_metadata: vp_formats_supported is no object", ErrMalformed)
	}
	var supported []string // ids of the credential queries that the wallet supports
	var problem error      // why it does not support the first of the others
	for _, c := range q.Credentials {
		err := fmt.Errorf("%w: vp_formats_supported lacks %s", ErrUnsupportedWallet, c.Format)
		if format, known := formats[c.Format].(map[string]any); known {
			err = metadata(format).checkAlgorithms(c.Format)
		}
		switch {
		case errors.Is(err, ErrMalformed):
			return err
		case err == nil:
			supported = append(supported, c.ID)
		case problem == nil:
			problem = err
		}
	}
	if q.Missing(supported) != nil {
		return problem
	}
	return nil
}

// requireAny returns ErrUnsupportedWallet if the metadata has the list of this name and the list has none of the
// values.
func requireAny[T ~string](m metadata, name string, values ...T) error {
	value, there := m[name]
	if !there {
		return nil
	}
	list, ok := elements[T](value)
	if !ok {
		return fmt.Errorf("%w: wallet_metadata: %s is no array, or has elements of the wrong type", ErrMalformed, name)
	}
	if !slices.ContainsFunc(values, func(v T) bool { return slices.Contains(list, v) }) {
		return fmt.Errorf("%w: %s has none of the values that this verifier supports: %v", ErrUnsupportedWallet, name, values)
	}
	return nil
}

// elements returns the elements of a JSON array, and false if one of them has another type than T.
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
