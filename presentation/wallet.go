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
