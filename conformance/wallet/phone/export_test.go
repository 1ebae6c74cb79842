package phone

import "regain/conformance/wallet/authenticator"

// Authenticators returns those of all phones that were switched on.
func (s *Server) Authenticators() []*authenticator.Wallet {
	s.phones.mu.Lock()
	defer s.phones.mu.Unlock()
	var all []*authenticator.Wallet
	for _, h := range s.phones.kept {
		all = append(all, h.authenticator)
	}
	return all
}
