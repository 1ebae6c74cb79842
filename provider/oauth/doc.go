// Package oauth is the OAuth 2.0 and OpenID Connect core of the provider, and the only importer of fosite.
//
// It grants what package requests has read, and honours what it granted: codes, access tokens, refresh tokens. fosite
// validates the parameters of authorization requests that requests passes on, issues and checks authorization codes and
// access tokens, and compares PKCE verifiers. This package handles what fosite v0.49 gets wrong
// (docs/decisions/0001-fosite.md): request objects, hints, prompt and max_age never reach it, nor do duplicate parameters;
// clients are authenticated by clientauth; a code, its PKCE challenge and its session are one record that exactly one caller
// can claim; refresh tokens are implemented here.
//
// What fosite's callbacks need and fosite does not pass on is in one context value, see tokenrequest.go.
//
// How requests are processed:
//
//	POST /par         Push       → authenticate → requests, fosite validates → pushed
//	GET  /authorize   Authorize  → pushed, or requests, fosite validates → Authorization
//	                  Grant      → fosite makes the code → Response      (after the recovery was approved)
//	                  Reject     → Response with an error                (after any other outcome)
//	POST /token       Redeem     → authenticate → fosite checks the code → PKCE, possession → claim → Tokens
//	                  Refresh    → authenticate → possession → a new access token
//	     /userinfo    Access     → fosite checks the access token → possession
//	     /introspect  Introspect → authenticate → fosite, or the refresh token's record
//	     /revoke      Revoke     → the same
//	     /logout      ReadLogout → requests
package oauth
