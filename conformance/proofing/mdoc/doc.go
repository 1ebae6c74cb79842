// Package mdoc is the issuing side of mobile documents (ISO/IEC 18013-5): it issues mobile driving licences and opens
// the ones that come back. It was written from the standard and OpenID4VP 1.0 Appendix B.2, and shares no code with any
// wallet or verifier of this repository.
//
// A licence is an IssuerSigned structure:
//
//	nameSpaces   data elements, each with a salt, each encoded on its own (IssuerSignedItemBytes)
//	issuerAuth   COSE_Sign1 over the Mobile Security Object (MSO): a digest for each data element, the holder's
//	             device key, when it is valid, and where its status stands
//
// The holder shows a DeviceResponse: some of the data elements, the same issuerAuth, and a signature of the device key
// over the session transcript, which says to whom they are shown, and for what nonce.
//
//	authority.go  the certificates: an issuing authority (IACA) and the document signer under it
//	licence.go    the data elements of a driving licence
//	issue.go      from data elements to IssuerSigned
//	open.go       from DeviceResponse back to data elements, when everything about it is right
//	transcript.go the session transcript of a presentation over OpenID4VP
//	cbor.go, cose.go the encodings
package mdoc

// DocType and Namespace name the mobile driving licence and its data elements (ISO/IEC 18013-5 §7.1).
const (
	DocType   = "org.iso.18013.5.1.mDL"
	Namespace = "org.iso.18013.5.1"
)
