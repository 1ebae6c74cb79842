package presentation

// ResponseMode says how the answer comes (OpenID4VP 1.0 §5.2, §8.2, §8.3, Appendix A.2).
type ResponseMode string

// By POST to the response URI, or through the browser's Digital Credentials API; in the clear, or encrypted to the
// request's own key.
const (
	DirectPost    ResponseMode = "direct_post"
	DirectPostJWT ResponseMode = "direct_post.jwt"
	BrowserPlain  ResponseMode = "dc_api"
	BrowserJWT    ResponseMode = "dc_api.jwt"
)

// Encrypted reports whether the answer comes encrypted.
func (m ResponseMode) Encrypted() bool { return m == DirectPostJWT || m == BrowserJWT }

// Browser reports whether the answer comes through the Digital Credentials API.
func (m ResponseMode) Browser() bool { return m == BrowserPlain || m == BrowserJWT }

// inBrowser is the mode through the Digital Credentials API that protects an answer as this one does.
func (m ResponseMode) inBrowser() ResponseMode {
	if m.Encrypted() {
		return BrowserJWT
	}
	return BrowserPlain
}

// Protocol is an exchange protocol of the Digital Credentials API (OpenID4VP 1.0 Appendix A.1).
type Protocol string

// The protocols, from a request that nobody signed to one that several did.
const (
	Unsigned    Protocol = "openid4vp-v1-unsigned"
	Signed      Protocol = "openid4vp-v1-signed"
	MultiSigned Protocol = "openid4vp-v1-multisigned"
)
