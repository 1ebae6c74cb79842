// Package jose is the JOSE of all counterparts: compact JWS and JWE, and JWK, over jwx. The servers under test use
// another library, so neither side can agree with the other's mistakes.
//
// What this package adds is what a strict counterpart needs and jwx leaves open: a JWS has one spelling, its header names
// nothing twice and asks for no extension (RFC 7515 §4.1.11), its algorithm is that of the key and never the header's
// choice (RFC 8725 §3.1), and a key has one spelling too. Keys are those of the standard library; one on secp256k1 is an
// *ecdsa.PublicKey on that curve, since wallets like Microsoft Authenticator sign with ES256K (RFC 8812 §3.2).
package jose
