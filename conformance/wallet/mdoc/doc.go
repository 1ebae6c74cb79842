// Package mdoc is the holder's half of ISO/IEC 18013-5: keeping what an issuer signed, and showing
// a part of it to one verifier.
//
// An issuer hands over an IssuerSigned: data elements by namespace, each with a random salt in an
// IssuerSignedItem, and the mobile security object (MSO), signed, which holds a digest of every
// item and the holder's device key.
//
//	Parse       reads one, and matches items with digests
//	Verify      checks the issuer's signature, its certificates and the dates
//	Claims      is what a DCQL query walks: namespace, element, value as JSON
//	Present     makes a DeviceResponse: the chosen items as the issuer wrote them, and a signature
//	            by the device key over the session transcript
//
// The session transcript is what binds a presentation to one request: Redirect is that of
// OpenID4VP 1.0 Appendix B.2.6.1, DigitalCredentials that of B.2.6.2.
package mdoc
