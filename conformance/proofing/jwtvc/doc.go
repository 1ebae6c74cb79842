// Package jwtvc issues JWT VCs (W3C Verifiable Credentials Data Model 1.1 §6.3.1) to wallets like Microsoft
// Authenticator, in the name of a did:web, and opens them again when their holder presents them.
//
//	Document, Configuration   what the DID's host serves: the DID document, and that the domain is the DID's
//	Issue                     a JWT VC: kid under assertionMethod, sub the holder's DID, its status in a Token Status List
//	Open                      a VP of one VC of this issuer, signed by its holder for a nonce of this issuer
//
// A did:web is looked up over https (did:web, Read): without https, only this machine can verify what is issued here.
package jwtvc
