package presentation

// ResponseMode is the way in which the wallet returns the response (OpenID4VP 1.0 §5.2, §8.2, §8.3, Appendix A.2).
type ResponseMode string

// The response modes: by POST to the response URI, or through the Digital Credentials API of the browser; unencrypted,
// or encrypted to the key of the request.
const (
	DirectPost    ResponseMode = "direct_post"
	DirectPostJWT ResponseMode = "direct_post.jwt"
	BrowserPlain  ResponseMode = "dc_api"
	BrowserJWT    ResponseMode = "dc_api.jwt"
)

// Encrypted reports whether the response is encrypted.
func (m ResponseMode) Encrypted() bool { return m == DirectPostJWT || m == BrowserJWT }

// Browser reports whether the response comes through the Digital Credentials API.
func (m ResponseMode) Browser() bool { return m == BrowserPlain || m == BrowserJWT }

// inBrowser returns the response mode of the Digital Credentials API with the same encryption.
func (m ResponseMode) inBrowser() ResponseMode {
	if m.Encrypted() {
		return BrowserJWT
	}
	return BrowserPlain
}

// Protocol is an exchange protocol of the Digital Credentials API (OpenID4VP 1.0 Appendix A.1).
type Protocol string

// The protocols, for an unsigned request, one with one signature, and one with several.
const (
	Unsigned    Protocol = "openid4vp-v1-unsigned"
	Signed      Protocol = "openid4vp-v1-signed"
	MultiSigned Protocol = "openid4vp-v1-multisigned"
)
