package presentation

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"regain/internal/strictjson"
	"regain/presentation/dcql"
	"regain/presentation/identity"
)

const (
	metadataDepth  = 12
	maxWalletNonce = 512 // characters
)

// WalletRequest is what a wallet says of itself when it fetches a request object by POST (OpenID4VP
// 1.0 §5.10): put both into [RequestObjectParams], after Check.
type WalletRequest struct {
	Nonce string     // wallet_nonce; empty when the wallet sent none
	Key   *WalletKey // set when the wallet wants the request object encrypted

	metadata metadata
}

// ParseRequestURIPost reads the form of a POST to the request URI. Unknown parameters and unknown
// metadata are ignored, as §5.10 demands; URLs in the metadata are never fetched.
func ParseRequestURIPost(form url.Values) (WalletRequest, error) {
	request, err := parseRequestURIPost(form)
	if err != nil {
		return WalletRequest{}, fmt.Errorf("reading a wallet's request: %w", err)
	}
	return request, nil
}

// Check refuses a wallet with [ErrUnsupportedWallet] when its metadata says that it cannot answer this request, since
// all that would follow is its silence. What the metadata leaves out is taken to be possible.
func (w WalletRequest) Check(p Profile, r Request) error {
	if err := w.metadata.check(p, r); err != nil {
		return fmt.Errorf("reading a wallet's request: %w", err)
	}
	return nil
}

func parseRequestURIPost(form url.Values) (WalletRequest, error) {
	if err := checkForm(form); err != nil {
		return WalletRequest{}, err
	}
	nonce, err := field(form, "wallet_nonce", maxShort)
	if err != nil {
		return WalletRequest{}, err
	}
	if nonce != "" && !isWalletNonce(nonce) {
		return WalletRequest{}, fmt.Errorf("%w: wallet_nonce", ErrMalformed)
	}
	raw, err := field(form, "wallet_metadata", maxMetadata)
	if err != nil || raw == "" {
		return WalletRequest{Nonce: nonce}, err
	}
	object, err := strictjson.Object([]byte(raw), metadataDepth)
	if err != nil {
		return WalletRequest{}, fmt.Errorf("%w: wallet_metadata: %w", ErrMalformed, err)
	}
	m := metadata(object)
	key, err := m.key()
	if err != nil {
		return WalletRequest{}, err
	}
	return WalletRequest{Nonce: nonce, Key: key, metadata: m}, nil
}

// isWalletNonce reports whether the nonce is printable ASCII of bearable length. The specification
// leaves its form to the wallet.
func isWalletNonce(nonce string) bool {
	return len(nonce) <= maxWalletNonce && !strings.ContainsFunc(nonce, func(c rune) bool { return c < 0x21 || c > 0x7e })
}

// metadata is the wallet's (§10, RFC 8414 §2).
type metadata map[string]any

// check compares what the wallet can do with what the request needs.
func (m metadata) check(p Profile, r Request) error {
	needs := []need{
		{"response_types_supported", []string{responseType}},
		{"response_modes_supported", []string{string(r.Mode)}},
		{"request_object_signing_alg_values_supported", []string{"ES256"}},
	}
	if prefix := p.Identity.Prefix(); prefix != identity.None {
		needs = append(needs, need{"client_id_prefixes_supported", []string{string(prefix)}})
	}
	if r.Mode.Encrypted() {
		needs = append(needs, need{"authorization_encryption_alg_values_supported", []string{"ECDH-ES"}},
			need{"authorization_encryption_enc_values_supported", []string{"A128GCM", "A256GCM"}})
	}
	for _, n := range needs {
		if err := m.wants(n.name, n.any...); err != nil {
			return err
		}
	}
	return m.checkFormats(r)
}

// need is a list in the metadata that has to hold one of these, if it is there.
type need struct {
	name string
	any  []string
}

// checkFormats wants one format of those that are asked for, with algorithms of ours. The query may have alternatives,
// so a wallet without some of the formats may still answer.
func (m metadata) checkFormats(r Request) error {
	value, there := m["vp_formats_supported"]
	if !there {
		return nil
	}
	formats, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%w: wallet_metadata: vp_formats_supported is no object", ErrMalformed)
	}
	problem := fmt.Errorf("%w: vp_formats_supported lacks %s", ErrUnsupportedWallet, strings.Join(r.formats(), " and "))
	for _, name := range r.formats() {
		format, ok := formats[name].(map[string]any)
		if !ok {
			continue
		}
		if problem = checkAlgorithms(name, format); problem == nil {
			return nil
		}
	}
	return problem
}

func checkAlgorithms(name string, format metadata) error {
	switch name {
	case dcql.FormatSDJWT:
		if err := format.wants("sd-jwt_alg_values", "ES256"); err != nil {
			return err
		}
		return format.wants("kb-jwt_alg_values", "ES256")
	case dcql.FormatJWTVC:
		return format.wants("alg_values", "ES256", "ES256K", "EdDSA")
	}
	return nil // an mdoc's are COSE numbers, and a wallet without ES256 has no mdoc
}

// wants refuses a wallet whose list of this name is there and holds none of the values.
func (m metadata) wants(name string, values ...string) error {
	list, there, err := m.list(name)
	if err != nil || !there {
		return err
	}
	if !slices.ContainsFunc(values, func(v string) bool { return slices.Contains(list, v) }) {
		return fmt.Errorf("%w: %s lacks %s", ErrUnsupportedWallet, name, strings.Join(values, " and "))
	}
	return nil
}

func (m metadata) list(name string) (texts []string, there bool, err error) {
	value, there := m[name]
	if !there {
		return nil, false, nil
	}
	elements, ok := value.([]any)
	if !ok {
		return nil, true, fmt.Errorf("%w: wallet_metadata: %s is no array", ErrMalformed, name)
	}
	for _, element := range elements {
		text, ok := element.(string)
		if !ok {
			return nil, true, fmt.Errorf("%w: wallet_metadata: %s holds something else than text", ErrMalformed, name)
		}
		texts = append(texts, text)
	}
	return texts, true, nil
}
