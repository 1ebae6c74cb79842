package recovery

// Distance says how far the device with the wallet is from the browser that started, as far as networks tell. It is a
// signal and no proof: a phone on a mobile network is far from the desk it lies on.
type Distance string

// The two distances; "" when it is not known.
const (
	SameNetwork  Distance = "same_network"
	OtherNetwork Distance = "other_network"
)

// networkOf is the digest of a network for one transaction, so that what is stored tells nobody where people are.
func networkOf(id TransactionID, network string) Digest {
	if network == "" {
		return ""
	}
	return DigestOf("network\x00" + string(id) + "\x00" + network)
}

// distanceTo compares another device's network with the one that started.
func (t Transaction) distanceTo(network string) Distance {
	switch {
	case t.Network == "" || network == "":
		return ""
	case t.Network == networkOf(t.ID, network):
		return SameNetwork
	}
	return OtherNetwork
}

// judge adds what the distance says to a verdict, and makes it a denial where the policy wants the same network and that
// was not seen. This reason comes before those about the account, so that it tells nothing about one.
func (p CrossDevicePolicy) judge(d Distance, verdict Decision) Decision {
	result := RuleResult{Rule: "cross_device:network", Pass: d == SameNetwork || !p.SameNetwork}
	switch d {
	case OtherNetwork:
		result.Detail = "the wallet's device is in another network than the browser"
	case "":
		result.Detail = "it is not known in which network the wallet's device is"
	}
	verdict.Results = append(verdict.Results[:len(verdict.Results):len(verdict.Results)], result)
	if !result.Pass {
		verdict.Outcome, verdict.Reason = OutcomeDenied, ReasonOtherNetwork
	}
	return verdict
}
