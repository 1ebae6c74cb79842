package fetch

import "net/netip"

// Class lets tests ask about addresses that nothing listens on.
func Class(address string) string {
	return [...]string{never: "never", private: "private", public: "public"}[newAddressRules().classify(netip.MustParseAddr(address))]
}

// Judge lets tests dial addresses that the machine does not have.
func Judge(dialled string, trusted bool) error { return newDialer(nil).judge(dialled, trusted) }
