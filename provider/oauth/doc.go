// Package oauth is the OAuth 2.0 and OpenID Connect core of the provider, and the only importer of fosite.
//
// What fosite does: it validates authorization requests, makes and checks authorization codes and access tokens, and
// enforces PKCE. What it must not see is kept from it here, because v0.49 handles it wrongly (see
// docs/decisions/fosite.md): request objects, id_token_hint, prompt and max_age are taken out of the form and dealt
// with by us; duplicate parameters are refused first; clients are authenticated by us; codes, their PKCE challenge and
// their session are one record that exactly one caller can claim.
//
// The way of a request:
//
//	POST /par        Push       → authenticate → clean → fosite validates → record
//	GET  /authorize  Authorize  → (record) → clean → fosite validates → Authorization
//	                 Grant      → fosite makes the code → redirect      (after the recovery was approved)
//	                 Reject     → redirect with an error                (after everything else)
//	POST /token      Redeem     → authenticate → fosite checks code and PKCE → claim → Redemption.Tokens
//	     /userinfo   UserInfo   → fosite checks the access token
package oauth
