package presentation

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"regain/internal/strictjson"
)

const (
	metadataDepth  = 12
	maxWalletNonce = 512 // characters
)

// WalletRequest is what a wallet says of itself when it fetches a request object by POST (OpenID4VP
// 1.0 §5.10): put both into [RequestObjectParams].
type WalletRequest struct {
	Nonce string     // wallet_nonce; empty when the wallet sent none
	Key   *WalletKey // set when the wallet wants the request object encrypted
}

// ParseRequestURIPost reads the form of a POST to the request URI. Unknown parameters and unknown
// metadata are ignored, as §5.10 demands; URLs in the metadata are never fetched. A wallet whose
// metadata says that it cannot answer us is refused with [ErrUnsupportedWallet], since all that
// would follow is its silence. What the metadata leaves out is taken to be possible.
func ParseRequestURIPost(form url.Values) (WalletRequest, error) {
	request, err := parseRequestURIPost(form)
	if err != nil {
		return WalletRequest{}, fmt.Errorf("reading a wallet's request: %w", err)
	}
	return request, nil
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
	if err := m.check(); err != nil {
		return WalletRequest{}, err
	}
	key, err := m.key()
	if err != nil {
		return WalletRequest{}, err
	}
	return WalletRequest{Nonce: nonce, Key: key}, nil
}

// isWalletNonce reports whether the nonce is printable ASCII of bearable length. The specification
// leaves its form to the wallet.
func isWalletNonce(nonce string) bool {
	return len(nonce) <= maxWalletNonce && !strings.ContainsFunc(nonce, func(c rune) bool { return c < 0x21 || c > 0x7e })
}

// metadata is the wallet's (§10, RFC 8414 §2).
type metadata map[string]any

// check compares what the wallet can do with what a request of ours needs.
func (m metadata) check() error {
	for _, need := range []struct {
		name string
		any  []string
	}{
		{"request_object_signing_alg_values_supported", []string{"ES256"}},
		{"client_id_prefixes_supported", []string{strings.TrimSuffix(prefix, ":")}},
		{"response_types_supported", []string{responseType}},
		{"response_modes_supported", []string{responseMode}},
		{"authorization_encryption_alg_values_supported", []string{"ECDH-ES"}},
		{"authorization_encryption_enc_values_supported", []string{"A128GCM", "A256GCM"}},
	} {
		if err := m.wants(need.name, need.any...); err != nil {
			return err
		}
	}
	value, there := m["vp_formats_supported"]
	if !there {
		return nil
	}
	formats, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%w: wallet_metadata: vp_formats_supported is no object", ErrMalformed)
	}
	format, ok := formats["dc+sd-jwt"].(map[string]any)
	if !ok {
		return fmt.Errorf("%w: vp_formats_supported lacks dc+sd-jwt", ErrUnsupportedWallet)
	}
	if err := metadata(format).wants("sd-jwt_alg_values", "ES256"); err != nil {
		return err
	}
	return metadata(format).wants("kb-jwt_alg_values", "ES256")
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
