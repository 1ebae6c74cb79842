package recovery

// Distance says whether the wallet's device is in the same network as the browser that started. It is a hint, not a
// proof: a phone on a mobile network is in another network than the desktop beside it.
type Distance string

// The distances. The empty string means that the distance is unknown.
const (
	SameNetwork  Distance = "same_network"
	OtherNetwork Distance = "other_network"
)

// UnknownNetwork is the network of everyone whose network cannot be read. Attempts from it are counted together, so that
// nobody escapes the limits there; no two devices are in the same one.
const UnknownNetwork = "unknown"

// networkOf returns the digest of a network, salted with the transaction's id, so that stored records reveal no
// locations and cannot be linked to each other.
func networkOf(id TransactionID, network string) Digest {
	if network == "" || network == UnknownNetwork {
		return ""
	}
	return DigestOf("network\x00" + string(id) + "\x00" + network)
}

// distanceTo compares another device's network with that of the browser that started.
func (t Transaction) distanceTo(network string) Distance {
	switch {
	case t.Network == "" || networkOf(t.ID, network) == "":
		return ""
	case t.Network == networkOf(t.ID, network):
		return SameNetwork
	}
	return OtherNetwork
}

// judge adds the result of the network rule to a verdict, and denies if the policy requires the same network and it
// was not seen. This reason precedes those about the account, so it reveals nothing about the account.
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
