package authenticator

import (
	"net/url"
	"time"
)

// ShareOptions change how Share answers. The zero value answers honestly and as the Android library
// does. The bools are for the other ways that are right: the profile, OpenID4VP of 2022 and later
// drafts leave room, and a verifier has to take them all.
type ShareOptions struct {
	RelativeKid bool // kid is "#key", relative to sub or iss (profile, kid JOSE header)
	OneEach     bool // a presentation for each credential, path "$[0]", "$[1]"
	ArrayAsJSON bool // several presentations as one form member, a JSON array
	NewerPaths  bool // path_nested "$.vp.verifiableCredential[0]"
	LibraryBare bool // no jti in the ID token and no purpose in the presentation, as the library writes them
	Tamper      Tamper
}

// Tamper makes an answer wrong, for tests of verifiers: each member that is not zero breaks one
// thing and leaves everything else right, signatures made anew over what was broken before them.
type Tamper struct {
	IDToken Wrong
	VP      Wrong // of every presentation

	Credentials      map[string]string         // by input descriptor: another JWT VC, sent instead
	Alter            map[string]map[string]any // by input descriptor: members of credentialSubject written over, under the old signature
	BreakVCSignature string                    // the input descriptor whose credential has one bit of its signature flipped

	Definition      string     // another definition_id in the submission
	WrongPaths      bool       // path_nested leads to the next credential, or past the last
	NoSubmission    bool       // no _vp_token
	Drop            string     // the input descriptor that is not answered
	State           string     // another state
	ExtraParameters url.Values // more form members
	ReplayLast      bool       // the wallet's last answer once more, to the last character
}

// Wrong says what is wrong with one of the two kinds of JWT in an answer.
type Wrong struct {
	Nonce          string
	Audience       string
	IssuedAt       time.Time      // iat, with nbf and exp as far from it as ever
	Claims         map[string]any // written over; nil takes a claim away
	OtherHolder    bool           // by and about somebody else, whose signature is right
	OtherKey       bool           // signed with a key that is not the holder's
	BreakSignature bool           // one bit is flipped
	Unsigned       bool           // alg is none and there is no signature
	Missing        bool           // not sent at all
}
