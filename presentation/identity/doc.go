// Package identity is who a verifier is to a wallet: a client identifier, and how requests under it are signed
// (OpenID4VP 1.0 §5.9).
//
// A client_id says by its prefix how a wallet is to know whose request it is:
//
//	x509_hash:…                 the hash of the certificate that signed              X509Hash
//	x509_san_dns:…              a DNS name in the certificate that signed            X509SANDNS
//	redirect_uri:…              where the answer goes; nothing is signed             RedirectURI
//	decentralized_identifier:…  a DID whose document has the key that signed         DID
//	verifier_attestation:…      what somebody attested, together with the key        Attested
//	without a prefix            what the wallet's maker registered                   PreRegistered
//
// The whole client_id, with its prefix, is the audience of every presentation (§14.10), so an identity is as much a
// part of a request as its nonce. What a wallet would silently refuse is refused here when the identity is made: a
// certificate that is self-signed, expired, without the name that the client_id claims, or of another key.
package identity
