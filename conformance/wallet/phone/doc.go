// Package phone is the wallet as a person sees it: a page the size of a phone that behaves as an
// authenticator app does. Each browser is a phone of its own, with a wallet of its own behind a
// cookie.
//
//	GET  /                      the credentials as cards, "scan a code", whose phone this is
//	POST /person                chooses the person whose face the camera sees
//	POST /scan                  what a scanned code said, pasted
//	GET  /offer                 an issuer's link arrives            → a task
//	GET  /authorize             a verifier's link arrives           → a task; without client_id it is
//	                            one for the authenticator, of the JWT VC Presentation Profile
//	GET  /tasks/{id}            the task as it stands: who asks, what for, what would be shared
//	POST /tasks/{id}/add        takes up an offer
//	POST /tasks/{id}/face-check takes a selfie and has it compared
//	POST /tasks/{id}/share      answers; the browser goes on to where the verifier says
//	POST /tasks/{id}/decline    says no; likewise
//
// A link only ever makes a task; what is done with it takes a POST with the phone's own token.
// The pages work without scripts, and none are allowed.
package phone
