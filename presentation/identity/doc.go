// Package identity is the verifier's identity towards a wallet: a client identifier, and the signature of requests
// under it (OpenID4VP 1.0 §5.9).
//
// The prefix of a client_id tells a wallet how to authenticate the verifier:
//
//	x509_hash:…                 the hash of the certificate that signed              X509Hash
//	x509_san_dns:…              a DNS name in the certificate that signed            X509SANDNS
//	redirect_uri:…              the response URI; the request is not signed          RedirectURI
//	decentralized_identifier:…  a DID whose document has the key that signed         DID
//	verifier_attestation:…      an attestation by a third party, bound to the key    Attested
//	no prefix                   the client_id is registered with the wallet's maker  PreRegistered
//
// The whole client_id, with its prefix, is the audience of every presentation (OpenID4VP 1.0 §14.10), so it binds a
// response to us as the nonce binds it to the request. Constructors return an error for everything that a wallet would
// refuse without telling us: a certificate that is self-signed, expired, without the name in the client_id, or of
// another key.
package identity
