// Package recovery is the domain: what an account recovery is and when it succeeds.
//
// A main IdP names an account. Regain asks the wallet of the person at the browser for a Verified ID (who they are)
// and a Face Check (that the person holding the wallet now is the one in the Verified ID's photo), weighs that evidence
// against the named account, and at the end issues a Temporary Access Pass, once, to the client that asked.
//
// The parts, from the inside outwards:
//
//	state, transaction      one recovery as a value, and the table of its legal steps: pure functions
//	normalise, match        does the evidence name this account? Entra's exact and relaxed comparison
//	facecheck, decide       the rules, the verdict, and each rule's result without personal data
//	profile, pass, attempts what an administrator decides: who may recover, how, and how often
//	audit                   audit events; package chain links them so that nothing can be removed or changed unnoticed
//	ports                   the interfaces to the outside that this package needs
//	service and its steps   start, ask, present, conclude, redeem: one method for each step
//
// It imports no other package of this module and knows no protocol and no database.
package recovery
