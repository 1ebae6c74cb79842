// Package mdoc is mobile documents (ISO/IEC 18013-5) as their issuer and their holder have them. The proofing provider
// issues mobile driving licences with it and opens the ones that come back; the wallet keeps any mdoc and shows a part of
// it to one verifier. COSE is go-cose's; nothing is shared with the verifier of the module.
//
// An mdoc is an IssuerSigned structure:
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
//	document.go   an IssuerSigned taken apart and checked
//	present.go    from IssuerSigned to DeviceResponse
//	open.go       from DeviceResponse back to a document, when everything about it is right
//	transcript.go the session transcript of a presentation over OpenID4VP
//
// It models documents of one name space or several, and leaves out reader authentication, deviceMac and elements that
// the device signs itself.
package mdoc

// DocType and Namespace name the mobile driving licence and its data elements (ISO/IEC 18013-5 §7.1).
const (
	DocType   = "org.iso.18013.5.1.mDL"
	Namespace = "org.iso.18013.5.1"
)
