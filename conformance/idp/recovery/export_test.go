package recovery

// SecretHolders are the types that hold secrets, each holding the one given.
func SecretHolders(value string) []any {
	s := NewSecret(value)
	claims := recoveryClaims{Nonce: s}
	claims.Recovery.Pass.Value = s
	return []any{
		s, &s, Request{State: s, Nonce: s, Verifier: s}, tokens{Access: s, ID: s, Recovery: s}, Recovered{Pass: s}, claims,
	}
}
