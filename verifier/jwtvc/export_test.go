package jwtvc

import "crypto"

// VerifySignature lets tests verify a VC whose issuer may not have issued it.
func VerifySignature(p *Parsed, key crypto.PublicKey) error { return p.signed.Verify(key) }

// KeyID lets tests find that issuer's key.
func KeyID(p *Parsed) string { return p.signed.KeyID }
