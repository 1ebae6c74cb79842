// Package oauth is the OAuth 2.0 and OpenID Connect core of the provider, and the only importer of fosite.
//
// What fosite does: it validates authorization requests, makes and checks authorization codes and access tokens, and
// compares PKCE verifiers. What it must not see is kept from it here, because v0.49 handles it wrongly (see
// docs/decisions/0001-fosite.md): request objects, hints, prompt and max_age are taken out of the form and dealt with by
// us; duplicate parameters are refused first; clients are authenticated by clientauth; codes, their PKCE challenge and
// their session are one record that exactly one caller can claim; refresh tokens are our own.
//
// What fosite's callbacks need and fosite does not pass on travels in one context value: tokenrequest.go says which.
//
// The way of a request:
//
//	POST /par         Push       → authenticate → unpack → read → fosite validates → record
//	GET  /authorize   Authorize  → (record) → unpack → read → fosite validates → Authorization
//	                  Grant      → fosite makes the code → Response      (after the recovery was approved)
//	                  Reject     → Response with an error                (after everything else)
//	POST /token       Redeem     → authenticate → fosite checks the code → PKCE, binding → claim → Tokens
//	                  Refresh    → authenticate → binding → a new access token
//	     /userinfo    Access     → fosite checks the access token → binding
//	     /introspect  Introspect → authenticate → fosite, or the refresh token's record
//	     /revoke      Revoke     → the same
//	     /logout      ReadLogout → our own ID token as the hint
package oauth
