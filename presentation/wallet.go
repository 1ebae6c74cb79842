package presentation

import (
	"fmt"
	"net/url"
	"strings"

	"regain/internal/strictjson"
)

const (
	metadataDepth  = 12
	maxWalletNonce = 512 // characters
)

// WalletRequest has what a wallet sends when it fetches a request object by POST (OpenID4VP 1.0 §5.10). Call Check,
// then copy Nonce and Key into [RequestObjectParams].
type WalletRequest struct {
	Nonce string     // wallet_nonce; empty if the wallet sent none
	Key   *WalletKey // set if the wallet wants the request object encrypted

	metadata metadata
}

// ParseRequestURIPost parses the form of a POST to the request URI. It ignores unknown parameters and unknown metadata,
// as OpenID4VP 1.0 §5.10 requires. It never fetches a URL in the metadata, which an attacker could have chosen (SSRF).
func ParseRequestURIPost(form url.Values) (WalletRequest, error) {
	request, err := parseRequestURIPost(form)
	if err != nil {
		return WalletRequest{}, fmt.Errorf("reading a wallet's request: %w", err)
	}
	return request, nil
}

// Check returns [ErrUnsupportedWallet] if the wallet's metadata says that it cannot answer this request. Otherwise the
// wallet would just not respond, and the person would wait in vain. What the metadata leaves out counts as supported.
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

// isWalletNonce reports whether the nonce is visible ASCII of limited length. OpenID4VP 1.0 §5.10 leaves its syntax to
// the wallet.
func isWalletNonce(nonce string) bool {
	return len(nonce) <= maxWalletNonce && !strings.ContainsFunc(nonce, func(c rune) bool { return c < 0x21 || c > 0x7e })
}
