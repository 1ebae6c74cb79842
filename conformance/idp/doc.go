// Package idp is the main identity provider of the demo: where people sign in with passkeys, and where they stand when
// they have lost every one. It is an OpenID Connect relying party of Regain and imports nothing of it: what it knows of
// Regain is docs/protocols.md §1 and docs/recovery-token.md. It is also the example for engineers of a real IdP: what
// they have to do and to check is package recovery; this one is the pages around it.
//
//	GET  /                           sign in                              sign-in page
//	GET  /other-ways?account=        no passkey any more                  a pass, or recovery
//	POST /recover                    push the request to Regain           303 to Regain
//	GET  /callback                   back from Regain                     303 /recovered, or why not
//	GET  /recovered                  the pass, in a form
//	GET  /pass?account=              sign in with a pass
//	POST /pass                       Regain verifies and consumes it      303 /passkey/new
//	GET  /passkey/new                the one right of a pass session
//	POST /passkey/register/begin     WebAuthn options, JSON
//	POST /passkey/register/finish    the new passkey replaces the old     {"next"}
//	GET  /passkey/created            done
//	POST /passkey/login/begin        WebAuthn options, JSON
//	POST /passkey/login/finish       signed in                            {"next"}
//	GET  /home                       signed in
//	POST /sign-out
//
// # The law of the callback
//
// A recovery that this browser did not start, or whose tokens fail one check, does not sign in. The attempt, which
// remembers what was asked for whom, is used up by the first callback, whatever its outcome. A recovered account is not
// signed in: it is a pass on a page, and the pass buys the right to create one passkey and nothing else.
//
// # Nothing to enumerate
//
// Accounts that do not exist take the same steps: they are sent to Regain, their passes are asked about, and passkeys
// are asked for without naming any. Every kind of no looks the same.
package idp
