package publickeytest

// Foreign returns public keys as other software publishes them beside those that a reader understands: kinds that this
// module does not know, and damaged ones. Each is refused alone, and passed over in a set (RFC 7517 §5).
func Foreign() map[string]map[string]any {
	const bytes32, bytes57 = "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo", "X9dEm1m0Yf0s54fsYWrUah2hNCSFpw4fig6nXYDpZ3jt8SR2m0bHBhvWeD3x5Q9s0foavq_oJWGA"
	point := func(crv string) map[string]any {
		return map[string]any{"kty": "EC", "crv": crv, "x": bytes32, "y": bytes32, "use": "sig", "kid": crv}
	}
	return map[string]map[string]any{
		"X25519":    {"kty": "OKP", "crv": "X25519", "use": "enc", "kid": "x", "x": bytes32},
		"X448":      {"kty": "OKP", "crv": "X448", "use": "enc", "x": bytes57},
		"Ed448":     {"kty": "OKP", "crv": "Ed448", "use": "sig", "x": bytes57},
		"secp256k1": {"kty": "EC", "crv": "secp256k1", "x": "eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g", "y": "SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg", "use": "sig"},
		"brainpool": point("BP-256"), "SM2": point("SM2"), "P-192": point("P-192"),
		"ML-DSA": {"kty": "AKP", "alg": "ML-DSA-65", "pub": bytes57, "use": "sig"}, "ML-KEM": {"kty": "AKP", "alg": "ML-KEM-768", "pub": bytes57},
		"LMS": {"kty": "HSS-LMS", "pub": bytes32}, "a kty of tomorrow": {"kty": "LWE"}, "no kty": {"kid": "a"}, "kty no text": {"kty": 7}, "no crv": {"kty": "EC", "x": bytes32, "y": bytes32},
		"off the curve": point("P-256"), "a short coordinate": {"kty": "EC", "crv": "P-256", "x": "AA", "y": bytes32}, "base64 and not base64url": {"kty": "OKP", "crv": "Ed25519", "x": "+/+/"},
		"RSA without e": {"kty": "RSA", "n": bytes57}, "RSA of 456 bits": {"kty": "RSA", "n": bytes57, "e": "AQAB"},
		"x5c no base64": {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "x5c": []string{"?"}},
		"x5c no text":   {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "x5c": []any{7}},
		"use no text":   {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "use": []string{"sig"}},
	}
}
